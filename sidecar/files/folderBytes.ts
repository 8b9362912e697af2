import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';

/** Bytes of a file, or of all files below a folder. Follows no link. 0 where nothing is. */
export async function folderBytes(path: string): Promise<number> {
  const stats = await lstat(path).catch(ifUnreadable(null, 'files'));
  if (!stats?.isDirectory()) return stats?.isFile() ? stats.size : 0;
  let bytes = 0;
  for (const name of await readdir(path).catch(ifUnreadable([], 'files'))) bytes += await folderBytes(join(path, name));
  return bytes;
}

/** Is it a file or a folder itself, and no link to one? */
export async function isItself(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(ifUnreadable(null, 'files'));
  return stats !== null && (stats.isDirectory() || stats.isFile());
}
