import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTestSidecars, type TestSidecars } from '../sidecar.js';
import { lacks } from './needs.js';
import { soak } from './soak.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

/** `SOAK_SECONDS=1200 SOAK_SEED=7` makes it the long one: `npm run soak`. Only that one asks for what needs root. */
const long = process.env.SOAK_SECONDS !== undefined;
const seconds = Number(process.env.SOAK_SECONDS ?? 12);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);
const extras = {
  clock: !lacks('gcc'),
  disk: long && !lacks('mounting (root)'),
  pods: long && !lacks('PID namespaces (root)'),
};

test(`${seconds} s of all faults at random (seed ${seed}): no unplanned exit, no torn file, no lie`, {
  timeout: (seconds + 300) * 1000,
}, async () => {
  const { actions, completed, ...trouble } = await soak(place, seed, seconds, extras).catch((error) => {
    console.error(`Soak with seed ${seed} broke off:`, error);
    throw error;
  });
  console.log(`Soak of ${seconds} s, seed ${seed}: ${JSON.stringify(actions)}, ${completed} of 3 completed.`);
  expect(trouble).toEqual({ seed, seconds, exits: [], torn: [], lies: [] });
  expect(completed).toBe(3);
});
