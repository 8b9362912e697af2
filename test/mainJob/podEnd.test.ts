import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars } from '../sidecar.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

const slow = { PRACTICE_STEP_SECONDS: '0.05', TRACKSIDE_AUTO_RESUME_DELAYS: '0.4,0.8,1.6' };
const attempt = () => JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));

async function train(): Promise<Sidecar> {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', {
    ...quick,
    ...{ lora_name: 'cat', max_train_epochs: 40, enable_monitoring: true, start: true },
  });
  await sidecar.until('cat', (facts) => (facts.progress.epoch ?? 0) >= 2 && (facts.progress.step ?? 0) > 12);
  return sidecar;
}

test('a pod that is shut down tells everything in it to end: interrupted, and resumed by itself in the next one', async () => {
  const before = await train();
  const { pid, trainer_pid } = attempt();
  for (const each of [pid, trainer_pid]) process.kill(each, 'SIGTERM');
  await before.kill('SIGTERM');
  const after = await place.serve(slow);
  const resumed = await after.until('cat', (facts) => facts.attempts.length === 2 && facts.status === 'running');
  expect(resumed.attempts).toMatchObject([
    { reason: 'The pod was shut down during the training.' },
    { kind: 'resume', automatic: true },
  ]);
});

test('also when it was already told as stopped by hand, a moment before the sidecar was told to end', async () => {
  const before = await train();
  process.kill(attempt().pid, 'SIGTERM');
  await before.until('cat', (facts) => facts.status === 'stopped' && !facts.interrupted);
  await before.kill('SIGTERM');
  const after = await place.serve(slow);
  const resumed = await after.until('cat', (facts) => facts.attempts.length === 2 && facts.status === 'running');
  expect(resumed.attempts[0]?.reason).toBe('The pod was shut down during the training.');
});

test('kill $(cat training.pid) alone is a stop by hand, and stays one after a restart of the sidecar', async () => {
  const before = await train();
  process.kill(attempt().pid, 'SIGTERM');
  const stopped = await before.until('cat', (facts) => facts.status === 'stopped');
  expect(stopped).toMatchObject({ interrupted: false, reason: 'Stopped by SIGTERM, sent to its process.' });
  expect(attempt().stop_sender).toBe(process.pid);
  await before.kill('SIGKILL');
  const after = await place.serve(slow);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await after.session('cat')).toMatchObject({ interrupted: false, attempts: [{ number: 1 }] });
});
