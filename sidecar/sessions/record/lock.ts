import { rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { check, lock } from 'proper-lockfile';
import { ended, ifUnreadable } from '../../caught.js';
import { Problem } from '../../problem.js';

const LOCK = 'ui_state.json.lock';
/** A holder renews its lock twice in this time; an older lock was left by a dead process. */
const STALE_MS = 5000;
const PATIENCE_MS = 7000;
/** The most time that counts between two looks: after more, this process was asleep. */
const MOST_A_LOOK_MS = 1000;

/**
 * Runs `work` while no other sidecar changes this session's state file or starts something in it. This guards only
 * against races between sidecars: the runner's kernel lock decides whether a trainer may start. Throws a Problem when
 * the session is gone, or locked for more than `patienceMs`.
 */
export async function withSessionLock<T>(folder: string, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const release = await take(folder, patienceMs).catch((error: NodeJS.ErrnoException) => {
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
    // One that we lost meanwhile cannot be let go of.
    await ended(release());
  }
}

/** Is a sidecar working on the session? */
export async function isSessionLocked(folder: string): Promise<boolean> {
  const lockfilePath = join(folder, LOCK);
  const isHeld = await check(folder, { stale: STALE_MS, lockfilePath }).catch(ifUnreadable(false, 'sessions'));
  return isHeld && !(await isAbandoned(lockfilePath));
}

async function take(folder: string, patienceMs: number): Promise<() => Promise<void>> {
  const lockfilePath = join(folder, LOCK);
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await lock(folder, { stale: STALE_MS, lockfilePath, onCompromised: () => {} });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (await isAbandoned(lockfilePath)) await ended(rmdir(lockfilePath));
      else if (performance.now() >= end) throw error;
    }
    await wait(25 + Math.random() * 50);
  }
}

/** By our own monotonic clock: after the wall clock was set back, a dead holder's lock has a time in the future. */
async function isAbandoned(lockfilePath: string): Promise<boolean> {
  const renewed = (await stat(lockfilePath).catch(ifUnreadable(null, 'sessions')))?.mtimeMs;
  if (renewed === undefined) {
    watched.delete(lockfilePath);
    return false;
  }
  const now = performance.now();
  const before = watched.get(lockfilePath);
  const since = before ? Math.min(now - before.lookedAt, MOST_A_LOOK_MS) : 0;
  const unchanged = before?.renewed === renewed ? before.unchanged + since : 0;
  watched.set(lockfilePath, { renewed, lookedAt: now, unchanged });
  return unchanged > STALE_MS;
}

const watched = new Map<string, { renewed: number; lookedAt: number; unchanged: number }>();
