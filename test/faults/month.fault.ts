import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trainModel } from '../bench/manySessions.js';
import { exampleDataset, makeTestSidecars } from '../sidecar.js';
import { liveAMonth } from './month.js';

test('a month of 300 sessions on a disk that fills: all weights stay, what can be resumed can, each removal is in the record', async () => {
  const place = makeTestSidecars();
  try {
    cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
    const { removed, fullest, limit } = await liveAMonth(place, await trainModel(place), 10);
    expect(fullest).toBeLessThan(limit);
    console.log(`${removed} removals; at most ${Math.round((100 * fullest) / limit)} % of the limit`);
  } finally {
    await place.leave();
  }
});
