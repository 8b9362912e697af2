import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import type { CheckpointFacts } from '../../sidecar/sessions/savedFacts.js';
import { killEverything } from '../sd-scripts/watch.js';
import { exampleDataset, makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;

beforeAll(async () => {
  place = makeTestSidecars();
  for (const name of ['example', 'edited']) cpSync(exampleDataset, join(place.datasets, name), { recursive: true });
  sidecar = await place.serve({ TRACKSIDE_EXACT_PAUSE: 'on', PRACTICE_STEP_SECONDS: '0.15' });
  await train('whole', { save_every_n_epochs: 100 });
});
afterAll(() => place.leave());

test.concurrent('a paused training loses nothing, and goes on exactly to the weights of an undisturbed one', async () => {
  await train('paused');
  const running = await sidecar.until('paused', ({ progress }) => (progress.step ?? 0) >= 13);
  expect(running).toMatchObject({ exact_pause: { available: true, why: null }, pausing: false });
  const asked = await sidecar.send('POST', 'sessions/paused/attempts/current/pause');
  expect(asked.status).toBe(202);
  const paused = await sidecar.until('paused', ended);
  const step = paused.progress.step ?? 0;
  expect(paused).toMatchObject({
    status: 'stopped',
    stopped_by: 'you',
    interrupted: false,
    reason: `Paused at step ${step}. Step ${step} is saved; nothing is lost.`,
    reason_code: 'paused',
    next: 'resume',
    resume: { step, exact: true, lost_steps: 0, repeated_steps: 0 },
  });
  expect(await page('paused')).toContain(`exactly at step ${step}`);
  // Nothing has failed.
  expect(await page('paused')).toContain(`<td class="end">Paused at step ${step}.`);

  const resumed = await sidecar.send('POST', 'sessions/paused/attempts', { kind: 'resume' });
  expect(resumed.body).toMatchObject({ step_offset: step, steps_added: 0, repeated_steps: 0 });
  expect(await sidecar.until('paused', ended)).toMatchObject({
    status: 'completed',
    progress: { step: 40, total_steps: 40, epoch: 4, percent: 100 },
  });
  await equalsWhole('paused');
  // The pause's own state went as a newer one was whole.
  expect((await sidecar.states('paused')).map(({ name }) => name)).not.toContain(stepState('paused', step));
});

test.concurrent('kill with the number in training.pid pauses, and a pod that dies goes on exactly from its last save', async () => {
  await train('killed', { save_every_n_epochs: 1 });
  await sidecar.until('killed', ({ progress }) => (progress.step ?? 0) >= 4);
  process.kill(Number(readFileSync(join(place.outputs, 'killed', 'training.pid'), 'utf8')));
  const paused = await sidecar.until('killed', ended);
  const step = paused.progress.step ?? 0;
  expect(paused).toMatchObject({
    status: 'stopped',
    stopped_by: 'a signal',
    reason: `Stopped by SIGTERM, sent to its process. Paused at step ${step}. Step ${step} is saved; nothing is lost.`,
    resume: { step, exact: true },
  });
  await sidecar.send('POST', 'sessions/killed/attempts', { kind: 'resume' });
  await sidecar.until('killed', ({ progress }) => (progress.step ?? 0) >= 23);
  await killEverything(place, 'killed');
  const dead = await sidecar.until('killed', ended);
  expect(dead).toMatchObject({ status: 'stopped', interrupted: true, resume: { step: 20, exact: true } });
  await sidecar.send('POST', 'sessions/killed/attempts', { kind: 'resume' });
  expect(await sidecar.until('killed', ended)).toMatchObject({ status: 'completed', progress: { step: 40 } });
  await equalsWhole('killed');
});

test.concurrent('save and sample now leave files and change nothing; finish now makes the present weights the final ones', async () => {
  const asked = 'asked';
  // Long enough for a machine that is busy with something else.
  await train(asked, { sample_prompts: 'a cat --w 64 --h 64 --s 1', sample_every_n_steps: 1000, max_train_epochs: 8 });
  await sidecar.until(asked, ({ progress }) => (progress.step ?? 0) >= 2);
  await until(
    () => page(asked),
    (html) => /Pause<\/button>[\s\S]+Finish now<\/button>[\s\S]+Stop now<\/button>/.test(html),
  );
  await sidecar.send('POST', `sessions/${asked}/attempts/current/save`);
  await sidecar.until(asked, () => names(asked).some((name) => /-step\d+\.safetensors$/.test(name)));
  await sidecar.send('POST', `sessions/${asked}/attempts/current/sample`);
  await sidecar.until(asked, ({ newest_sample: newest }) => newest !== null);
  expect((await sidecar.session(asked)).status).toBe('running');
  await sidecar.send('POST', `sessions/${asked}/attempts/current/finish`);
  const done = await sidecar.until(asked, ended);
  expect(done.status).toBe('completed');
  const { step } = done.progress;
  expect(step).toBeLessThan(80);
  const words = `Finished early, at step ${step}: the weights of this step are the final ones.`;
  expect(done.reason).toBe(words);
  expect(await page(asked)).toContain(words);
  const checkpoints = await sidecar.get<CheckpointFacts[]>(`sessions/${asked}/checkpoints`);
  expect(checkpoints.find(({ kind }) => kind === 'final')).toMatchObject({ step, epoch: Math.ceil((step ?? 0) / 10) });
  const refused = await sidecar.send('POST', `sessions/${asked}/attempts/current/pause`);
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'not_running' } } });
  // Its last state is that step's, in the middle of an epoch: trained further, it goes on with the next one.
  const more = { kind: 'resume', max_train_epochs: 9, exactly: true };
  const further = await sidecar.send('POST', `sessions/${asked}/attempts`, more);
  expect(further.body).toMatchObject({ step_offset: step, repeated_steps: 0 });
  expect(await sidecar.until(asked, ended)).toMatchObject({
    status: 'completed',
    progress: { step: 90 },
    reason: null,
  });
});

