import { cp, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSafetensors } from '../../../sidecar/files/safetensors.js';
import { readCheckpoints } from '../../../sidecar/trainers/sdOutput/checkpoints.js';
import { newestSample, readSamples } from '../../../sidecar/trainers/sdOutput/samples.js';
import { FIXTURES, temporaryFolder } from '../fixtures.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const output = join(FIXTURES, 'tiny-output');
const weights = join(output, 'mylora-000001.safetensors');

test('checkpoints say what they are from their headers', async () => {
  const found = await readCheckpoints(output, 'mylora');
  expect(found.map(({ name }) => name).sort()).toEqual(['mylora-000001.safetensors', 'mylora.safetensors']);
  expect(found.find(({ kind }) => kind === 'epoch')).toMatchObject({
    number: 1,
    bytes: 562_408,
    whole: true,
    epoch: 1,
    steps: 8,
    epochs: 3,
    stepsPerEpoch: 8,
    told: {
      ss_num_batches_per_epoch: '8',
      ss_gradient_accumulation_steps: '1',
      ss_network_dim: '4',
      ss_base_model_version: 'sd_v1',
      ss_network_module: 'networks.lora',
      ss_learning_rate: '0.001',
      ss_seed: '42',
      ss_sd_model_name: expect.any(String),
      ss_training_started_at: expect.stringMatching(/^\d+\.\d+$/),
    },
  });
  expect(await readCheckpoints(join(output, 'nowhere'), 'mylora')).toEqual([]);
});

test('a checkpoint that is being written is shown as such, and as whole once it is', async () => {
  const path = join(folder.path, 'cat.safetensors');
  await cp(weights, path);
  await truncate(path, 300_000);
  expect(await readCheckpoints(folder.path, 'cat')).toMatchObject([{ name: 'cat.safetensors', whole: false }]);
  await cp(weights, path);
  expect(await readCheckpoints(folder.path, 'cat')).toMatchObject([{ whole: true, told: { ss_network_dim: '4' } }]);
});

test('newest first, whatever their numbers', async () => {
  for (const [name, time] of [
    ['cat-000009', 1],
    ['cat-000002', 3],
    ['cat', 2],
  ] as const) {
    await cp(weights, join(folder.path, `${name}.safetensors`));
    await utimes(join(folder.path, `${name}.safetensors`), time, time);
  }
  expect((await readCheckpoints(folder.path, 'cat')).map(({ name }) => name)).toEqual([
    'cat-000002.safetensors',
    'cat.safetensors',
    'cat-000009.safetensors',
  ]);
});

test('what is no weights file says so in words', async () => {
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), 'is empty'],
    [Buffer.from('abc'), 'is cut short'],
    [Buffer.alloc(100, 0xff), 'is not a safetensors file'],
    [Buffer.concat([Buffer.from([8, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('not json')]), 'has a broken header'],
    [Buffer.concat([await readFile(weights), Buffer.from('x')]), 'is longer than its header says'],
  ];
  for (const [bytes, words] of cases) {
    await writeFile(join(folder.path, 'a.safetensors'), bytes);
    expect(await readSafetensors(join(folder.path, 'a.safetensors'))).toBe(words);
  }
});

test('samples come newest first, and without the one that is being written', async () => {
  await cp(join(output, 'sample'), join(folder.path, 'sample'), { recursive: true });
  const names = (await readSamples(folder.path)).map(({ name }) => name);
  expect(names).toEqual([
    'mylora_e000003_00_20261122015446_42.png',
    'mylora_e000003_01_20261122015446.png',
    'mylora_e000001_01_20261122015436.png',
    'mylora_e000001_00_20261122015435_42.png',
  ]);
  expect(await newestSample(folder.path)).toBe(names[0]);
  await truncate(join(folder.path, 'sample', names[0] ?? ''), 5000);
  expect((await readSamples(folder.path)).map(({ name }) => name)).toEqual(names.slice(1));
  expect(await newestSample(folder.path)).toBe(names[1]);
});

test('no samples yet', async () => {
  expect(await readSamples(folder.path)).toEqual([]);
  expect(await newestSample(folder.path)).toBeNull();
});
