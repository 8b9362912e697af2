import { expect, test } from 'vitest';
import { measured } from './needs.js';
import { findAmongBroken } from './states.js';

test('of 2,000 cut, zeroed, half-deleted and half-overwritten state folders none is resumed from', async () => {
  let longest = 0;
  for (let round = 0; round < 10; round += 1) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    longest = Math.max(longest, await findAmongBroken(200, seed));
  }
  measured(
    2,
    `0 of 2000 broken state folders chosen; the whole one found behind 200 newer broken ones in ${longest.toFixed(2)} s`,
  );
  expect(longest).toBeLessThan(2);
});

test('behind 2,000 newer broken ones the whole one is found all the same', async () => {
  const seconds = await findAmongBroken(2000, 7);
  measured(2, `the whole one found behind 2000 newer broken ones in ${seconds.toFixed(2)} s`);
  expect(seconds).toBeLessThan(10);
});
