import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { BUSY } from '../busy.js';
import { test } from '../ownPlace.js';
import { isAlive, quick, type TestSidecars, until } from '../sidecar.js';

const slow = { PRACTICE_STEP_SECONDS: '0.05' };
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const attemptOf = (place: TestSidecars, name: string) => JSON.parse(read(place.outputs, name, 'attempt.json'));

// Alone, for it holds a clock of two seconds.
test('kill -9 of the sidecar: the trainer keeps its PID, the next sidecar shows its step, and no log line is lost', async ({
  place,
}) => {
  const first = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 12, start: true });
  await first.until('cat', (facts) => (facts.progress.step ?? 0) >= 5);
  const { trainer_pid: trainer } = attemptOf(place, 'cat');
  await first.kill('SIGKILL');
  expect(isAlive(trainer)).toBe(true);
  const before = read(place.outputs, 'cat', 'training.log').length;
  await until(
    () => read(place.outputs, 'cat', 'training.log').length,
    (length) => length > before,
  );

  const started = performance.now();
  const second = await place.serve(slow);
  const [shown] = await second.get<SessionFacts[]>('sessions');
  expect(performance.now() - started).toBeLessThan(2000 * BUSY);
  expect(shown).toMatchObject({ name: 'cat', status: 'running' });
  expect(shown?.progress.step).toBeGreaterThanOrEqual(5);
  expect(attemptOf(place, 'cat').trainer_pid).toBe(trainer);

  const ended = await second.until('cat', (facts) => facts.status === 'completed');
  expect(ended.progress).toMatchObject({ step: 120, total_steps: 120, epoch: 12, percent: 100 });
  const steps = [...read(place.outputs, 'cat', 'training.log').matchAll(/(\d+)\/120 \[/g)].map(([, step]) =>
    Number(step),
  );
  expect([...new Set(steps)]).toEqual(Array.from({ length: 121 }, (_, step) => step));
});

test.concurrent('SIGKILL to trainer and runner, twice: interrupted, resumed at the right epoch and step, and exactly the epochs asked for', async ({
  place,
}) => {
  const sidecar = await place.serve(slow);
  const epochs = 6;
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: epochs, start: true });
  for (const deadly of [1, 3]) {
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) >= deadly * 10 + 4);
    const { pid, trainer_pid } = attemptOf(place, 'cat');
    process.kill(pid, 'SIGKILL');
    process.kill(trainer_pid, 'SIGKILL');
    const dead = await sidecar.until('cat', (facts) => facts.status === 'stopped');
    expect(dead).toMatchObject({ interrupted: true, next: 'resume' });
    expect(dead.resume).toMatchObject({ epoch: deadly, step: deadly * 10, first_epoch: deadly + 1 });
    expect(dead.resume?.lost_steps).toBeGreaterThanOrEqual(4);
    const resumed = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
    expect(resumed.status).toBe(201);
    expect(resumed.body).toMatchObject({ kind: 'resume', first_epoch: deadly + 1, step_offset: deadly * 10 });
    expect(resumed.body.session.progress.step).toBeGreaterThanOrEqual(deadly * 10);
    expect(resumed.body.session.progress.step).toBeLessThan(deadly * 10 + 10);
  }
  const done = await sidecar.until('cat', (facts) => facts.status === 'completed');
  expect(done.progress).toMatchObject({ step: 60, total_steps: 60, epoch: 6 });
  const log = read(place.outputs, 'cat', 'training.log');
  const begun = [...log.matchAll(/^epoch (\d+)\/6$/gm)].map(([, epoch]) => Number(epoch));
  expect(begun).toEqual([1, 2, 2, 3, 4, 4, 5, 6]);
  expect(done.attempts.map(({ kind, first_epoch }) => [kind, first_epoch])).toEqual([
    ['start', 1],
    ['resume', 2],
    ['resume', 4],
  ]);
});

