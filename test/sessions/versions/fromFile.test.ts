import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../../inProcess.js';

const standIn = fileURLToPath(new URL('../../sd-scripts/standIn/checkout', import.meta.url));
const LORA = fileURLToPath(new URL('../../fixtures/sd-scripts/tiny-output/mylora.safetensors', import.meta.url));

let here: InProcess;
beforeAll(() => {
  here = appInProcess({ TRACKSIDE_SD_SCRIPTS: standIn });
});
afterAll(() => here.leave());

type Draft = {
  name: string;
  lora_name: string;
  trainer: string;
  taken: { field: string; value: unknown; from: string }[];
  not_taken: { from: string; value: unknown; why: string }[];
  not_said: string[];
  settings: Record<string, unknown> & { arguments: Record<string, unknown> };
  error?: { message: string; field?: string; code: string };
};

async function draftOf(name: string, body: string | Uint8Array, query = ''): Promise<Draft> {
  const address = `/drafts/from-file?name=${encodeURIComponent(name)}${query}`;
  const answer = await here.ask(address, { method: 'POST', body, headers: { Accept: 'application/json' } });
  return (await answer.json()) as Draft;
}

const why = (draft: Draft, from: string) => draft.not_taken.find((each) => each.from === from)?.why;

/** A weights file of one number with this metadata, or only its header. */
function weights(metadata: Record<string, string>): Buffer {
  const tensor = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, w: tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(4)]);
}

const FLUX_SCRIPT = String.raw`#!/bin/bash
accelerate launch \
  --mixed_precision bf16 \
  sd-scripts/flux_train_network.py \
  --pretrained_model_name_or_path "/gym/models/unet/flux1-schnell.sft" \
  --clip_l "/gym/models/clip/clip_l.safetensors" \
  --sdpa --persistent_data_loader_workers \
  --max_data_loader_n_workers 3 \
  --seed 7 \
  --network_module networks.lora_flux \
  --network_dim 8 \
  --optimizer_type adafactor \
  --optimizer_args "relative_step=False" "warmup_init=False" \
  --split_mode \
  --lr_scheduler constant_with_warmup \
  --sample_prompts="/gym/outputs/cat/sample_prompts.txt" --sample_every_n_steps="100" \
  --learning_rate 4e-4 \
  --max_train_epochs 12 \
  --save_every_n_epochs 3 \
  --dataset_config "/gym/outputs/cat/dataset.toml" \
  --output_dir "/gym/outputs/cat" \
  --output_name my-cat \
  --timestep_sampling shift \
  --huggingface_token hf_abcdefghijklmnopqrstuvwxyzABCD1234 ; rm -rf /gym
`;

test('a train.sh of FluxGym becomes a draft: its values are taken, its paths and its token are not', async () => {
  const draft = await draftOf('train.sh', FLUX_SCRIPT);
  expect(draft.error ?? null).toBeNull();
  expect(draft).toMatchObject({ lora_name: 'my-cat', trainer: 'sd-scripts/flux' });
  expect(draft.settings).toMatchObject({
    ...{ network_dim: 8, learning_rate: '4e-4', seed: 7, workers: 3, max_train_epochs: 12, save_every_n_epochs: 3 },
    ...{ timestep_sampling: 'shift', base_model: 'flux-schnell', sample_every_n_steps: 100 },
  });
  expect(draft.settings.arguments).toMatchObject({
    ...{ optimizer_type: 'Adafactor', optimizer_args: ['relative_step=False', 'warmup_init=False'] },
    ...{ blocks_to_swap: 18, lr_scheduler: 'constant_with_warmup' },
  });
  expect(why(draft, '--output_dir')).toContain('set by Trackside');
  expect(why(draft, '--clip_l')).toContain('another machine');
  expect(draft.not_taken.find(({ from }) => from === '--huggingface_token')).toMatchObject({ value: null });
  const all = JSON.stringify(draft) + readFileSync(join(here.settings.outputs, draft.name, 'ui_state.json'), 'utf8');
  expect(all).not.toContain('hf_abc');
  expect(all).not.toContain('rm -rf');
  expect(JSON.stringify(draft.settings)).not.toContain('/gym');
  expect(draft.not_said).toContain('Repeats per picture');
});

