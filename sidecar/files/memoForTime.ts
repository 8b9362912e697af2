import { Lru } from './lru.js';

/**
 * Remembers what was answered for a key for so many milliseconds since it was asked: whoever asks meanwhile shares the answer,
 * a promise too. `anew` asks again at once.
 */
export function memoForTime<Answer>(milliseconds: number) {
  const known = new Lru<{ at: number; answer: Answer }>(1000);
  return (key: string, ask: () => Answer, anew = false): Answer => {
    const at = performance.now();
    const before = known.get(key);
    if (before && !anew && at - before.at <= milliseconds) return before.answer;
    const answer = ask();
    known.set(key, { at, answer });
    return answer;
  };
}
