import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { exampleDataset, makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { epochsTrained, killEverything, savingNow } from './watch.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.TRACKSIDE_PYTHON ?? '';

let place: TestSidecars;
let sidecar: Sidecar;

beforeAll(async () => {
  place = makeTestSidecars();
  const models = join(place.folder, 'models');
  const small = [join(here, 'smallModel.py'), join(models, 'small'), join(models, 'tokenizers')];
  execFileSync(python, small, { stdio: 'pipe', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
  mkdirSync(place.datasets);
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  sidecar = await place.serve({
    TRACKSIDE_MODELS: models,
    PYTHONPATH: join(here, 'small'),
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HUB_OFFLINE: '1',
    SMALL_SAVE_SECONDS: '1',
  });
}, 120_000);
afterAll(() => place.leave());

/** Ten pictures of 64×64: ten batches an epoch. */
const small = (more: Record<string, unknown> = {}, flags: Record<string, unknown> = {}) => ({
  lora_name: 'cat',
  trainer: 'sd-scripts/sd1',
  dataset: 'example',
  concept_sentence: 'a cat',
  vram: 'CPU',
  num_repeats: 1,
  max_train_epochs: 4,
  save_every_n_epochs: 1,
  resolution: 64,
  network_dim: 4,
  learning_rate: '1e-4',
  workers: 0,
  seed: 42,
  sample_prompts: 'a cat --w 64 --h 64 --s 2 --d 42',
  sample_every_n_steps: 10,
  start: true,
  ...more,
  arguments: { pretrained_model_name_or_path: join(place.folder, 'models', 'small'), network_alpha: 2, ...flags },
});

test('a LoRA is trained for exactly its epochs, stopped and killed in the middle of saves and resumed each time', async () => {
  const begun = performance.now();
  const created = await sidecar.send('POST', 'sessions', small({}, { save_every_n_steps: 4 }));
  expect(created.body.error ?? null).toBeNull();
  expect(created.status).toBe(201);

  // Stop, in the middle of a save of the second epoch: the save is let through.
  const saving = await savingNow(sidecar, 'cat', (progress) => (progress.epoch ?? 0) >= 2);
  expect((await sidecar.send('DELETE', 'sessions/cat/attempts/current')).status).toBe(202);
  const stopped = await sidecar.until('cat', ended, 900);
  expect(stopped).toMatchObject({ status: 'stopped', interrupted: false, next: 'resume' });
  expect((await sidecar.states('cat')).find(({ name }) => saving.endsWith(name))).toMatchObject({ complete: true });
  say(`stopped in the middle of saving ${saving.split('/').at(-1)}; it was let through`, stopped);

  // The first resume, and the pod dies in the middle of a save of the third epoch.
  expect((await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).status).toBe(201);
  const half = await savingNow(sidecar, 'cat', (progress) => (progress.epoch ?? 0) >= 3);
  await killEverything(place, 'cat');
  const killed = await sidecar.until('cat', ended, 900);
  expect(killed).toMatchObject({ status: 'stopped', interrupted: true, next: 'resume' });
  const torn = (await sidecar.states('cat')).find(({ name }) => half.endsWith(name));
  expect(torn).toMatchObject({ complete: false });
  say(`killed in the middle of saving ${torn?.name}: ${torn?.reason}`, killed);

  // The second resume, and the end.
  expect((await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).status).toBe(201);
  const done = await sidecar.until('cat', ended, 900);
  expect(done).toMatchObject({
    status: 'completed',
    progress: { epoch: 4, epochs: 4, step: 40, total_steps: 40, percent: 100 },
  });
  expect(existsSync(done.final_checkpoint ?? '')).toBe(true);
  say('completed', done);

  const trained = epochsTrained(join(place.outputs, 'cat', 'training.log'));
  console.log(`epochs of each attempt: ${trained.map((epochs) => epochs.join(' ')).join(' | ')}`);
  expect(trained.at(-1)?.at(-1)).toBe(4);
  // What an attempt left whole is not trained again, and nothing is passed over.
  for (const [index, epochs] of trained.entries()) {
    expect(epochs[0]).toBe(done.attempts[index]?.first_epoch);
    expect(epochs).toEqual(epochs.map((_, at) => (epochs[0] ?? 0) + at));
  }
  const points = await sidecar.get<{ tag: string; step: number }[]>('sessions/cat/metrics');
  const averages = points.filter(({ tag }) => tag === 'loss/epoch_average').map(({ step }) => step);
  console.log(
    `loss/epoch_average in the event files, after what was trained again is taken away: ${averages.join(' ')}`,
  );
  expect(averages).toEqual([1, 2, 3, 4]);
  const losses = points.filter(({ tag }) => tag === 'loss/current').map(({ step }) => step);
  expect(losses).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  const samples = await sidecar.get<{ step: number | null }[]>('sessions/cat/samples');
  expect(samples.length).toBeGreaterThan(2);
  console.log(
    `checkpoints: ${(await sidecar.get<{ name: string }[]>('sessions/cat/checkpoints')).length}, samples: ${samples.length}`,
  );
  console.log(`environment: ${environmentOf('cat')}`);
  console.log(`in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
});

test('with gradients of three batches together, an interruption and a resume still end after the epochs asked for', async () => {
  const flags = { gradient_accumulation_steps: 3 };
  const asked = small({ lora_name: 'dog', max_train_epochs: 3, sample_prompts: '' }, flags);
  expect((await sidecar.send('POST', 'sessions', asked)).status).toBe(201);
  await until(
    () => sidecar.states('dog'),
    (states) => states.some(({ name, complete }) => name === 'dog-000002-state' && complete),
    900,
  );
  await killEverything(place, 'dog');
  await sidecar.until('dog', ended, 300);
  const resumed = await sidecar.send('POST', 'sessions/dog/attempts', { kind: 'resume' });
  expect(resumed.body).toMatchObject({ first_epoch: 3, step_offset: 8 });
  const done = await sidecar.until('dog', ended, 900);
  expect(done).toMatchObject({ status: 'completed', progress: { step: 12, total_steps: 12, epoch: 3, percent: 100 } });
  const trained = epochsTrained(join(place.outputs, 'dog', 'training.log'));
  console.log(`accumulation of 3: epochs of each attempt: ${trained.map((epochs) => epochs.join(' ')).join(' | ')}`);
  expect(trained.at(-1)).toEqual([3]);
});

const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);

function say(what: string, { progress, resume }: SessionFacts): void {
  const next = resume
    ? `; resumes from ${resume.state}, first epoch ${resume.first_epoch}, ${resume.lost_steps} steps lost`
    : '';
  console.log(`${what}: step ${progress.step} of ${progress.total_steps}, epoch ${progress.epoch}${next}`);
}

function environmentOf(name: string): string {
  const state = JSON.parse(readFileSync(join(place.outputs, name, 'ui_state.json'), 'utf8'));
  return JSON.stringify(state.environment);
}