test.concurrent('SIGKILL in the middle of saving a state: that folder is passed over with its reason, the one before is used', async ({
  place,
}) => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.02', PRACTICE_SAVE_SECONDS: '1' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  const folder = join(place.outputs, 'cat', 'cat-000002-state');
  await until(
    () => existsSync(join(folder, 'optimizer.bin')),
    (there) => there,
  );
  const { pid, trainer_pid } = attemptOf(place, 'cat');
  process.kill(pid, 'SIGKILL');
  process.kill(trainer_pid, 'SIGKILL');
  const dead = await sidecar.until('cat', (facts) => facts.status === 'stopped');
  expect(dead.resume).toMatchObject({ state: 'cat-000001-state', first_epoch: 2, step: 10 });
  expect(dead.resume?.passed_over).toEqual([
    { state: 'cat-000002-state', path: 'cat-000002-state', reason: expect.stringMatching(/\.(bin|pkl|safetensors)/) },
  ]);
  const states = await sidecar.states('cat');
  expect(states.map(({ name, complete }) => [name, complete])).toEqual([
    ['cat-000002-state', false],
    ['cat-000001-state', true],
  ]);
});

test.concurrent('a state folder that is cut short afterwards is seen at once', async ({ place }) => {
  const sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => facts.status === 'completed');
  truncateSync(join(place.outputs, 'cat', 'cat-000003-state', 'optimizer.bin'), 100);
  const cut = (await sidecar.states('cat')).find(({ name }) => name === 'cat-000003-state');
  expect(cut).toMatchObject({ complete: false, reason: expect.stringContaining('optimizer.bin') });
});

test.concurrent('stop, resume, stop, resume: nothing of an attempt is left each time, and the run completes', async ({
  place,
}) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 5, start: true });
  for (const step of [14, 33]) {
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) >= step);
    const { pid, trainer_pid } = attemptOf(place, 'cat');
    const stopping = await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    expect(stopping).toMatchObject({ status: 202, body: { status: expect.stringMatching(/stopping|stopped/) } });
    const stopped = await sidecar.until('cat', (facts) => facts.status === 'stopped');
    expect(stopped).toMatchObject({ interrupted: false, stopped_by: 'you', reason: 'Stopped by you.', next: 'resume' });
    expect([isAlive(pid), isAlive(trainer_pid)]).toEqual([false, false]);
    expect(existsSync(join(place.outputs, 'cat', 'training.pid'))).toBe(false);
    await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  }
  await sidecar.until('cat', (facts) => facts.status === 'completed');
});

test.concurrent('a stop right after a resume ends what was resumed, not what was stopped before', async ({ place }) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 60, start: true });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 12);
  for (let again = 0; again < 3; again += 1) {
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    await sidecar.until('cat', (facts) => facts.status === 'stopped', 10);
    await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  }
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', (facts) => facts.status === 'stopped', 10);
});

test.concurrent('stop after the next checkpoint loses no step', async ({ place }) => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.5' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) >= 3);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current?when=after-save');
  const stopped = await sidecar.until('cat', (facts) => facts.status === 'stopped');
  expect(stopped.resume).toMatchObject({ state: 'cat-000001-state', epoch: 1, lost_steps: expect.any(Number) });
  expect(stopped.resume?.lost_steps).toBeLessThanOrEqual(2);
});

test.concurrent('a stop after the next checkpoint is taken back: it trains on through the save, and can be asked for again', async ({
  place,
}) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', {
    ...quick,
    lora_name: 'cat',
    num_repeats: 3,
    max_train_epochs: 60,
    start: true,
  });
  const page = async () => (await fetch(`${sidecar.url}sessions/cat`, { headers: { accept: 'text/html' } })).text();
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) >= 2);
  const nothing = await sidecar.send('DELETE', 'sessions/cat/attempts/current/stop');
  expect(nothing).toMatchObject({ status: 200, body: { status: 'running', stops_after_save: false } });
  const asked = await sidecar.send('DELETE', 'sessions/cat/attempts/current?when=after-save');
  expect(asked).toMatchObject({ status: 202, body: { status: 'running', stops_after_save: true } });
  expect(await page()).toMatch(/attempts\/current\/stop\?_method=DELETE"[^>]*>\s*<button[^>]*>Don't stop</);
  const kept = await fetch(`${sidecar.url}sessions/cat/attempts/current/stop?_method=DELETE`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin' },
  });
  expect(kept.status).toBe(303);
  expect(await page()).not.toContain("Don't stop");
  const on = await sidecar.until('cat', (facts) => (facts.progress.epoch ?? 0) >= 3);
  expect(on).toMatchObject({ status: 'running', reason: null, stops_after_save: false });
  await sidecar.send('DELETE', 'sessions/cat/attempts/current?when=after-save');
  const stopped = await sidecar.until('cat', (facts) => facts.status === 'stopped');
  expect(stopped).toMatchObject({ interrupted: false, reason: 'Stopped by you.' });
});

