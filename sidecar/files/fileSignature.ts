import type { Stats } from 'node:fs';

/** Which file this is and which content it had: inode, time of change in ms, size in bytes. Compared, never read. */
export function signatureOf({ ino, mtimeMs, size }: Stats): string {
  return `${ino}:${mtimeMs}:${size}`;
}