test('its dataset.toml gives the rest, with the pictures where a dataset of that name is here', async () => {
  const toml = `[general]\nshuffle_caption = false\ncaption_extension = '.txt'\nkeep_tokens = 1
[[datasets]]\nresolution = 768\nbatch_size = 2
  [[datasets.subsets]]\n  image_dir = '/gym/datasets/example'\n  class_tokens = 'ohwx cat'\n  num_repeats = 5`;
  const draft = await draftOf('dataset.toml', toml, '&trainer=sd-scripts/flux&lora_name=dogs');
  expect(draft).toMatchObject({ lora_name: 'dogs', trainer: 'sd-scripts/flux' });
  expect(draft.settings).toMatchObject({ resolution: 768, concept_sentence: 'ohwx cat', num_repeats: 5 });
  expect(draft.settings.arguments).toMatchObject({ train_batch_size: 2 });
  expect(draft.taken).toContainEqual({ field: 'dataset', value: 'example', from: 'image_dir' });
});

test('a configuration of kohya’s page becomes a draft, by its own names for flags', async () => {
  const page = {
    ...{ LoRA_type: 'Standard', sdxl: true, train_data_dir: 'D:\\pictures', output_name: 'style', epoch: 8 },
    ...{ learning_rate: 0.0002, network_dim: 32, network_alpha: 16, max_resolution: '1024,1024', seed: 5 },
    ...{
      optimizer: 'AdamW8bit',
      optimizer_args: 'weight_decay=0.1',
      lr_warmup: 10,
      lr_scheduler: 'cosine',
      xformers: 'sdpa',
    },
    ...{
      sample_prompts: 'a cat --w 512',
      save_every_n_steps: 0,
      noise_offset: 0,
      wandb_api_key: 'abc',
      multi_gpu: false,
    },
    ...{ sdxl_cache_text_encoder_outputs: true, flux1_cache_text_encoder_outputs: true, min_snr_gamma: 5 },
    ...{ pretrained_model_name_or_path: 'D:\\models\\sdxl-base.safetensors', model_list: 'custom' },
  };
  const draft = await draftOf('style.json', JSON.stringify(page));
  expect(draft.error ?? null).toBeNull();
  expect(draft).toMatchObject({ trainer: 'sd-scripts/sdxl', lora_name: 'style' });
  expect(draft.settings).toMatchObject({
    ...{ max_train_epochs: 8, learning_rate: '0.0002', network_dim: 32, resolution: 1024, seed: 5 },
    ...{ sample_prompts: 'a cat --w 512', base_model: 'sdxl-base' },
  });
  expect(draft.settings.arguments).toMatchObject({
    ...{ network_alpha: 16, optimizer_type: 'AdamW8bit', optimizer_args: ['weight_decay=0.1'], lr_warmup_steps: 0.1 },
    min_snr_gamma: 5,
  });
  expect(why(draft, 'train_data_dir')).toContain('another machine');
  expect(draft.not_taken.find(({ from }) => from === 'wandb_api_key')).toMatchObject({ value: null });
  expect(why(draft, 'model_list')).toContain('kohya_ss');
  expect(JSON.stringify(draft.settings)).not.toMatch(/D:|abc/);
});

test('a job of ai-toolkit becomes a draft where its fields have a counterpart', async () => {
  const yaml = `
job: extension
config:
  name: "my_flux"
  process:
    - type: sd_trainer
      device: cuda:0
      trigger_word: p3r5on
      network: {type: lora, linear: 16, linear_alpha: 8}
      save: {dtype: float16, save_every: 250, max_step_saves_to_keep: 4}
      datasets:
        - {folder_path: "/data/example", caption_ext: txt, resolution: [512, 768], shuffle_tokens: false}
      train:
        batch_size: 2
        steps: 40
        optimizer: adamw8bit
        lr: 1e-4
        dtype: bf16
        ema_config: {use_ema: true}
      model: {name_or_path: black-forest-labs/FLUX.1-dev, is_flux: true, quantize: true}
      sample: {sample_every: 250, width: 1024, height: 768, prompts: ["[trigger] in a park", "a cat"], seed: 42, walk_seed: true, guidance_scale: 4, sample_steps: 20}
`;
  const draft = await draftOf('job.yaml', yaml);
  expect(draft.error ?? null).toBeNull();
  expect(draft).toMatchObject({ trainer: 'sd-scripts/flux', lora_name: 'my_flux' });
  expect(draft.settings).toMatchObject({
    ...{
      concept_sentence: 'p3r5on',
      network_dim: 16,
      learning_rate: '0.0001',
      resolution: 768,
      base_model: 'flux-dev',
    },
    sample_prompts: 'p3r5on in a park --w 1024 --h 768 --d 42 --s 20 --g 4\na cat --w 1024 --h 768 --d 43 --s 20 --g 4',
    sample_every_n_steps: 250,
  });
  expect(draft.settings.arguments).toMatchObject({
    ...{ network_alpha: 8, optimizer_type: 'AdamW8bit', train_batch_size: 2, save_every_n_steps: 250 },
    ...{ fp8_base: true, save_precision: 'fp16', mixed_precision: 'bf16' },
  });
  expect(why(draft, 'train.ema_config')).toContain('nothing like it');
  expect(why(draft, 'datasets.resolution')).toContain('768, the largest');
  expect(why(draft, 'save.max_step_saves_to_keep')).toContain('keeps every checkpoint');
});

