import { join } from 'node:path';
import { isLockHeld, takeLock } from '../../files/lock.js';
import { Problem } from '../../problem.js';

const LOCK = 'ui_state.json.lock';
const PATIENCE_MS = 7000;

/**
 * Runs `work` while no other sidecar changes this session's state file or starts something in it. This guards only
 * against races between sidecars: the runner's kernel lock decides whether a trainer may start. Throws a Problem when
 * the session is gone, or locked for more than `patienceMs`.
 */
export async function withSessionLock<T>(folder: string, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const release = await takeLock(join(folder, LOCK), { patienceMs }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      throw new Problem('no_session', 'This session is gone: its folder was deleted or moved.', { about: 'sessions' });
    }
    if (error.code === 'ELOCKED') {
      throw new Problem(
        'busy_session',
        'Another Trackside is working on this session right now. Try again in a moment.',
      );
    }
    throw error;
  });
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Is a sidecar working on the session? */
export function isSessionLocked(folder: string): Promise<boolean> {
  return isLockHeld(join(folder, LOCK));
}
