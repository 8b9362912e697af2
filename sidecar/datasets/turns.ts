const waiting = new Map<string, Promise<unknown>>();

/** Runs work on the same key one after the other, in the order of the calls, within this process. */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = waiting.get(key);
  const mine = (async () => {
    await before?.catch(() => {});
    return work();
  })();
  waiting.set(key, mine);
  try {
    return await mine;
  } finally {
    if (waiting.get(key) === mine) waiting.delete(key);
  }
}

/** At most `limit` pieces of work at once; the others wait in order. */
export function gate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let free = limit;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((go) => queue.push(go));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free++;
    }
  };
}
