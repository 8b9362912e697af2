import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { appInProcess } from '../../inProcess.js';

const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));
const here = appInProcess({ TRACKSIDE_SD_SCRIPTS: standIn });
afterAll(() => here.leave());

type Answer = {
  name: string;
  trainer: string;
  settings: Record<string, unknown>;
  error?: { message: string; field?: string };
};

async function draftOf(config: string, more: object = {}): Promise<Answer & { notes?: string }> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const answer = await here.ask('/sessions', { method: 'POST', headers, body: JSON.stringify({ config, ...more }) });
  return (await answer.json()) as Answer;
}

const TOML = `
pretrained_model_name_or_path = "/elsewhere/flux1-dev.safetensors"
ae = "/elsewhere/ae.safetensors"
[network]
network_module = "networks.lora_flux"
network_dim = 16
network_alpha = 8
network_args = ["train_blocks=single"]
[training]
output_name = "My Cat"
output_dir = "/elsewhere/out"
learning_rate = 0.0005
lr_scheduler = "cosine"
lr_warmup_steps = 100
max_train_epochs = 12
save_every_n_epochs = 2
max_data_loader_n_workers = 1
seed = 7
resolution = "768,768"
fp8_base = true
sdpa = true
highvram = false
bogus = 3
`;

test('a configuration file becomes a draft with its values, and the notes say what has no place in it', async () => {
  const draft = await draftOf(TOML, { vram: '24G' });
  expect(draft.error ?? null).toBeNull();
  expect(draft).toMatchObject({ lora_name: 'My Cat', trainer: 'sd-scripts/flux', status: 'draft' });
  expect(draft.settings).toMatchObject({
    ...{ network_dim: 16, learning_rate: '0.0005', max_train_epochs: 12, save_every_n_epochs: 2, workers: 1, seed: 7 },
    resolution: 768,
  });
  expect(draft.settings.arguments).toMatchObject({
    ...{ network_module: 'networks.lora_flux', network_alpha: 8, lr_scheduler: 'cosine', lr_warmup_steps: 100 },
    ...{ network_args: ['train_blocks=single'], fp8_base: true, sdpa: true },
  });
  for (const left of ['output_dir = "/elsewhere/out"', 'bogus = 3', 'ae = "/elsewhere/ae.safetensors"'])
    expect(draft.notes).toContain(left);
});

test('what the request itself says wins, and JSON is read as well', async () => {
  const json = JSON.stringify({ network_dim: 8, max_train_steps: 45, gemma2: '/x', resolution: 1024, v2: false });
  const draft = await draftOf(json, { lora_name: 'dog', dataset: 'example', num_repeats: 1, resolution: 512 });
  expect(draft.error ?? null).toBeNull();
  // Ten pictures: five epochs for 45 steps.
  expect(draft).toMatchObject({
    trainer: 'sd-scripts/lumina',
    settings: { network_dim: 8, max_train_epochs: 5, resolution: 512 },
  });
});

test.each([
  ['[general\nx', 'config'],
  ['[]', 'config'],
  ['network_dim = 4', 'trainer'],
])('a file that cannot be read, or tells no family, is refused in words: %j', async (config, field) => {
  const { error } = await draftOf(config, { lora_name: 'no' });
  expect(error).toMatchObject({ field });
  expect(error?.message.length).toBeGreaterThan(30);
});
