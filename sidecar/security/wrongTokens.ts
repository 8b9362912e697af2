const MOST = 10;
const WITHIN_MS = 60_000;

/**
 * Limits wrong tokens to ten a minute from the whole world: behind a pod's proxy everybody has the same address, and on an
 * open port a header can claim any. The right token and existing logins are never counted or refused, so that guessing can't
 * lock the owner out; the length of the token makes guessing hopeless. `now` is a monotonic clock in ms.
 */
export function createWrongTokens(now: () => number = () => performance.now()) {
  let answered: number[] = [];
  return {
    /** Counts a wrong token. Returns null within the limit; else the seconds until the next one is answered. */
    another(): number | null {
      const at = now();
      answered = answered.filter((each) => at - each < WITHIN_MS);
      const [first] = answered;
      if (first !== undefined && answered.length >= MOST) return Math.ceil((first + WITHIN_MS - at) / 1000);
      answered.push(at);
      return null;
    },
  };
}
