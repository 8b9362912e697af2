import { ended } from '../caught.js';

const waiting = new Map<string, Promise<unknown>>();

/** Runs the work of one key one after the other, in the order of the calls, within this process. */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = waiting.get(key);
  const mine = (async () => {
    await ended(before);
    return work();
  })();
  waiting.set(key, mine);
  try {
    return await mine;
  } finally {
    if (waiting.get(key) === mine) waiting.delete(key);
  }
}

/** Runs at most `limit` pieces of work at once; the others wait in order, until their signal cancels them. */
export function semaphore(limit: number): <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  const queue: (() => void)[] = [];
  let free = limit;
  return async (work, signal) => {
    signal?.throwIfAborted();
    if (free > 0) free--;
    else
      await new Promise<void>((go, leave) => {
        queue.push(go);
        signal?.addEventListener('abort', () => {
          const at = queue.indexOf(go);
          if (at === -1) return;
          queue.splice(at, 1);
          leave(signal.reason);
        });
      });
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free++;
    }
  };
}
