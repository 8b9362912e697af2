/** A session of the queue that waits for its turn. */
export type Waiting = {
  name: string;
  /** GPUs by index; `any` one that is free; `none`: it uses none; `refused`: nothing would be enough, as its start will say. */
  wants: readonly number[] | 'any' | 'none' | 'refused';
};

/** What is taken, with the reason in words. */
export type Taken = {
  /** The GPUs of this machine by index, in order. */
  gpus: readonly number[];
  busy: ReadonlyMap<number, string>;
  /** For trainings that use no GPU, of which one runs at a time; null when it is free. */
  withoutGpu: string | null;
  /** Why no GPU can be told free or taken; null when that is known. */
  unknown: string | null;
};

/** `gpus` as in the settings: to be started now. `waits`: for what, in words. */
export type Turn = { name: string; gpus: string } | { name: string; waits: string };

/**
 * Whose turn it is. Pure. Each GPU has a queue, and a session that asks for no GPU by its number stands in all of them. Who
 * waits for several keeps them from those behind it: it would otherwise never get them together.
 *
 * @param waiting in the queue's order
 */
export function planTurns(waiting: readonly Waiting[], taken: Taken): Turn[] {
  const busy = new Map(taken.busy);
  let { withoutGpu } = taken;
  return waiting.map(({ name, wants }): Turn => {
    if (wants === 'refused') return { name, gpus: '' };
    if (wants === 'none') {
      if (withoutGpu !== null) return { name, waits: withoutGpu };
      withoutGpu = `${name} is ahead of it.`;
      return { name, gpus: '' };
    }
    if (taken.unknown !== null) return { name, waits: taken.unknown };
    const wanted = wants === 'any' ? taken.gpus.filter((index) => !busy.has(index)).slice(0, 1) : wants;
    const inTheWay = wanted.find((index) => busy.has(index));
    const waits = inTheWay === undefined ? null : (busy.get(inTheWay) ?? '');
    for (const index of wanted) if (!busy.has(index)) busy.set(index, `GPU ${index}: ${name} is ahead of it.`);
    if (wanted.length === 0) return { name, waits: noneFree(taken.gpus, busy) };
    return waits === null ? { name, gpus: wanted.join(',') } : { name, waits };
  });
}

function noneFree(gpus: readonly number[], busy: ReadonlyMap<number, string>): string {
  const reasons = [...new Set(gpus.map((index) => busy.get(index) ?? ''))];
  return reasons.length === 1 ? (reasons[0] ?? '') : `All ${gpus.length} GPUs are taken. ${reasons.join(' ')}`;
}
