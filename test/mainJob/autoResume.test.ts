import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { crashingAfterSaves, fakePython } from '../fakePython.js';
import { test } from '../ownPlace.js';
import { isAlive, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';

/** The waits of 10, 20 and 40 s, and the limits of a standstill, made short. */
const short = { TRACKSIDE_AUTO_RESUME_DELAYS: '0.4,0.8,1.6' };
const slow = { ...short, PRACTICE_STEP_SECONDS: '0.05' };
const switchedOn = { ...quick, lora_name: 'cat', enable_monitoring: true, start: true };

const saved = (facts: SessionFacts) => (facts.progress.epoch ?? 0) >= 2 && (facts.progress.step ?? 0) > 12;

/** As if the pod had gone: the runner and its trainer are killed, and nobody writes how it ended. */
async function interrupt(place: TestSidecars, name = 'cat'): Promise<void> {
  const record = JSON.parse(readFileSync(join(place.outputs, name, 'attempt.json'), 'utf8'));
  for (const pid of [record.pid, record.trainer_pid]) process.kill(pid, 'SIGKILL');
  await until(
    () => isAlive(record.trainer_pid),
    (alive) => !alive,
  );
}

test.concurrent('an interrupted training that is switched on goes on by itself, and ends after exactly its epochs', async ({
  place,
}) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', switchedOn);
  await sidecar.until('cat', saved);
  await interrupt(place);
  const waits = await sidecar.until('cat', (facts) => facts.auto_resume.in_seconds !== null);
  expect(waits).toMatchObject({ status: 'stopped', interrupted: true, auto_resume: { will: true, tries: 0 } });
  const done = await sidecar.until('cat', (facts) => facts.status === 'completed');
  expect(done.attempts).toMatchObject([{ automatic: false }, { kind: 'resume', automatic: true }]);
  expect(done.progress).toMatchObject({ step: 40, epoch: 4 });
  expect(done.auto_resume).toMatchObject({ will: false, reason: null });
});

test.concurrent('it is off by default: an interrupted training waits for its owner', async ({ place }) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', { ...switchedOn, enable_monitoring: undefined });
  await sidecar.until('cat', saved);
  await interrupt(place);
  await sidecar.until('cat', (facts) => facts.interrupted);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(await sidecar.session('cat')).toMatchObject({
    attempts: [{ number: 1 }],
    next: 'resume',
    auto_resume: { on: false, in_seconds: null, reason: null },
  });
});

test.concurrent('after a restart of everything, what ran and is switched on resumes by itself; what was stopped does not', async ({
  place,
}) => {
  const before = await place.serve(slow);
  for (const lora_name of ['cat', 'dog', 'fox']) {
    await before.send('POST', 'sessions', {
      ...switchedOn,
      lora_name,
      max_train_epochs: 400,
      enable_monitoring: lora_name !== 'fox',
    });
  }
  for (const name of ['cat', 'dog', 'fox']) await before.until(name, saved, 40);
  await before.send('DELETE', 'sessions/dog/attempts/current');
  await before.until('dog', (facts) => facts.status === 'stopped');
  await before.kill();
  await interrupt(place, 'cat');
  await interrupt(place, 'fox');
  const after = await place.serve(slow);
  await after.until('cat', (facts) => facts.status === 'running' && facts.attempts.length === 2);
  for (const name of ['dog', 'fox']) expect((await after.session(name)).attempts).toHaveLength(1);
});

test.concurrent('two sidecars over one folder resume it once', async ({ place }) => {
  const one = await place.serve(slow);
  const two = await place.serve(slow);
  await one.send('POST', 'sessions', switchedOn);
  await two.until('cat', saved);
  await interrupt(place);
  await one.until('cat', (facts) => facts.status === 'completed');
  expect((await two.session('cat')).attempts.map(({ automatic }) => automatic)).toEqual([false, true]);
});

