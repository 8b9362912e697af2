import { readdir } from 'node:fs/promises';
import { ifUnreadable } from '../caught.js';

/** The names of the folders in a folder, without links to some; none where it can't be read, which `room` logs. */
export async function foldersIn(folder: string, room: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifUnreadable([], room));
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
