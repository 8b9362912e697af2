import { rm } from 'node:fs/promises';
import { log } from '../log.js';

/** Removes an unneeded file. `sweepTemporary` removes it later if that fails. */
export async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    log.debug('files', 'An unneeded file could not be removed.', { path, error });
  });
}
