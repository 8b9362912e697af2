const MOST = 10;
const WITHIN_MS = 60_000;

/**
 * Ten wrong tokens a minute are answered, from all the world together: behind a pod's proxy everybody has the same
 * address, and on an open port a header can claim any. A right token and a login that is there are never counted or
 * refused, so that nobody can lock the owner out by guessing; that guessing is hopeless is the token's own strength.
 * `now` is a monotonic clock in ms.
 */
export function createWrongTokens(now: () => number = () => performance.now()) {
  let answered: number[] = [];
  return {
    /** Notes a wrong token. Null where it is to be answered; else how many seconds the next has to wait for that. */
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
