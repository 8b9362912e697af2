import { afterEach, beforeEach, test } from 'vitest';
import { makeTestSidecars, type TestSidecars } from '../sidecar.js';
import { median, residentMb, tell } from './figures.js';
import { addSteps, longTraining } from './longTraining.js';

const STEPS = 200_000;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('charts of a million values', async () => {
  const folder = longTraining(place.outputs, 'long', STEPS);
  const sidecar = await place.serve();
  await sidecar.session('long');
  const before = residentMb(sidecar.pid);
  const ask = async (query = '') => {
    const begun = performance.now();
    await sidecar.get(`sessions/long/charts?points=1000&smooth=0.9${query}`);
    return performance.now() - begun;
  };
  tell(
    'an event file of 1,000,000 values: its five charts over HTTP',
    '≤ 1 s',
    `${((await ask()) / 1000).toFixed(2)} s`,
  );
  const again: number[] = [];
  const zoomed: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    addSteps(folder, STEPS + round * 10 + 1, STEPS + round * 10 + 10);
    again.push(await ask());
    zoomed.push(await ask('&from=100000&to=101000&tags=loss/current'));
  }
  tell('1,000,000 values: all charts after 10 more steps', '–', `${median(again).toFixed(0)} ms`);
  tell('1,000,000 values: a zoom into one chart', '–', `${median(zoomed).toFixed(0)} ms`);
  tell('1,000,000 values: memory more than before', '–', `+${(residentMb(sidecar.pid) - before).toFixed(0)} MB`);
});
