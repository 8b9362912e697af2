import { rm } from 'node:fs/promises';
import { log } from '../log.js';

/** Removes a file that nobody needs any more. One that stays is swept away later (`sweepTemporary`). */
export async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    log.debug('files', 'A file that nobody needs could not be removed.', { path, error });
  });
}
