import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ifUnreadable } from '../caught.js';

/** Which file this is and which content it had: inode, time of change in ms, size in bytes. Compared, never read. */
export function signatureOf({ ino, mtimeMs, size }: Stats): string {
  return `${ino}:${mtimeMs}:${size}`;
}

/** That of the file of a name; '' where there is none, or it can't be asked, which `room` logs. */
export async function signatureAt(path: string, room: string): Promise<string> {
  const stats = await stat(path).catch(ifUnreadable(null, room));
  return stats?.isFile() ? signatureOf(stats) : '';
}
