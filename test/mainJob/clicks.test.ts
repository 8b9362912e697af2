import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import { isAlive, makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('forty clicks on Start, in two sidecars over one folder: one training, and every refusal within 2 s', async () => {
  const environment = { PRACTICE_STEP_SECONDS: '0.05' };
  const [one, two] = await Promise.all([place.serve(environment), place.serve(environment)]);
  await one.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 50 });
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const begun = performance.now();
      const { status, body } = await (index % 2 ? two : one).send('POST', 'sessions/cat/attempts', { kind: 'start' });
      return { status, words: status === 409 ? body.error.message : null, ms: performance.now() - begun };
    }),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(39).fill(409)]);
  const refusals = answers.filter(({ status }) => status === 409);
  expect(Math.max(...refusals.map(({ ms }) => ms))).toBeLessThan(2000 * BUSY);
  for (const { words } of refusals) expect(words).toContain('cat is already training');
  const { trainer_pid } = JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));
  expect(isAlive(trainer_pid)).toBe(true);
  expect((await two.session('cat')).attempts).toHaveLength(1);
});
