import { basename } from 'node:path';
import { diskErrorCode } from '../files/diskError.js';
import { tellWrite } from '../files/wholeFile.js';
import { Problem } from '../problem.js';

/** Runs a write, and turns the disk's error codes into Problems. `path`: the file to be saved. */
export async function withDiskWords<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const code = diskErrorCode(error);
    if (code) tellWrite(path, error as NodeJS.ErrnoException);
    const full = `The disk is full: ${basename(path)} was not saved. Free some space and try again.`;
    const closed = `Trackside can't write to the datasets folder: ${basename(path)} was not saved. Check the folder's owner, and that the disk is not read-only.`;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new Problem('disk_full', full);
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') throw new Problem('not_writable', closed);
    throw error;
  }
}

/** Tells the disk's problems, which the next file meets too, from those of one file. */
export function isDiskProblem({ code }: Problem): boolean {
  return code === 'disk_full' || code === 'not_writable';
}

/** Bytes left free for other writers, above all a training's checkpoints. */
export const SPARE_DISK = 1_000_000_000;