test.concurrent('the wait is shown, and “Cancel auto-resume” ends it; switched on again, it goes on', async ({
  place,
}) => {
  const sidecar = await place.serve({ ...slow, TRACKSIDE_AUTO_RESUME_DELAYS: '30' });
  await sidecar.send('POST', 'sessions', switchedOn);
  await sidecar.until('cat', saved);
  await interrupt(place);
  await sidecar.until('cat', (facts) => facts.auto_resume.in_seconds !== null);
  const page = await (await fetch(sidecar.url, { headers: { Accept: 'text/html' } })).text();
  expect(page).toMatch(/Auto-resume in \d+ s/);
  expect(page).toContain('Cancel auto-resume');
  await sidecar.send('PATCH', 'sessions/cat', { enable_monitoring: false });
  const off = await sidecar.until('cat', (facts) => facts.auto_resume.in_seconds === null);
  expect(off).toMatchObject({ attempts: [{ number: 1 }], settings: { enable_monitoring: false }, next: 'resume' });
  await sidecar.send('PATCH', 'sessions/cat', { enable_monitoring: true });
  await sidecar.until('cat', (facts) => (facts.auto_resume.in_seconds ?? 0) > 25);
  expect((await sidecar.send('PATCH', 'sessions/cat', { enable_monitoring: 'perhaps' })).status).toBe(422);
});

test.concurrent('a wait that a restart cut off begins anew, and is kept', async ({ place }) => {
  const before = await place.serve({ ...slow, TRACKSIDE_AUTO_RESUME_DELAYS: '30' });
  await before.send('POST', 'sessions', switchedOn);
  await before.until('cat', saved);
  await interrupt(place);
  await before.until('cat', (facts) => facts.auto_resume.in_seconds !== null);
  await before.kill();
  const after = await place.serve({ ...slow, TRACKSIDE_AUTO_RESUME_DELAYS: '2' });
  await after.until('cat', (facts) => facts.auto_resume.in_seconds === 2);
  const again = await after.until('cat', (facts) => facts.attempts.length === 2);
  expect(again.attempts[1]).toMatchObject({ kind: 'resume', automatic: true });
});

test.concurrent.for<[string, (sidecar: Sidecar, place: TestSidecars) => Promise<unknown>]>([
  ['Stop in the page', async (sidecar) => sidecar.send('DELETE', 'sessions/cat/attempts/current')],
  [
    'kill of what training.pid names',
    async (_, place) =>
      process.kill(Number(readFileSync(join(place.outputs, 'cat', 'training.pid'), 'utf8')), 'SIGTERM'),
  ],
  [
    'kill of the trainer',
    async (_, place) =>
      process.kill(JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8')).trainer_pid, 'SIGTERM'),
  ],
])('never after a stop by hand: %s', async ([_, stop], { place }) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', switchedOn);
  await sidecar.until('cat', saved);
  await stop(sidecar, place);
  await sidecar.until('cat', (facts) => facts.attempts[0]?.alive === false);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await sidecar.session('cat')).toMatchObject({ attempts: [{ number: 1 }], auto_resume: { will: false } });
});

