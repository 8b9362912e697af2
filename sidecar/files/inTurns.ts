import { setImmediate as letOthers } from 'node:timers/promises';

const TURN_MS = 20;

/** Takes a walk to its end, and returns what it found. Whenever it has taken 20 ms, everything else has its turn. */
export async function inTurns<T>(walk: Generator<void, T>): Promise<T> {
  for (;;) {
    const until = performance.now() + TURN_MS;
    while (performance.now() < until) {
      const step = walk.next();
      if (step.done) return step.value;
    }
    await letOthers();
  }
}

/** The same without a pause, for what is small. */
export function atOnce<T>(walk: Generator<void, T>): T {
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
  }
}
