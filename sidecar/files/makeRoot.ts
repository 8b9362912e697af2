import { mkdir, opendir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes the root of outputs or datasets where there is none, and its parents, and looks whether it can be listed. Throws the
 * file system's error. Node's own `recursive` tries for ever where a parent is there and takes no folders: in /proc, or
 * behind a dangling link.
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
    // The parent is there now: what is missing all the same can't be made.
    await mkdir(path);
  }
}
