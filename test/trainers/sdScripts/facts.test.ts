import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { models as weights, writeWeights } from '../../models/weights.js';
import {
  exampleDataset,
  makeTestSidecars,
  projectRoot,
  type Sidecar,
  type TestSidecars,
  until,
} from '../../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;
let models: string;

const standIn = join(projectRoot, 'test', 'sd-scripts', 'standIn', 'checkout');
const page = { Accept: 'text/html' };

beforeAll(async () => {
  place = makeTestSidecars();
  models = join(place.folder, 'models');
  const bin = join(place.folder, 'bin');
  for (const path of [models, bin, join(place.datasets, 'any-cats')]) mkdirSync(path, { recursive: true });
  cpSync(exampleDataset, join(place.datasets, 'cats'), { recursive: true });
  cpSync(join(exampleDataset, '01-morning.png'), join(place.datasets, 'any-cats', '1.png'));
  writeFileSync(join(bin, 'nvidia-smi'), '#!/bin/sh\necho "0, NVIDIA RTX 4080, 550.1, 16376, 16000"\n', {
    mode: 0o755,
  });
  writeWeights(join(models, 'flux1-dev.safetensors'), weights.fluxDev);
  sidecar = await place.serve({
    TRACKSIDE_SD_SCRIPTS: standIn,
    TRACKSIDE_MODELS: models,
    PATH: `${bin}:${process.env.PATH}`,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  // Its parsers are asked in the background; what follows looks at the form with all flags.
  await until(
    async () => (await request(sidecar.url.slice(0, -1)).get('/new?trainer=sd-scripts/flux').set(page)).text,
    (text) => text.includes('arguments[huber_c]'),
  );
});
afterAll(() => place.leave());

const form = (fields: Record<string, unknown>, address = '/new') =>
  request(sidecar.url.slice(0, -1))
    .post(address)
    .set(page)
    .type('form')
    .send(fields as object);

const typedIn = (html: string, name: string) =>
  new RegExp(`name="${name.replace(/[[\]]/g, '\\$&')}" value="([^"]*)"`).exec(html)?.[1];

/** The chosen option of a select. */
const chosenOf = (html: string, name: string) => {
  const select = new RegExp(`<select[^>]* name="${name.replace(/[[\]]/g, '\\$&')}"[\\s\\S]*?</select>`).exec(html)?.[0];
  return /value="([^"]*)" selected/.exec(select ?? '')?.[1];
};

describe('the page of trainers', () => {
  test('tells folder, Python, GPU and what is missing, with what to type', async () => {
    const { text } = await request(sidecar.url.slice(0, -1)).get('/trainers').set(page).expect(200);
    expect(text).toContain(standIn);
    expect(text).toContain('0: NVIDIA RTX 4080, 16 GB');
    const { body } = await request(sidecar.url.slice(0, -1)).get('/trainers/sd-scripts');
    expect(body).toMatchObject({ path: standIn, gpus: [{ index: 0, name: 'NVIDIA RTX 4080' }] });
    expect(body.missing.join(' ')).toMatch(/torch.* missing.*-m pip install torch/);
  });

  test('every family is listed, and tells its arguments', async () => {
    const all = (await sidecar.get<{ id: string }[]>('trainers')).map(({ id }) => id);
    expect(all).toEqual(expect.arrayContaining(['practice', 'sd-scripts/flux', 'sd-scripts/sdxl', 'sd-scripts/anima']));
    const flux = await sidecar.get<{ arguments: { name: string; choices: string[] }[] }>('trainers/sd-scripts/flux');
    const names = flux.arguments.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['network_alpha', 'blocks_to_swap']));
    for (const own of ['output_dir', 'config_file', 'split_mode', 'network_dim']) expect(names).not.toContain(own);
    expect(flux.arguments.find(({ name }) => name === 'optimizer_type')?.choices).toContain('AdamW8bit');
  });
});

