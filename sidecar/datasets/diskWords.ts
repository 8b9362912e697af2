import { basename } from 'node:path';
import { diskErrorCode } from '../files/diskError.js';
import { tellWrite } from '../files/wholeFile.js';
import { Problem } from '../problem.js';

/** Runs a write, and says in words what the disk said in codes. `path` is the file that was to be saved. */
export async function withDiskWords<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const code = diskErrorCode(error);
    if (code) tellWrite(path, error as NodeJS.ErrnoException);
    switch (code) {
      case 'ENOSPC':
      case 'EDQUOT':
        throw new Problem(
          'disk_full',
          `The disk is full: ${basename(path)} was not saved; everything else is as it was. Free some space and try again.`,
        );
      case 'EROFS':
      case 'EACCES':
      case 'EPERM':
        throw new Problem(
          'not_writable',
          `The datasets folder can't be written here: ${basename(path)} was not saved. Check its owner and that the disk is not read-only.`,
        );
      default:
        throw error;
    }
  }
}

/** The disk's fault, which the next file meets too; not the file's. */
export function isDiskProblem({ code }: Problem): boolean {
  return code === 'disk_full' || code === 'not_writable';
}

/** Left free for everything else that writes to the disk, a training's checkpoints above all. Bytes. */
export const SPARE_DISK = 1_000_000_000;
