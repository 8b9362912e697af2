import { closeSync, openSync, writeSync } from 'node:fs';

/** Fills the disk of a file: to the last byte, and again for what is freed meanwhile. */
export function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const size of [1024 * 1024, 4096, 1]) {
    for (;;) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
  closeSync(file);
}