test.concurrent('crashes without a new checkpoint: three automatic resumes, each after a longer wait, then a banner', async ({
  place,
}) => {
  // Each end another one: the same one twice is not tried again at all.
  const sidecar = await place.serve({ ...short, TRACKSIDE_PYTHON: crashingAfterSaves(place, 'other') });
  await sidecar.send('POST', 'sessions', switchedOn);
  const given = await sidecar.until('cat', (facts) => facts.auto_resume.reason !== null, 40);
  expect(given.status).toBe('failed');
  expect(given.attempts.map(({ automatic }) => automatic)).toEqual([false, true, true, true]);
  expect(given.auto_resume).toMatchObject({ on: true, will: false, tries: 3, in_seconds: null });
  expect(given.auto_resume.reason).toContain('3 times within 10 minutes without a new checkpoint');
  const waits = given.attempts.slice(1).map((attempt, index) => {
    return (Date.parse(attempt.started_at) - Date.parse(given.attempts[index]?.ended_at ?? '')) / 1000;
  });
  for (const [index, least] of [0.4, 0.8, 1.6].entries()) expect(waits[index]).toBeGreaterThanOrEqual(least);
  const page = await (await fetch(sidecar.url, { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('3 times within 10 minutes without a new checkpoint');
  await sidecar.kill();
  // Another start of Trackside does not begin to count anew.
  const after = await place.serve({ ...short, TRACKSIDE_PYTHON: crashingAfterSaves(place, 'other') });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect((await after.session('cat')).attempts).toHaveLength(4);
}, 90_000);

test.concurrent('the same crash twice without a new checkpoint is not tried a third time', async ({ place }) => {
  const sidecar = await place.serve({ ...short, TRACKSIDE_PYTHON: crashingAfterSaves(place, 'same') });
  await sidecar.send('POST', 'sessions', switchedOn);
  const given = await sidecar.until('cat', (facts) => facts.auto_resume.reason !== null, 40);
  expect(given.attempts.map(({ automatic }) => automatic)).toEqual([false, true]);
  expect(given.auto_resume.reason).toContain('twice in the same way');
});

test.concurrent.for<[string, string, string]>([
  [
    'a crash before anything was saved',
    `echo 'Traceback (most recent call last):
ValueError: at once' >&2; exit 1`,
    'no complete state folder',
  ],
  ['arguments that the trainer refuses', `echo 'x.py: error: unrecognized arguments: --y' >&2; exit 2`, 'same error'],
  ['no pictures', `echo 'ERROR No data found. Please verify arguments' >&2; exit 0`, 'same error'],
])('never after what would only repeat: %s', async ([_, script, reason], { place }) => {
  const sidecar = await place.serve({ ...short, TRACKSIDE_PYTHON: fakePython(place, script) });
  await sidecar.send('POST', 'sessions', switchedOn);
  const failed = await sidecar.until('cat', (facts) => facts.status === 'failed');
  expect(failed.auto_resume).toMatchObject({ on: true, will: false });
  expect(failed.auto_resume.reason).toContain(reason);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect((await sidecar.session('cat')).attempts).toHaveLength(1);
});

test.concurrent('a standstill is counted on by the next sidecar', async ({ place }) => {
  const frozen = { PRACTICE_STEP_SECONDS: '600', TRACKSIDE_STALL_SCALE: '0.01' };
  const first = await place.serve(frozen);
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  const path = join(place.outputs, 'cat', 'progress.json');
  const counted = () => JSON.parse(readFileSync(path, 'utf8')).still?.seconds ?? 0;
  await first.until('cat', (facts) => facts.attempts[0]?.alive === true);
  const before = await until(counted, (seconds) => seconds > 2);
  await first.kill();
  await place.serve(frozen);
  const next = await until(counted, (seconds) => seconds !== before);
  expect(next).toBeGreaterThan(before);
});

test.concurrent('what stands still is shown; only what is switched on is ended and resumed for it, and not twice in vain', async ({
  place,
}) => {
  const before = await place.serve(slow);
  await before.send('POST', 'sessions', switchedOn);
  await before.until('cat', saved);
  await before.kill();
  await interrupt(place);
  const frozen = { ...short, PRACTICE_STEP_SECONDS: '600', TRACKSIDE_STALL_SCALE: '0.002' };
  const sidecar = await place.serve(frozen);
  await sidecar.send('POST', 'sessions', { ...switchedOn, lora_name: 'dog', enable_monitoring: false });
  const dog = await sidecar.until('dog', (facts) => facts.stalled_seconds !== null, 30);
  expect(dog.attempts).toMatchObject([{ alive: true }]);
  const page = await (await fetch(sidecar.url, { headers: { Accept: 'text/html' } })).text();
  expect(page).toMatch(/no progress for \d+ s/);
  const cat = await sidecar.until(
    'cat',
    (facts) => facts.attempts.length === 3 && facts.stalled_seconds !== null && facts.attempts[2]?.alive === true,
    45,
  );
  expect(cat.attempts[1]?.reason).toMatch(/^It made no progress for \d+ s while training, so Trackside ended it\.$/);
  expect(cat.attempts[2]).toMatchObject({ kind: 'resume', automatic: true });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const left = await sidecar.session('cat');
  expect(left.attempts).toHaveLength(3);
  expect(left.attempts[2]).toMatchObject({ alive: true });
  expect((await sidecar.session('dog')).attempts).toMatchObject([{ alive: true }]);
}, 90_000);
