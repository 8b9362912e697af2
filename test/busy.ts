/**
 * A promise of so many seconds is held here to three times as many: other tests, and whatever else a machine does, run beside
 * this one, and no test fails for being slow. `npm run bench` and `npm run faults` measure the promises themselves.
 */
export const BUSY = 3;
