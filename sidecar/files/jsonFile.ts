import type { z } from 'zod';
import { ifUnreadable, readOr } from '../caught.js';
import { type Links, readText, readTextNow } from './regularFile.js';

/**
 * The JSON of a file, of at most `most` bytes. `other` where there is none, or none of this shape, which `room` logs.
 *
 * @example const notes = await readJson(path, LARGEST, z.array(note), [], 'sessions');
 */
export async function readJson<T, Other>(
  path: string,
  most: number,
  schema: z.ZodType<T>,
  other: Other,
  room: string,
  links?: Links,
): Promise<T | Other> {
  const text = readText(path, most, links);
  return text.then((json): T | Other => schema.parse(JSON.parse(json))).catch(ifUnreadable(other, room));
}

/** The same at once, of a small file of ours. */
export function readJsonNow<T>(path: string, most: number, schema: z.ZodType<T>, other: T, room: string): T {
  return readOr(other, room, () => schema.parse(JSON.parse(readTextNow(path, most))));
}