describe('the form', () => {
  test('takes the preset for the GPU that is here, says why, and the model file that is here', async () => {
    const { text } = await request(sidecar.url.slice(0, -1)).get('/new?trainer=sd-scripts/flux').set(page).expect(200);
    expect(chosenOf(text, 'vram')).toBe('16G');
    expect(text).toContain('NVIDIA RTX 4080 has 16 GB');
    expect(chosenOf(text, 'arguments[pretrained_model_name_or_path]')).toBe(join(models, 'flux1-dev.safetensors'));
    // What is not here can be downloaded.
    expect(text).toMatch(/>CLIP-L<[\s\S]{0,400}href="models">Download one/);
    expect(text).toMatch(/Set by the preset or by you[\s\S]*Adafactor \(preset\)/);
  });

  test('without JavaScript another trainer shows its own fields: what was typed stays, what merely stood there goes', async () => {
    const { text } = await form({
      show: 'true',
      shown: 'sd-scripts/flux flux-dev',
      trainer: 'sd-scripts/sdxl',
      lora_name: 'my cat',
      learning_rate: '8e-4',
      network_dim: '7',
      resolution: '512',
      vram: '16G',
      'arguments[pretrained_model_name_or_path]': '/models/flux.safetensors',
      'arguments[min_snr_gamma]': '5',
    }).expect(200);
    expect(typedIn(text, 'lora_name')).toBe('my cat');
    expect(typedIn(text, 'network_dim')).toBe('7');
    expect(typedIn(text, 'arguments[min_snr_gamma]')).toBe('5');
    expect(typedIn(text, 'learning_rate')).toBe('1e-4');
    expect(typedIn(text, 'resolution')).toBe('1024');
    expect(chosenOf(text, 'vram')).toBe('12G');
    expect(text).not.toContain('/models/flux.safetensors');
    expect(await sidecar.get('sessions')).toEqual([]);
  });

  test('the practice trainer keeps its few fields', async () => {
    const { text } = await request(sidecar.url.slice(0, -1)).get('/new').set(page).expect(200);
    for (const name of ['vram', 'base_model', 'gpus', 'guidance_scale', 'reg_datasets']) {
      expect(text).not.toContain(`name="${name}"`);
    }
  });
});

describe('a training of sd-scripts', () => {
  const flux = (more: Record<string, unknown> = {}) => ({ trainer: 'sd-scripts/flux', dataset: 'cats', ...more });
  const draft = async (name: string, more: Record<string, unknown>) =>
    sidecar.send('POST', 'sessions', flux({ lora_name: name, ...more }));

  test('is recorded with preset, model files and its own flags, under the names that existing tools read', async () => {
    const { status, body } = await draft('recorded', {
      arguments: { blocks_to_swap: 4, highvram: false },
      reg_datasets: 'any-cats 2 cat',
    });
    expect(status).toBe(201);
    expect(body.settings).toMatchObject({ base_model: 'flux-dev', vram: '16G', reg_datasets: 'any-cats 2 cat' });
    const { arguments: own } = JSON.parse(readFileSync(join(place.outputs, 'recorded', 'ui_state.json'), 'utf8'));
    const pretrained_model_name_or_path = join(models, 'flux1-dev.safetensors');
    expect(own).toEqual({ blocks_to_swap: 4, highvram: false, pretrained_model_name_or_path });
  });

  test('is refused before it starts, all at once: missing models, what does not go together, datasets that are not there', async () => {
    const { status, body } = await draft('refused', {
      start: true,
      arguments: { shuffle_caption: true, optimizer_type: 'os.system' },
      more_datasets: 'nothing 3',
    });
    expect(status).toBe(422);
    expect(body.error.fields).toHaveProperty(['arguments.optimizer_type']);
    const again = await draft('refused', {
      start: true,
      arguments: { shuffle_caption: true },
      more_datasets: 'nothing 3',
    });
    expect(Object.keys(again.body.error.fields).sort()).toEqual([
      'arguments.ae',
      'arguments.clip_l',
      'arguments.shuffle_caption',
      'arguments.t5xxl',
      'more_datasets',
    ]);
  });

  test('of a family whose checkout is gone is told what it needs', async () => {
    await draft('left-behind', {});
    const alone = await place.serve({ TRACKSIDE_SD_SCRIPTS: join(place.folder, 'nowhere') });
    const { status, body } = await alone.send('POST', 'sessions/left-behind/attempts', { kind: 'start' });
    expect(status).toBe(422);
    expect(body.error.message).toMatch(/needs kohya-ss\/sd-scripts.*nowhere, which does not exist/);
    const { text } = await request(alone.url.slice(0, -1)).get('/new').set(page);
    expect(text).toContain('install sd-scripts');
  });
});
