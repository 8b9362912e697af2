import { mkdir, rmdir, rmdirSync, stat, utimes } from 'node:fs';
import { realpath, rmdir as removeFolder, stat as statLater } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { check, lock } from 'proper-lockfile';
import { ended, ifUnreadable } from '../caught.js';
import { semaphore } from './queue.js';

/** A holder renews its lock twice in this time; an older lock was left by a dead process. */
const STALE_MS = 5000;
/** The most time that counts between two looks: after more, this process was asleep. */
const MOST_A_LOOK_MS = 1000;

export type LockOptions = {
  /** The longest wait for a holder; 0 for one try. */
  patienceMs?: number;
  /** Called once if another process takes the lock away: it found no sign of life of ours for long enough. */
  onLost?(): void;
};

/**
 * Takes a lock between all Tracksides that see the folder of `path`, and within this process. `path` is the lock itself: an
 * empty folder while it is held. Resolves to the function that gives it back, which never rejects. Throws `ELOCKED` when it
 * stays taken, `ENOENT` without the folder that it lies in.
 *
 * The library's table is keyed by file, and breaks when one process locks a key twice: its timer then throws, or one lock is
 * never renewed. So each lock is a key of its own, and who waits in this process waits in ours.
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { patienceMs = 0, onLost = () => {} } = options;
  const key = await keyOf(path);
  const end = performance.now() + patienceMs;
  const leave = await enter(key, patienceMs);
  try {
    return await takeFrom(key, end, onLost, leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Does anybody hold the lock? A dead holder's counts for some seconds. */
export async function isLockHeld(path: string): Promise<boolean> {
  const key = await keyOf(path).catch(ifUnreadable(path, 'files'));
  const isThere = await check(key, { ...ofItself(key), stale: STALE_MS }).catch(ifUnreadable(false, 'files'));
  return isThere && !(await isAbandoned(key));
}

/** One name for each lock, whatever links lead to its folder. */
async function keyOf(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path));
}

function ofItself(key: string) {
  return { lockfilePath: key, realpath: false } as const;
}

/** The locks that this process holds or waits for. */
const doors = new Map<string, { pass: ReturnType<typeof semaphore>; inside: number }>();

/** Waits until nobody else in this process has the lock. Returns the function that lets the next one in. */
async function enter(key: string, patienceMs: number): Promise<() => void> {
  const door = doors.get(key) ?? { pass: semaphore(1), inside: 0 };
  doors.set(key, door);
  door.inside += 1;
  const forget = () => {
    door.inside -= 1;
    if (door.inside === 0) doors.delete(key);
  };
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), patienceMs);
  return new Promise((resolve, reject) => {
    const stay = () =>
      new Promise<void>((leave) => {
        clearTimeout(timer);
        resolve(leave);
      });
    door.pass(stay, patience.signal).then(forget, (cause: unknown) => {
      forget();
      reject(Object.assign(new Error(`${key} is locked by this process.`, { cause }), { code: 'ELOCKED' }));
    });
  });
}

async function takeFrom(key: string, end: number, onLost: () => void, leave: () => void) {
  for (;;) {
    const { guarded, close } = untilClosed();
    try {
      const release = await lock(key, {
        ...ofItself(key),
        stale: STALE_MS,
        fs: guarded,
        onCompromised: () => {
          if (close()) onLost();
        },
      });
      return async () => {
        // One that was lost meanwhile is another's now.
        if (close()) await ended(release());
        leave();
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (await isAbandoned(key)) await ended(removeFolder(key));
      else if (performance.now() >= end) throw error;
    }
    await wait(25 + Math.random() * 50);
  }
}

/**
 * The file system for one lock. Once that is given back, a renewal under way hears no answer: the library would look for the
 * lock in its table, and throw in a callback. `close` is true for its first call.
 */
function untilClosed() {
  let closed = false;
  const whileOpen =
    (answer: (...told: unknown[]) => void) =>
    (...told: unknown[]) => {
      if (!closed) answer(...told);
    };
  const guarded = {
    mkdir,
    rmdir,
    rmdirSync,
    stat: (path: string, answer: () => void) => stat(path, whileOpen(answer)),
    utimes: (path: string, a: Date, m: Date, answer: () => void) => utimes(path, a, m, whileOpen(answer)),
  };
  return {
    guarded,
    close(): boolean {
      const first = !closed;
      closed = true;
      return first;
    },
  };
}

/** By our own monotonic clock: after the wall clock was set back, a dead holder's lock has a time in the future. */
async function isAbandoned(key: string): Promise<boolean> {
  const renewed = (await statLater(key).catch(ifUnreadable(null, 'files')))?.mtimeMs;
  if (renewed === undefined) {
    watched.delete(key);
    return false;
  }
  const now = performance.now();
  const before = watched.get(key);
  const since = before ? Math.min(now - before.lookedAt, MOST_A_LOOK_MS) : 0;
  const unchanged = before?.renewed === renewed ? before.unchanged + since : 0;
  watched.set(key, { renewed, lookedAt: now, unchanged });
  return unchanged > STALE_MS;
}

const watched = new Map<string, { renewed: number; lookedAt: number; unchanged: number }>();
