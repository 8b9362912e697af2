import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import { makeTestSidecars, type Sidecar, type TestSidecars } from '../../sidecar.js';
import { draftOfThree, trainSweep } from './trainSweep.js';

let place: TestSidecars;
let sidecar: Sidecar;
beforeAll(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve();
  await draftOfThree(place, sidecar);
});
afterAll(() => place.leave());

// Six of them: npm run faults -- sweeps
test('learning rates × a rank are versions, trained one after the other, with a matrix and a blind vote', async () => {
  await trainSweep(place, sidecar, { learning_rate: ['1e-4', '4e-3'], network_dim: [4] });
}, 120_000);

test('a sweep that a training would refuse makes nothing, and says which value', async () => {
  const before = (await sidecar.get<SessionFacts[]>('sessions')).length;
  const refused = async (values: object) =>
    (await sidecar.send('POST', 'sweeps', { session: 'cat', values })).body.error;
  expect((await refused({ learning_rate: ['1e-4', 'fast'] })).message).toContain('lr fast');
  expect((await refused({ seed: Array.from({ length: 40 }, (_, at) => at) })).message).toContain('at most 36');
  expect((await refused({})).message).toContain('Choose a field');
  expect((await refused({ lora_name: ['../x', 'y'] })).message).toContain('the same for all');
  expect((await refused({ 'arguments.output_dir': ['/etc'] })).message).toContain('set by Trackside');
  expect(await sidecar.get<SessionFacts[]>('sessions')).toHaveLength(before);
  expect((await sidecar.send('POST', 'sweeps', { values: { seed: [1] } })).status).toBe(422);
});