test('a LoRA of sd-scripts becomes a draft of all that its metadata says, and what it does not say is named', async () => {
  const draft = await draftOf('mylora.safetensors', readFileSync(LORA));
  expect(draft.error ?? null).toBeNull();
  expect(draft).toMatchObject({ trainer: 'sd-scripts/sd1', lora_name: 'mylora' });
  expect(draft.settings).toMatchObject({
    ...{ network_dim: 4, learning_rate: '0.001', max_train_epochs: 3, seed: 42, resolution: 64, num_repeats: 2 },
  });
  expect(draft.settings.arguments).toMatchObject({ network_alpha: '2.0', optimizer_type: 'AdamW' });
  expect(why(draft, 'ss_dataset_dirs')).toContain('no dataset of that name');
  expect(why(draft, 'ss_session_id')).toContain('starts from scratch');
  expect(draft.not_said).toContain('Sample prompts');
});

test('a checkpoint of a session here becomes a draft too, of the practice trainer as well', async () => {
  const folder = join(here.settings.outputs, 'old');
  mkdirSync(folder);
  cpSync(LORA, join(folder, 'old.safetensors'));
  const asked = await here.ask('/drafts/from-file?session=old&checkpoint=old.safetensors', {
    method: 'POST',
    headers: { Accept: 'text/html' },
  });
  expect([asked.status, asked.headers.get('location')]).toEqual([303, '../new?draft=mylora-v2']);
  const practice = { ss_base_model_version: 'practice', ss_network_dim: '8', ss_learning_rate: '0.002', ss_seed: '3' };
  const more = { ss_optimizer: 'practice.AdamW', ss_output_name: 'tiny', ss_num_epochs: '5' };
  const header = weights({ ...practice, ...more }).subarray(0, -4);
  expect(await draftOf('tiny.safetensors', header)).toMatchObject({
    trainer: 'practice',
    settings: { network_dim: 8, learning_rate: '0.002', seed: 3, max_train_epochs: 5 },
  });
});

test('a form without JavaScript sends the file itself, and leads to the draft', async () => {
  const form = new FormData();
  form.set('file', new Blob([FLUX_SCRIPT]), 'train.sh');
  const answer = await here.ask('/drafts/from-file', { method: 'POST', body: form, headers: { Accept: 'text/html' } });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '../new?draft=my-cat-v2']);
  expect(await (await here.ask('/new', { headers: { Accept: 'text/html' } })).text()).toContain('id="foreign-file"');
});

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h']
  .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(', ')}]`)
  .join('\n')}`;

test.each([
  ['notes.docx', 'x', 'Choose a .safetensors'],
  ['a.yaml', bomb, 'not valid YAML'],
  ['a.yaml', 'config: [', 'not valid YAML'],
  ['a.toml', '[general', 'not valid TOML'],
  ['a.json', '['.repeat(5000), 'nested too deeply'],
  ['a.sh', 'echo hello', 'runs no'],
  ['a.safetensors', 'PK', 'is not a safetensors file'],
  ['a.safetensors', weights({ format: 'pt' }), 'has no settings'],
  ['a.toml', 'network_dim = 4', 'choose the trainer'],
])('a file that says nothing is refused in words, and leaves nothing behind: %s', async (name, body, words) => {
  const { error } = await draftOf(name, body);
  expect(error?.message).toContain(words);
  expect(error?.message.length).toBeLessThan(300);
});

test.each([
  ['--output_name ../../etc/cron.d/x', 'lora_name'],
  ['--network_module os.system', 'network_module'],
  ['--config_file /etc/passwd', 'config_file'],
  ['--network_weights /etc/shadow', 'network_weights'],
  ['--resume /tmp/x', 'resume'],
  ['--log_prefix ../../x', 'log_prefix'],
])('nothing hostile comes in by a file: %s', async (flags) => {
  const script = `python flux_train_network.py --learning_rate 1e-4 ${flags}`;
  const draft = await draftOf('evil.sh', script);
  expect(draft.name).toMatch(/^[a-z0-9-]+$/);
  const { arguments: own, ...settings } = draft.settings;
  expect(JSON.stringify([own, settings])).not.toMatch(/os\.system|\/etc|\/tmp|\.\.\//);
});
