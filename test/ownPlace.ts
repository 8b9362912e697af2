import { test as plain } from 'vitest';
import { makeTestSidecars, type TestSidecars } from './sidecar.js';

/**
 * A test with a place of its own, so that several may run beside each other (`test.concurrent`): most of their time they wait
 * for processes.
 *
 * @example test.concurrent('a start is answered', async ({ place }) => { const sidecar = await place.serve(); … });
 */
export const test = plain.extend<{ place: TestSidecars }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which other fixtures this one needs
  place: async ({}, use) => {
    const place = makeTestSidecars();
    await use(place);
    await place.leave();
  },
});
