import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeWhole } from './wholeFile.js';

/** Writes a file that only its owner may read, in a folder that is made where it is missing. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeWhole(path, content, 0o600);
}
