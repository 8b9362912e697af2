import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { appInProcess } from '../../inProcess.js';
import { quick } from '../../sidecar.js';

const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));
const here = appInProcess({ TRACKSIDE_SD_SCRIPTS: standIn });
afterAll(() => here.leave());

async function send(method: string, path: string, body: object) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const answer = await here.ask(path, { method, headers, body: JSON.stringify(body) });
  const told = (await answer.json()) as { error?: { code: string; message: string; fields?: Record<string, string> } };
  return { ...told, status: answer.status };
}

test.each([
  ['learning_rat', 'learning_rate'],
  ['learningRate', 'learning_rate'],
  ['repeats', null],
  ['num_repeat', 'num_repeats'],
  ['max_train_epoch', 'max_train_epochs'],
  ['Seed', 'seed'],
  ['network-dim', 'network_dim'],
  ['sample_prompt', 'sample_prompts'],
  ['argument', 'arguments'],
  ['dataset_path', null],
  ['trigger', null],
])('a name that no setting has is refused, with the nearest one: %s', async (name, meant) => {
  const { status, error } = await send('POST', '/sessions', { ...quick, lora_name: 'slip', [name]: '1' });
  expect(status).toBe(422);
  const words = error?.fields?.[name] ?? '';
  expect(words).toContain(`“${name}” is not known here`);
  if (meant) expect(words).toBe(`“${name}” is not known here. Did you mean ${meant}?`);
  else expect(words).toContain('learning_rate, ');
});

test('a flag of the trainer among the settings is told where it belongs', async () => {
  const asked = { ...quick, trainer: 'sd-scripts/sd1', lora_name: 'slip', vram: 'CPU', network_alpha: 4 };
  const { error } = await send('POST', '/sessions', asked);
  expect(error?.fields?.network_alpha).toBe('“network_alpha” is a flag of the trainer: give it inside arguments.');
});

test('also where a draft is changed, an attempt begun or ended, a LoRA published and a model fetched', async () => {
  await here.draft({ lora_name: 'kept' });
  for (const [method, path, body, meant] of [
    ['PATCH', '/sessions/kept', { note: 'x' }, 'notes'],
    ['PATCH', '/sessions/kept', { max_train_epochs: 2, sed: 7 }, 'seed'],
    ['POST', '/sessions/kept/attempts', { kind: 'start', max_train_epoch: 8 }, 'max_train_epochs'],
    ['DELETE', '/sessions/kept/attempts/current', { wen: 'now' }, 'when'],
    ['POST', '/sessions/kept/publication', { repo: 'a/b', checkpoint: [] }, 'checkpoints'],
    ['POST', '/models/downloads', { familly: 'sd-scripts/sd1' }, 'family'],
  ] as const) {
    const { status, error } = await send(method, path, body);
    expect([path, status, error?.message]).toEqual([path, 422, expect.stringContaining(`Did you mean ${meant}?`)]);
  }
  const record = JSON.parse(readFileSync(join(here.settings.outputs, 'kept', 'ui_state.json'), 'utf8'));
  expect(record).toMatchObject({ max_train_epochs: 4, seed: 42 });
});

test('of many unknown names the first twenty are told', async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x${at}`, 1]));
  const { status, error } = await send('POST', '/sessions', { ...quick, lora_name: 'slip', ...many });
  expect([status, Object.keys(error?.fields ?? {}).length]).toEqual([422, 20]);
});

/** Ten pictures: ten steps an epoch. */
test.each([
  [{ max_train_steps: 35 }, 4],
  [{ max_train_steps: '40' }, 4],
  [{ max_train_steps: 1 }, 1],
  [{ max_train_steps: 100, num_repeats: 5 }, 2],
  [{ max_train_steps: 1600 }, 160],
])('so many steps become whole epochs, which a resume ends after, too: %j', async (asked, epochs) => {
  const name = `steps${JSON.stringify(asked).replaceAll(/\W/g, '')}`;
  const { max_train_epochs: _, ...rest } = quick;
  const { status } = await send('POST', '/sessions', { ...rest, ...asked, lora_name: name });
  expect(status).toBe(201);
  const facts = (await (await here.ask(`/sessions/${name}`)).json()) as { settings: object };
  expect(facts.settings).toMatchObject({ max_train_epochs: epochs });
});

test('steps that are no number, beside epochs, or without pictures are refused in words', async () => {
  const { max_train_epochs: _, dataset: __, ...rest } = quick;
  for (const [asked, words] of [
    [{ max_train_steps: 'many' }, 'whole number'],
    [{ max_train_steps: 0.5 }, 'whole number'],
    [{ max_train_steps: 10, max_train_epochs: 2 }, 'either'],
    [{ max_train_steps: 10, dataset: '' }, 'Choose the dataset'],
  ] as const) {
    const { status, error } = await send('POST', '/sessions', {
      ...rest,
      dataset: 'example',
      lora_name: 'steps',
      ...asked,
    });
    expect([status, error?.fields?.max_train_steps]).toEqual([422, expect.stringContaining(words)]);
  }
});