test.concurrent('a stop that has begun cannot be taken back, and says so', async ({ place }) => {
  const sidecar = await place.serve({ ...slow, PRACTICE_SAVE_SECONDS: '3' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => facts.progress.phase === 'saving');
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  const refused = await sidecar.send('DELETE', 'sessions/cat/attempts/current/stop');
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'being_stopped' } } });
  await sidecar.until('cat', (facts) => facts.status === 'stopped');
});

test.concurrent('a completed training is trained further, and its earlier final file is kept', async ({ place }) => {
  const sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 2, start: true });
  const done = await sidecar.until('cat', (facts) => facts.status === 'completed');
  expect(done).toMatchObject({ next: 'train further', resume: null });
  const earlier = readFileSync(join(place.outputs, 'cat', 'cat.safetensors'));
  expect((await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).body.error.message).toContain(
    'more epochs',
  );
  await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume', max_train_epochs: 3 });
  const further = await sidecar.until('cat', (facts) => facts.status === 'completed');
  expect(further.progress).toMatchObject({ step: 30, total_steps: 30, epoch: 3 });
  expect(further.settings.max_train_epochs).toBe(3);
  expect(readFileSync(join(place.outputs, 'cat', 'earlier', 'attempt-1', 'cat.safetensors')).equals(earlier)).toBe(
    true,
  );
});

test.concurrent('relaunch starts from the beginning and keeps what was there in earlier/', async ({ place }) => {
  const sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 2, start: true });
  await sidecar.until('cat', (facts) => facts.status === 'completed');
  const again = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' });
  expect(again.body).toMatchObject({ number: 2, kind: 'relaunch', first_epoch: 1, step_offset: 0 });
  await sidecar.until('cat', (facts) => facts.status === 'completed' && facts.attempts.length === 2);
  for (const kept of ['cat.safetensors', 'cat-000001.safetensors', 'cat-state/random_states_0.pkl']) {
    expect(existsSync(join(place.outputs, 'cat', 'earlier', 'attempt-1', kept))).toBe(true);
    expect(existsSync(join(place.outputs, 'cat', kept))).toBe(true);
  }
});

test.concurrent('jq and bash see what the page shows, and an edit by jq survives everything after it', async ({
  place,
}) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'My Cat', max_train_epochs: 12, start: true });
  await sidecar.until('my-cat', (facts) => (facts.progress.step ?? 0) >= 12);
  const bash = (script: string) => execFileSync('bash', ['-c', script], { cwd: place.folder, encoding: 'utf8' });
  expect(bash('jq -r .lora_name outputs/*/ui_state.json')).toBe('My Cat\n');
  expect(bash('jq -r .status outputs/*/ui_state.json')).toBe('running\n');
  expect(bash('ps -p $(cat outputs/my-cat/training.pid) -o args=')).toContain('trackside');
  expect(Number(bash('jq .step outputs/my-cat/progress.json'))).toBeGreaterThan(0);
  bash(
    `cd outputs/my-cat && jq '.description="by hand" | .mine={"deep":[1,{"er":1.5}]} | .attempts[0].tag="x"' ui_state.json > t && mv t ui_state.json`,
  );
  bash('kill $(cat outputs/my-cat/training.pid)');
  const stopped = await sidecar.until('my-cat', (facts) => facts.status === 'stopped');
  expect(stopped).toMatchObject({
    description: 'by hand',
    interrupted: false,
    stopped_by: 'a signal',
    reason: expect.stringContaining('SIGTERM'),
  });
  const page = await fetch(`${sidecar.url}sessions/my-cat`, { headers: { accept: 'text/html' } });
  expect(await page.text()).toContain('Stopped · by a signal');
  await sidecar.send('POST', 'sessions/my-cat/attempts', { kind: 'resume' });
  await sidecar.until('my-cat', (facts) => facts.status === 'completed');
  await sidecar.send('PATCH', 'sessions/my-cat', { notes: 'from the page' });
  const state = JSON.parse(read(place.outputs, 'my-cat', 'ui_state.json'));
  expect(state).toMatchObject({
    description: 'by hand',
    notes: 'from the page',
    mine: { deep: [1, { er: 1.5 }] },
    status: 'completed',
  });
  expect(state.attempts[0].tag).toBe('x');
  expect(bash('ls outputs/my-cat/history | wc -l').trim()).toMatch(/^\d+$/);
  expect(bash('bash -n outputs/my-cat/train.sh && head -1 outputs/my-cat/train.sh')).toContain('bash');
});