test.concurrent('a pause that can’t be saved is told, the training goes on, and a later one works', async () => {
  await train('full', { start: false, max_train_epochs: 20 });
  // Where the state of each step would be made, something else lies.
  const inTheWay = Array.from({ length: 200 }, (_, step) => `.${stepState('full', step)}.making`);
  for (const name of inTheWay) writeFileSync(join(place.outputs, 'full', name), '');
  await sidecar.send('POST', 'sessions/full/attempts', { kind: 'start' });
  await sidecar.until('full', ({ progress }) => (progress.step ?? 0) >= 2);
  // 409 until the training has said that it can.
  await until(
    () => sidecar.send('POST', 'sessions/full/attempts/current/pause'),
    ({ status }) => status === 202,
  );
  const told = await sidecar.until('full', ({ reason, pausing }) =>
    Boolean(reason?.includes('could not pause') && !pausing),
  );
  expect(told).toMatchObject({ status: 'running' });
  for (const name of inTheWay) rmSync(join(place.outputs, 'full', name));
  await sidecar.send('POST', 'sessions/full/attempts/current/pause');
  expect(await sidecar.until('full', ended)).toMatchObject({ reason_code: 'paused' });
});

test.concurrent('what keeps a resume from going on exactly is said before it, with the steps that are trained again', async () => {
  await train('differs', { dataset: 'edited', save_every_n_epochs: 100, seed: 42 });
  await sidecar.until('differs', ({ progress }) => (progress.step ?? 0) >= 13);
  await sidecar.send('POST', 'sessions/differs/attempts/current/pause');
  const { progress, output_path: folder } = await sidecar.until('differs', ended);
  const step = progress.step ?? 0;
  const record = join(folder, 'ui_state.json');
  const state = join(folder, stepState('differs', step), 'exact_0.json');
  const caption = join(place.datasets, 'edited', '03-night.txt');
  // Plainly it goes on with the epoch in which it was paused.
  const [kept, first_epoch] = [step - (step % 10), Math.floor(step / 10) + 1];
  const plainly = { exact: false, first_epoch, step, repeated_steps: step - kept, lost_steps: 0 };
  const changes: [file: string, edit: (text: string) => string, said: string][] = [
    [caption, (text) => `${text}, at night`, 'pictures or captions in edited were changed'],
    [record, (text) => text.replace('"num_repeats": 1', '"num_repeats": 2'), 'edited had 1 repeats and has 2'],
    // A resume keeps the seed of the start.
    [record, (text) => text.replace('"seed": 42', '"seed": 43'), ''],
    [record, (text) => text.replace('--seed=42', '--seed=43'), 'the seed was 42 and is 43'],
    [state, (text) => text.replace(/"batch_sizes": \[1\]/, '"batch_sizes": [2]'), 'the batch size was 2 and is 1'],
    [
      state,
      (text) => text.replace('"accumulation": 1', '"accumulation": 3'),
      'the gradient accumulation steps were 3 and are 1',
    ],
    [state, (text) => text.replace(/"python": "[\d.]+"/, '"python": "3.1"'), 'Python was 3.1 and is 3'],
  ];
  for (const [file, edit, said] of changes) {
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, edit(before));
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    const { resume } = await sidecar.session('differs');
    expect(resume).toMatchObject(
      said ? { ...plainly, differs: [expect.stringContaining(said)] } : { exact: true, differs: [] },
    );
    expect(await page('differs')).toContain(said || `exactly at step ${step}`);
    // A page that was opened before promised more: nothing begins that is less.
    if (said) {
      const asked = { kind: 'resume', exactly: true };
      const refused = await sidecar.send('POST', 'sessions/differs/attempts', asked);
      expect(refused).toMatchObject({ status: 409, body: { error: { code: 'not_exactly' } } });
      expect(refused.body.error.message).toContain(said);
    } else expect(await page('differs')).toContain('name="exactly" value="true"');
    writeFileSync(file, before);
    expect((await sidecar.session('differs')).resume).toMatchObject({ exact: true, step, differs: [] });
  }
  writeFileSync(caption, 'a cat, at night\n');
  const resumed = await sidecar.send('POST', 'sessions/differs/attempts', { kind: 'resume' });
  expect(resumed.body).toMatchObject({ first_epoch, step_offset: kept, repeated_steps: step - kept });
  expect(await sidecar.until('differs', ended)).toMatchObject({ status: 'completed', progress: { step: 40 } });
  expect(readFileSync(join(folder, 'training.log'), 'utf8')).toContain(
    `not exactly: pictures or captions in edited were changed. Goes on plainly after step ${kept}`,
  );
});

