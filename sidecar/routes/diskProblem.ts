import { diskErrorCode } from '../files/diskError.js';
import { Problem } from '../problem.js';

/** Makes a Problem of an error of a full, read-only or broken disk; null of every other error. */
export function diskProblem(error: unknown): Problem | null {
  const code = diskErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Problem('disk_full', 'The disk is full, so this could not be saved. Free some space and try again.');
  }
  if (code === 'EIO' || code === 'ESTALE' || code === 'ENXIO') {
    const message = `The disk reports an error (${code}), so this could not be saved. Copy your checkpoints to another disk, then try again.`;
    return new Problem('disk_error', message);
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    const what = (error as NodeJS.ErrnoException).path ?? 'A file or a folder';
    const why =
      code === 'EROFS' ? 'is on a read-only disk' : 'can’t be read or written by the user that Trackside runs as';
    return new Problem('read_only', `${what} ${why} (${code}).`);
  }
  return null;
}
