import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { readAttempt } from '../../sidecar/launchers/attemptFile.js';
import { processesOf } from '../../sidecar/launchers/sweep.js';
import type { AttemptFacts, SessionFacts } from '../../sidecar/sessions/facts.js';
import { test } from '../ownPlace.js';
import { type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { modelPath, prepareStandIn, training } from './standIn.js';
import { epochsTrained, killEverything, savingNow } from './watch.js';

const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);
const start = (sidecar: Sidecar, asked: object) => sidecar.send('POST', 'sessions', asked);
const resume = (sidecar: Sidecar, name: string, more: object = {}) =>
  sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'resume', ...more });
const trainedIn = (place: TestSidecars, name: string) => epochsTrained(join(place.outputs, name, 'training.log'));
/** Trains slowly, is stopped once an epoch is saved, and is resumed by a sidecar whose trainer is quick. */
async function interrupted(
  place: TestSidecars,
  name: string,
  environment: NodeJS.ProcessEnv,
  asked: object,
  meanwhile: () => void = () => {},
) {
  const slow = await place.serve({ ...environment, PRACTICE_STEP_SECONDS: '0.4' });
  expect((await start(slow, asked)).status).toBe(201);
  await until(
    () => slow.states(name),
    (states) => states.some(({ complete }) => complete),
  );
  const record = readAttempt(join(place.outputs, name));
  if (!record) throw new Error('no record');
  const before = processesOf(record).length;
  await slow.send('DELETE', `sessions/${name}/attempts/current`);
  await slow.until(name, ended);
  const after = processesOf(record).length;
  meanwhile();
  const warnings = (await slow.get<{ warnings: { code: string }[] }>(`sessions/${name}/preflight`)).warnings;
  await slow.kill();
  const sidecar = await place.serve(environment);
  const { body } = await resume(sidecar, name);
  const done = await sidecar.until(name, ended);
  return { before, after, warnings: warnings.map(({ code }) => code), attempt: body as AttemptFacts, done };
}

/** 3 → 3, 4 */
const upToFour = (first: number) => [1, 2, 3, 4].filter((epoch) => epoch >= first);
const trainScriptOf = (place: TestSidecars, name: string) =>
  readFileSync(join(place.outputs, name, 'train.sh'), 'utf8');

test.concurrent('every family is trained to its end, each on a GPU of its own', async ({ place }) => {
  const sidecar = await place.serve(prepareStandIn(place, 8));
  const families = ['sd1', 'sdxl', 'flux', 'sd3', 'lumina', 'hunyuan-image', 'anima'];
  for (const family of families) {
    const { status, body } = await start(sidecar, training(place, family));
    expect(body.error ?? null, family).toBeNull();
    expect(status).toBe(201);
  }
  for (const [index, family] of families.entries()) {
    const done = await sidecar.until(family, ended, 60);
    expect(done, family).toMatchObject({ status: 'completed', reason: null, progress: { step: 20, percent: 100 } });
    expect(done.attempts[0]?.gpus).toHaveLength(1);
    expect(trainScriptOf(place, family)).toMatch(/^export CUDA_VISIBLE_DEVICES=\d$/m);
    expect(trainedIn(place, family)).toEqual([[1, 2]]);
    const states = await sidecar.states(family);
    expect(states.map(({ complete, reason }) => [complete, reason])).toEqual([
      [true, null],
      [true, null],
    ]);
    if (index > 0) continue;
    const { environment } = JSON.parse(readFileSync(join(place.outputs, family, 'ui_state.json'), 'utf8'));
    expect(environment).toMatchObject({ gpu: 'NVIDIA L40S', driver: '570.86.15', torch: '2.6.0', accelerate: '1.6.0' });
  }
});

test.concurrent('stopped in the middle of a save, killed, and resumed each time: it ends after exactly the epochs asked for', async ({
  place,
}) => {
  const sidecar = await place.serve({
    ...prepareStandIn(place),
    PRACTICE_STEP_SECONDS: '0.05',
    PRACTICE_SAVE_SECONDS: '0.8',
  });
  const flags = { gradient_accumulation_steps: 3, save_every_n_steps: 3 };
  expect((await start(sidecar, training(place, 'flux', { max_train_epochs: 4 }, flags))).status).toBe(201);
  const saving = await savingNow(sidecar, 'flux', (progress) => progress.epoch === 2);
  await sidecar.send('DELETE', 'sessions/flux/attempts/current');
  expect(await sidecar.until('flux', ended)).toMatchObject({ status: 'stopped', next: 'resume' });
  expect((await sidecar.states('flux')).find(({ name }) => saving.endsWith(name))).toMatchObject({ complete: true });

  expect((await resume(sidecar, 'flux')).status).toBe(201);
  const torn = await savingNow(sidecar, 'flux', (progress) => progress.epoch === 3);
  await killEverything(place, 'flux');
  const killed = await sidecar.until('flux', ended);
  expect(killed).toMatchObject({ interrupted: true, next: 'resume' });
  expect((await sidecar.states('flux')).find(({ name }) => torn.endsWith(name))).toMatchObject({ complete: false });

  expect((await resume(sidecar, 'flux')).status).toBe(201);
  const done = await sidecar.until('flux', ended, 60);
  expect(done).toMatchObject({ status: 'completed', progress: { step: 16, total_steps: 16, percent: 100, epoch: 4 } });
  const trained = trainedIn(place, 'flux');
  expect(trained.map((epochs) => epochs[0])).toEqual(done.attempts.map(({ first_epoch }) => first_epoch));
  expect(trained.at(-1)?.at(-1)).toBe(4);
  // Step files count from the last resume: those of the attempts before lie in earlier/, none was written over.
  const checkpoints = await sidecar.get<{ path: string }[]>('sessions/flux/checkpoints');
  expect(checkpoints.some(({ path }) => path.startsWith('earlier/attempt-1/flux-step'))).toBe(true);
});