test.concurrent('a difference that only the trainer sees is told on the page while it goes on plainly', async () => {
  await train('seen-late', { save_every_n_epochs: 100 });
  await sidecar.until('seen-late', ({ progress }) => (progress.step ?? 0) >= 3);
  await sidecar.send('POST', 'sessions/seen-late/attempts/current/pause');
  const { progress } = await sidecar.until('seen-late', ended);
  const state = join(place.outputs, 'seen-late', stepState('seen-late', progress.step ?? 0), 'exact_0.json');
  writeFileSync(state, readFileSync(state, 'utf8').replace(/"seeds": \[\d+\]/, '"seeds": [7]'));
  await sidecar.send('POST', 'sessions/seen-late/attempts', { kind: 'resume' });
  const told = await sidecar.until('seen-late', ({ reason }) => reason !== null);
  expect(told).toMatchObject({
    reason:
      'It could not go on exactly where it ended: the seed, or what the trainer draws from it, differs. It resumes in the usual way.',
  });
  await sidecar.send('DELETE', 'sessions/seen-late/attempts/current');
  await sidecar.until('seen-late', ended);
  // Switched to plain starts, no state is gone on with exactly.
  const switched = await sidecar.send('PATCH', 'sessions/seen-late', { exact_pause: false });
  expect(switched.body.resume).toMatchObject({ exact: false, differs: ['exact pause is switched off'] });
});

test.concurrent('a session can be switched to plain starts, and says why it can’t pause', async () => {
  await train('plain', { start: false });
  const switched = await sidecar.send('PATCH', 'sessions/plain', { exact_pause: false });
  expect(switched.status).toBe(200);
  await sidecar.send('POST', 'sessions/plain/attempts', { kind: 'start' });
  await sidecar.until('plain', ({ progress }) => (progress.step ?? 0) >= 2);
  const refused = await sidecar.send('POST', 'sessions/plain/attempts/current/pause');
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'not_yet' } } });
  await sidecar.send('DELETE', 'sessions/plain/attempts/current');
  expect(await sidecar.until('plain', ended)).toMatchObject({ status: 'stopped', reason: 'Stopped by you.' });
});

async function train(lora_name: string, more: object = {}): Promise<void> {
  if (existsSync(join(place.outputs, lora_name))) await clear(lora_name);
  const made = await sidecar.send('POST', 'sessions', { ...quick, lora_name, start: true, ...more });
  expect(made.body.error ?? null).toBeNull();
}

/** What an earlier try of the same test left. */
async function clear(name: string): Promise<void> {
  await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  await sidecar.until(name, ended);
  await sidecar.send('DELETE', `sessions/${name}`);
}

const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);
const names = (name: string) => readdirSync(join(place.outputs, name));
const stepState = (name: string, step: number) => `${name}-step${String(step).padStart(8, '0')}-state`;

async function page(name: string): Promise<string> {
  return (await fetch(`${sidecar.url}sessions/${name}`, { headers: { Accept: 'text/html' } })).text();
}

async function equalsWhole(name: string): Promise<void> {
  await sidecar.until('whole', ended);
  expect(weightsOf(name)).toBe(weightsOf('whole'));
  expect(await lossesOf(name)).toEqual(await lossesOf('whole'));
}

/** The bytes of all tensors: what is before them holds times, too. */
function weightsOf(name: string): string {
  const bytes = readFileSync(join(place.outputs, name, `${name}.safetensors`));
  const tensors = bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
  return createHash('sha256').update(tensors).digest('hex');
}

async function lossesOf(name: string): Promise<[number, number][]> {
  const points = await sidecar.get<{ tag: string; step: number; value: number }[]>(`sessions/${name}/metrics`);
  return points.filter(({ tag }) => tag === 'loss/current').map(({ step, value }) => [step, value]);
}
