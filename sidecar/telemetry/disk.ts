import { statfs } from 'node:fs/promises';
import { ifUnreadable } from '../caught.js';
import { answers } from '../files/answers.js';

export type DiskFacts = { free_bytes: number; total_bytes: number };

/** Space on a folder's disk, as far as an unprivileged user may write. Null when unknown. */
export async function readDisk(folder: string): Promise<DiskFacts | null> {
  if (!(await answers(folder))) return null;
  const facts = await statfs(folder).catch(ifUnreadable(null, 'telemetry'));
  return facts && { free_bytes: facts.bavail * facts.bsize, total_bytes: facts.blocks * facts.bsize };
}