describe('GPUs', () => {
  test.concurrent('two for one run: a resume begins at the right epoch, and Stop reaches the workers of both', async ({
    place,
  }) => {
    const asked = training(place, 'sdxl', { max_train_epochs: 4, gpus: '0,1' }, { gradient_accumulation_steps: 2 });
    const { before, after, attempt, done } = await interrupted(place, 'sdxl', prepareStandIn(place), asked);
    // The runner, its launcher, and one worker a GPU.
    expect(before).toBeGreaterThanOrEqual(4);
    expect(after).toBe(0);
    // 10 batches on 2 GPUs, 2 together: 3 steps an epoch.
    const first = 3 * (attempt.first_epoch - 1);
    expect(attempt).toMatchObject({ step_offset: first, gpus: [0, 1] });
    expect(attempt.argv).toEqual(expect.arrayContaining(['--multi_gpu', `--initial_step=${first}`]));
    expect(done).toMatchObject({ status: 'completed', progress: { step: 12, percent: 100 } });
    expect(trainedIn(place, 'sdxl').at(-1)).toEqual(upToFour(attempt.first_epoch));
  });

  test.concurrent('one that a session has is refused to the next, with the way there; another one, or none after it, is given', async ({
    place,
  }) => {
    const sidecar = await place.serve({ ...prepareStandIn(place), PRACTICE_STEP_SECONDS: '0.1' });
    const long = training(place, 'sd1', { gpus: '0', max_train_epochs: 100 });
    expect((await start(sidecar, long)).status).toBe(201);
    const refused = await start(sidecar, training(place, 'sdxl', { gpus: '0' }));
    expect(refused.status).toBe(409);
    expect(refused.body.error.message).toContain('GPU 0 is in use by sd1.');
    const again = await sidecar.send('POST', 'sessions/sdxl/attempts', { kind: 'start' });
    expect(again.body.error).toMatchObject({ code: 'gpu_busy', link: 'sessions/sd1' });
    const preflight = await sidecar.get<{ ready: boolean; errors: { code: string }[] }>('sessions/sdxl/preflight');
    expect(preflight).toMatchObject({ ready: false, errors: [{ code: 'gpu_busy' }] });
    const other = await sidecar.send('POST', 'sessions/sdxl/attempts', { kind: 'start', gpus: '' });
    expect(other.body).toMatchObject({ gpus: [1] });
  });
});

test.concurrent('pictures that were added between an interruption and the resume: said, what was trained keeps its numbers, and trained to 100 %', async ({
  place,
}) => {
  const asked = training(place, 'anima', { max_train_epochs: 4 });
  const { warnings, attempt, done } = await interrupted(place, 'anima', prepareStandIn(place), asked, () => {
    const dataset = join(place.datasets, 'example');
    writeFileSync(join(dataset, 'more.png'), readFileSync(join(dataset, '01-morning.png')));
    writeFileSync(join(dataset, 'more.txt'), 'one more');
  });
  expect(warnings).toContain('dataset_changed');
  // Ten steps an epoch before, eleven now.
  const before = 10 * (attempt.first_epoch - 1);
  expect(attempt).toMatchObject({ step_offset: before });
  const step = before + 11 * (5 - attempt.first_epoch);
  expect(done).toMatchObject({ status: 'completed', progress: { step, total_steps: step, percent: 100, epoch: 4 } });
  expect(trainedIn(place, 'anima').at(-1)).toEqual(upToFour(attempt.first_epoch));
});

test.concurrent('what would fail is said before it starts, all of it, and nothing is started', async ({ place }) => {
  const sidecar = await place.serve(prepareStandIn(place));
  rmSync(modelPath(place, 'ae'));
  const asked = training(place, 'flux', { save_every_n_epochs: 9 }, { clip_l: modelPath(place, 't5xxl') });
  const refused = await start(sidecar, asked);
  expect(refused.status).toBe(422);
  expect(refused.body.error.message).toContain('CLIP-L');
  expect(refused.body.error.message).toContain('Autoencoder');
  const session = await sidecar.session('flux');
  expect(session).toMatchObject({ status: 'draft', attempts: [] });
  const preflight = await sidecar.get<Record<string, { code: string; message: string }[]>>('sessions/flux/preflight');
  expect(preflight.errors?.map(({ code }) => code).sort()).toEqual(['missing_model', 'wrong_model']);
  expect(preflight.warnings?.map(({ code }) => code)).toContain('saves_too_late');
});

test.concurrent('a broken cache beside the pictures: told, and cleared by one button that leaves everything else', async ({
  place,
}) => {
  const environment = prepareStandIn(place, 1);
  const sidecar = await place.serve({ ...environment, STAND_IN_RAISES: 'zipfile.BadZipFile: File is not a zip file' });
  const dataset = join(place.datasets, 'example');
  writeFileSync(join(dataset, '01-morning_0064x0064_sd.npz'), 'PK');
  writeFileSync(join(dataset, 'mine.npz'), 'PK');
  await start(sidecar, training(place, 'sd1'));
  const failed = await sidecar.until('sd1', ended);
  expect(failed).toMatchObject({ status: 'failed', reason: expect.stringContaining('Clear the caches') });
  const page = await (await fetch(`${sidecar.url}sessions/sd1`, { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('action="../sessions/sd1/caches?_method=DELETE"');
  expect((await sidecar.send('DELETE', 'sessions/sd1/caches')).body).toEqual({
    removed: ['01-morning_0064x0064_sd.npz'],
  });
  expect(readdirSync(dataset)).toContain('mine.npz');
});
