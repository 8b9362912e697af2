import { afterAll, test } from 'vitest';
import { draftOfThree, trainSweep } from '../sessions/versions/trainSweep.js';
import { makeTestSidecars } from '../sidecar.js';

const place = makeTestSidecars();
afterAll(() => place.leave());

test('three learning rates × two ranks are six versions, trained one after the other, with a matrix and a blind vote', async () => {
  const sidecar = await place.serve();
  await draftOfThree(place, sidecar);
  await trainSweep(place, sidecar, { learning_rate: ['1e-4', '8e-4', '4e-3'], network_dim: [2, 4] });
}, 400_000);
