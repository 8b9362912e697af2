import { mkdir, opendir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes the root of outputs or datasets and its parents, and checks that it can be listed. Throws the file system's error.
 * Node's own `recursive` loops for ever if a parent exists but takes no folders: in /proc, or behind a dangling link.
 */
export async function makeRoot(path: string): Promise<void> {
  await make(path);
  await (await opendir(path)).close();
}

async function make(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await make(dirname(path));
    // The parent exists now: a second ENOENT means that the folder can't be made.
    await mkdir(path);
  }
}