test.concurrent('ui_state.json of another tool, written by hand, or missing: each is listed for what it is', async ({
  place,
}) => {
  const theirs = join(place.outputs, 'their-lora');
  mkdirSync(theirs, { recursive: true });
  writeFileSync(
    join(theirs, 'ui_state.json'),
    JSON.stringify({
      ...{ lora_name: 'Their LoRA', concept_sentence: 'thr', base_model: 'flux-dev', vram: '20G', num_repeats: 1 },
      ...{
        max_train_epochs: 2,
        sample_prompts: '',
        sample_every_n_steps: 0,
        resolution: 64,
        enable_checkpointing: true,
      },
      ...{ resume_from_checkpoint: '', enable_monitoring: false, seed: 42, workers: 2, learning_rate: '4e-3' },
      ...{ save_every_n_epochs: 1, guidance_scale: 1, timestep_sampling: 'shift', network_dim: 4 },
      ...{ timestamp: 1_700_000_000.5, status: 'running' },
    }),
  );
  mkdirSync(join(place.outputs, 'found'));
  writeFileSync(join(place.outputs, 'found', 'found-000004.safetensors'), 'x');
  mkdirSync(join(place.outputs, 'broken'));
  writeFileSync(join(place.outputs, 'broken', 'ui_state.json'), '{"lora_name": "brok');
  mkdirSync(join(place.outputs, 'big'));
  writeFileSync(join(place.outputs, 'big', 'ui_state.json'), '{"lora_name": "big", "seed": 12345678901234567890}');
  mkdirSync(join(place.outputs, 'unrelated'));

  const sidecar = await place.serve();
  const all = await sidecar.get<SessionFacts[]>('sessions');
  const by = Object.fromEntries(all.map((facts) => [facts.name, facts]));
  expect(Object.keys(by).sort()).toEqual(['big', 'broken', 'found', 'their-lora']);
  expect(by['their-lora']).toMatchObject({
    lora_name: 'Their LoRA',
    status: 'stopped',
    interrupted: true,
    record: 'whole',
  });
  expect(by.found).toMatchObject({
    status: 'stopped',
    record: 'found',
    reason: expect.stringContaining('1 checkpoint'),
  });
  expect(by.broken).toMatchObject({ record: 'unreadable', reason: expect.stringContaining('not valid JSON') });
  expect(by.big?.reason).toContain('12345678901234567890');
  expect(read(place.outputs, 'broken', 'ui_state.json')).toBe('{"lora_name": "brok');
  expect(read(place.outputs, 'big', 'ui_state.json')).toContain('12345678901234567890');

  const relaunch = () => sidecar.send('POST', 'sessions/their-lora/attempts', { kind: 'relaunch' });
  // FLUX is not for the practice trainer to train, unless a person says so.
  expect(await relaunch()).toMatchObject({ status: 422, body: { error: { code: 'no_checkout' } } });
  const record = join(theirs, 'ui_state.json');
  writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), trainer: 'practice' }));
  expect(await relaunch()).toMatchObject({ status: 422, body: { error: { code: 'missing_dataset' } } });
  execFileSync('cp', ['-r', join(place.datasets, 'example'), join(place.datasets, 'their-lora')]);
  await relaunch();
  await sidecar.until('their-lora', (facts) => facts.status === 'completed');
});
