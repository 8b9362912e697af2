import { Problem } from '../problem.js';

/** Runs a write, and says in words what the disk said in codes. `what` is the file that was to be saved. */
export async function storing<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOSPC':
      case 'EDQUOT':
        throw new Problem(
          'disk_full',
          507,
          `The disk is full: ${what} was not saved; everything else is as it was. Free some space and try again.`,
        );
      case 'EROFS':
      case 'EACCES':
      case 'EPERM':
        throw new Problem(
          'not_writable',
          500,
          `The datasets folder can't be written here: ${what} was not saved. Check its owner and that the disk is not read-only.`,
        );
      default:
        throw error;
    }
  }
}
