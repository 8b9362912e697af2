import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AttemptFacts } from '../../sidecar/sessions/facts.js';
import type { CheckpointFacts } from '../../sidecar/sessions/savedFacts.js';
import { writeWeights } from '../models/weights.js';
import { test } from '../ownPlace.js';
import { quick } from '../sidecar.js';

/** It is stopped in time also where an answer takes a second. */
const slow = { PRACTICE_STEP_SECONDS: '0.15' };

test.concurrent('the outputs folder was moved: Resume goes on there, and every epoch counts once', async ({
  place,
}) => {
  const first = await place.serve(slow);
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await first.until('cat', (facts) => (facts.progress.step ?? 0) >= 24);
  const current = await first.get<AttemptFacts>('sessions/cat/attempts/current');
  expect(current).toMatchObject({ number: 1, alive: true });
  await first.send('DELETE', 'sessions/cat/attempts/current');
  await first.until('cat', (facts) => facts.status === 'stopped');
  expect((await first.send('GET', 'sessions/cat/attempts/current')).status).toBe(404);
  await first.kill('SIGTERM');

  const moved = join(place.folder, 'moved');
  renameSync(place.outputs, moved);
  const second = await place.serve({ TRACKSIDE_OUTPUTS: moved });
  expect((await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).status).toBe(201);
  const done = await second.until('cat', (facts) => facts.status === 'completed' || facts.status === 'failed');
  expect(done).toMatchObject({ status: 'completed', final_checkpoint: join(moved, 'cat', 'cat.safetensors') });
  expect(readdirSync(place.folder)).not.toContain('outputs');

  const points = await second.get<{ tag: string; step: number }[]>('sessions/cat/metrics');
  const steps = (tag: string) => points.filter((point) => point.tag === tag).map(({ step }) => step);
  expect(steps('loss/epoch_average')).toEqual([1, 2, 3, 4]);
  expect(steps('loss/current')).toEqual(Array.from({ length: 40 }, (_, step) => step + 1));
});

test.concurrent('the datasets folder was moved: Resume takes the same pictures there, and no others', async ({
  place,
}) => {
  const first = await place.serve(slow);
  await first.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  await first.until('cat', (facts) => (facts.progress.step ?? 0) >= 14);
  await first.send('DELETE', 'sessions/cat/attempts/current');
  await first.until('cat', (facts) => facts.status === 'stopped');
  await first.kill('SIGTERM');

  const moved = join(place.folder, 'moved');
  renameSync(place.datasets, moved);
  const second = await place.serve({ TRACKSIDE_DATASETS: moved });
  const caption = join(moved, 'example', '02-dusk.txt');
  const before = readFileSync(caption, 'utf8');
  writeFileSync(caption, 'of something else');
  const refused = await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  expect(refused).toMatchObject({ status: 422, body: { error: { code: 'missing_dataset', field: 'dataset' } } });
  writeFileSync(caption, before);
  expect((await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).status).toBe(201);
  const done = await second.until('cat', (facts) => facts.status === 'completed' || facts.status === 'failed');
  expect(done).toMatchObject({ status: 'completed', dataset_path: join(moved, 'example'), progress: { step: 40 } });
});

test.concurrent('killed between making room and beginning: the states that were moved are still what Resume uses', async ({
  place,
}) => {
  const first = await place.serve({ PRACTICE_STEP_SECONDS: '0.3' });
  // Only where no state of an epoch begins at the same epoch is one of a step taken.
  const settings = { ...quick, save_every_n_epochs: 4, arguments: { save_every_n_steps: 7 } };
  await first.send('POST', 'sessions', { ...settings, lora_name: 'cat', start: true });
  await first.until('cat', (facts) => (facts.progress.step ?? 0) >= 15);
  await first.send('DELETE', 'sessions/cat/attempts/current');
  const stopped = await first.until('cat', (facts) => facts.status === 'stopped');
  expect(stopped.resume).toMatchObject({ state: 'cat-step00000014-state', step: 14, repeated_steps: 4 });
  await first.kill('SIGKILL');
  const folder = join(place.outputs, 'cat');
  const room = join(folder, 'earlier', 'attempt-1');
  mkdirSync(room, { recursive: true });
  for (const name of readdirSync(folder).filter((each) => each.includes('-step'))) {
    renameSync(join(folder, name), join(room, name));
  }

  const second = await place.serve();
  const path = 'earlier/attempt-1/cat-step00000014-state';
  expect((await second.session('cat')).resume).toMatchObject({ path, step: 14, repeated_steps: 4 });
  await second.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
  const done = await second.until('cat', (facts) => facts.status === 'completed' || facts.status === 'failed');
  expect(done).toMatchObject({ status: 'completed', progress: { step: 40, epoch: 4 } });
});

test.concurrent('what else lies in earlier/ hides no checkpoint, and those of earlier attempts can be downloaded', async ({
  place,
}) => {
  const earlier = join(place.outputs, 'cat', 'earlier');
  mkdirSync(join(earlier, 'attempt-1'), { recursive: true });
  writeFileSync(join(place.outputs, 'cat', 'ui_state.json'), JSON.stringify({ lora_name: 'cat' }));
  writeFileSync(join(earlier, 'notes.txt'), 'the second one was best');
  const weights = join(earlier, 'attempt-1', 'cat.safetensors');
  writeWeights(weights, { 'lora_unet_x.lora_down.weight': [4, 8] });
  const sidecar = await place.serve();
  const checkpoints = await sidecar.get<CheckpointFacts[]>('sessions/cat/checkpoints');
  expect(checkpoints.map(({ path }) => path)).toEqual(['earlier/attempt-1/cat.safetensors']);
  for (const address of ['earlier/attempt-1/cat.safetensors', 'earlier%2Fattempt-1%2Fcat.safetensors']) {
    expect((await sidecar.send('GET', `sessions/cat/checkpoints/${address}`)).body).toBe(readFileSync(weights, 'utf8'));
  }
  const page = await fetch(new URL('sessions/cat', sidecar.url), { headers: { Accept: 'text/html' } });
  expect(await page.text()).toContain('href="../sessions/cat/checkpoints/earlier/attempt-1/cat.safetensors"');
  for (const other of ['earlier/notes.txt', 'earlier/../ui_state.json', 'earlier/attempt-1/../../ui_state.json']) {
    expect((await sidecar.send('GET', `sessions/cat/checkpoints/${other}`)).status).toBe(404);
  }
  expect(readFileSync(join(earlier, 'notes.txt'), 'utf8')).toContain('best');
});
