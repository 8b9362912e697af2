import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { readOr } from '../caught.js';
import { readTextNow } from './regularFile.js';
import { writeWhole } from './wholeFile.js';

/** Writes a file that only its owner may read, in a folder that is made where it is missing. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeWhole(path, content, 0o600);
}

/**
 * The JSON of a small file of ours. `other` where there is none, or none of this shape, which `room` logs.
 *
 * @param most bytes
 */
export function readOwn<T>(path: string, most: number, schema: z.ZodType<T>, other: T, room: string): T {
  return readOr(other, room, () => schema.parse(JSON.parse(readTextNow(path, most))));
}
