import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { modelRoles } from '../../../sidecar/models/roles.js';
import { families, findFamily } from '../../../sidecar/trainers/sdScripts/families.js';
import type { Family } from '../../../sidecar/trainers/sdScripts/family.js';
import { presetsOf } from '../../../sidecar/trainers/sdScripts/layers.js';
import { readSubsets } from '../../../sidecar/trainers/subsets.js';
import { everyCommand, inputOf, trainerOf } from './commands.js';
import facts from './parserFacts.json' with { type: 'json' };

const family = (id: string) => findFamily(`sd-scripts/${id}`) as Family;
const commandOf = (id: string, settings = {}, own = {}) =>
  trainerOf(family(id)).command(inputOf(family(id), settings, { arguments: own })).argv;
const conflictsOf = (id: string, own: Record<string, string | number | boolean | string[]>, settings = {}) =>
  trainerOf(family(id)).conflicts?.(inputOf(family(id), settings).settings, own) ?? {};

type Fact = { type: string; choices?: string[] };
const factsOf = (script: string) => (facts as Record<string, Record<string, Fact>>)[script] ?? {};

test('every flag of every preset of every family is one that its script takes, with a value of its type', () => {
  const wrong: string[] = [];
  for (const { family, preset, flags } of everyCommand()) {
    let list: string | null = null;
    for (const token of flags) {
      if (!token.startsWith('--')) {
        if (!list) wrong.push(`${family.id} ${preset}: ${token} stands alone`);
        continue;
      }
      const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(token) ?? [];
      const fact = factsOf(family.script)[name];
      list = fact?.type === 'list' ? name : null;
      if (!fact) wrong.push(`${family.id} ${preset}: ${family.script} has no --${name}`);
      else if (!fits(fact, value)) wrong.push(`${family.id} ${preset}: --${name} takes no ${value}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(everyCommand().length).toBeGreaterThan(40);
});

function fits({ type, choices }: Fact, value: string | undefined): boolean {
  if (type === 'switch' || type === 'list') return value === undefined;
  if (value === undefined || (choices && !choices.includes(value))) return false;
  if (type === 'integer') return /^-?\d+$/.test(value);
  return type !== 'number' || Number.isFinite(Number(value));
}

test('no preset holds what its script refuses, whatever the base model', () => {
  for (const each of families) {
    for (const { value: base_model } of each.baseModels) {
      for (const { vram } of presetsOf(each)) {
        const { settings } = inputOf(each, { vram, base_model });
        expect([each.id, vram, trainerOf(each).conflicts?.(settings, {})]).toEqual([each.id, vram, {}]);
      }
    }
  }
});

test('presets begin with the largest GPU, have a reason, and end with one that needs none', () => {
  for (const each of families) {
    const presets = presetsOf(each);
    expect(presets.map(({ gib }) => gib)).toEqual([...presets.map(({ gib }) => gib)].sort((a, b) => b - a));
    expect(new Set(presets.map(({ vram }) => vram)).size).toBe(presets.length);
    expect(presets.every(({ why }) => why.endsWith('.'))).toBe(true);
    expect(presets.at(-1)?.vram).toBe('CPU');
  }
});

test('each family asks for its main model first, and for roles that can be recognised', () => {
  for (const { needs } of families) {
    expect(needs[0]?.flag).toBe('pretrained_model_name_or_path');
    expect(needs.every(({ role }) => modelRoles.includes(role))).toBe(true);
  }
});

describe('the command', () => {
  test("FluxGym's 12G preset, launched without asking the machine's own configuration, blocks swapped by number", () => {
    expect(commandOf('flux', { vram: '12G', sample_prompts: 'a cat', sample_every_n_steps: 50 })).toEqual([
      '/venv/bin/python',
      '-m',
      'accelerate.commands.launch',
      ...['--num_processes', '1', '--num_machines', '1', '--mixed_precision', 'bf16'],
      ...['--dynamo_backend', 'no', '--num_cpu_threads_per_process', '1'],
      '/sd-scripts/flux_train_network.py',
      '--pretrained_model_name_or_path=/models/flux.safetensors',
      '--clip_l=/models/clip_l.safetensors',
      '--t5xxl=/models/t5xxl.safetensors',
      '--ae=/models/ae.safetensors',
      '--tokenizer_cache_dir=/models/tokenizers',
      '--network_module=networks.lora_flux',
      '--cache_latents',
      '--cache_latents_to_disk',
      '--gradient_checkpointing',
      '--persistent_data_loader_workers',
      '--mixed_precision=bf16',
      '--save_precision=bf16',
      '--optimizer_type=Adafactor',
      '--lr_scheduler=constant_with_warmup',
      '--network_alpha=1',
      '--cache_text_encoder_outputs',
      '--cache_text_encoder_outputs_to_disk',
      '--sdpa',
      '--highvram',
      '--discrete_flow_shift=3.1582',
      '--model_prediction_type=raw',
      '--loss_type=l2',
      '--fp8_base',
      ...['--optimizer_args', 'relative_step=False', 'scale_parameter=False', 'warmup_init=False'],
      '--max_grad_norm=0',
      '--blocks_to_swap=18',
      ...['--network_args', 'train_blocks=single'],
      '--network_dim=4',
      '--learning_rate=8e-4',
      '--seed=42',
      '--max_data_loader_n_workers=2',
      '--guidance_scale=1',
      '--timestep_sampling=shift',
      '--max_train_epochs=16',
      '--save_every_n_epochs=4',
      '--save_state',
      '--sample_every_n_steps=50',
      '--dataset_config=/out/cat/dataset.toml',
      '--output_dir=/out/cat',
      '--output_name=cat',
      '--save_model_as=safetensors',
      '--logging_dir=/out/cat/logs',
      '--sample_prompts=/out/cat/sample_prompts.txt',
    ]);
  });

  test('without a GPU it trains on the processor, in full precision, with an optimizer that can', () => {
    const argv = commandOf('sd1', { vram: 'CPU' });
    expect(argv.slice(3, 10).join(' ')).toBe('--cpu --num_processes 1 --num_machines 1 --mixed_precision no');
    expect(argv).toEqual(expect.arrayContaining(['--mixed_precision=no', '--optimizer_type=AdamW']));
    expect(argv.some((token) => /8bit|fp8|save_precision/.test(token))).toBe(false);
  });

  test('several GPUs share one run, and a resume tells them the step, for they divide the epoch twice', () => {
    const flux = family('flux');
    const resume = { statePath: '/out/cat/cat-000004-state', firstEpoch: 5, firstStep: 40 };
    const { argv } = trainerOf(flux).command(inputOf(flux, {}, { gpus: [0, 1], resume }));
    expect(argv.slice(3, 6)).toEqual(['--multi_gpu', '--num_processes', '2']);
    expect(argv).toEqual(expect.arrayContaining([`--resume=${resume.statePath}`, '--initial_step=40']));
    const alone = trainerOf(flux).command(inputOf(flux, {}, { resume })).argv;
    expect(alone).toEqual(expect.arrayContaining([`--resume=${resume.statePath}`, '--initial_epoch=5']));
  });

  test('what a person says wins over the preset, also to switch something off; what the family needs stays', () => {
    const argv = commandOf('flux', { vram: '12G' }, { blocks_to_swap: 30, highvram: false, network_alpha: 4 });
    expect(argv).toEqual(expect.arrayContaining(['--blocks_to_swap=30', '--network_alpha=4']));
    expect(argv).not.toContain('--highvram');
    expect(commandOf('chroma', {}, { model_type: 'flux' })).toContain('--model_type=chroma');
    expect(commandOf('sd2', { base_model: 'sd21' })).toEqual(expect.arrayContaining(['--v2', '--v_parameterization']));
    expect(commandOf('sd2', { base_model: 'sd21-base' })).not.toContain('--v_parameterization');
  });

  test('workers that stay are not asked for where there are none', () => {
    expect(commandOf('flux', { workers: 0 })).not.toContain('--persistent_data_loader_workers');
  });

  test('--split_mode is never written, nor offered', () => {
    expect(everyCommand().some(({ argv }) => argv.some((token) => token.startsWith('--split_mode')))).toBe(false);
    const known = [
      { name: 'split_mode', flags: [], type: 'switch', default: false, choices: null, help: null, group: null },
    ];
    expect(trainerOf(family('flux')).furtherArguments(known as never)).toEqual([]);
  });
});

describe('dataset.toml', () => {
  const datasetOf = (settings = {}, own = {}) => {
    const flux = trainerOf(family('flux'));
    const input = inputOf(family('flux'), settings, { arguments: own });
    const file = flux.files(input, flux.command(input)).find(({ name }) => name === 'dataset.toml');
    return parse(file?.content ?? '');
  };

  test('names the own pictures, further datasets and regularisation pictures, each with its repeats', () => {
    const settings = {
      concept_sentence: "o'cat",
      num_repeats: 10,
      more_datasets: 'close-ups 5\r\n\nportraits',
      reg_datasets: 'any-cats 1 a "cat"',
    };
    expect(datasetOf(settings)).toEqual({
      general: { caption_extension: '.txt', shuffle_caption: false, keep_tokens: 1 },
      datasets: [
        {
          ...{ resolution: 512, batch_size: 1, enable_bucket: true, min_bucket_reso: 256, max_bucket_reso: 1024 },
          subsets: [
            { image_dir: '/data/cats', class_tokens: "o'cat", num_repeats: 10 },
            { image_dir: '/data/close-ups', class_tokens: "o'cat", num_repeats: 5 },
            { image_dir: '/data/portraits', class_tokens: "o'cat", num_repeats: 1 },
            { image_dir: '/data/any-cats', class_tokens: 'a "cat"', num_repeats: 1, is_reg: true },
          ],
        },
      ],
    });
  });

  test('trains each dataset at a resolution of its own, where its line says one', () => {
    const settings = {
      resolution: 512,
      more_datasets: 'faces 5 @768 a face\nscenes @1024',
      reg_datasets: 'any 2 @768',
    };
    const { datasets } = datasetOf(settings) as {
      datasets: { resolution: number; subsets: { image_dir: string }[] }[];
    };
    expect(datasets.map(({ resolution, subsets }) => [resolution, subsets.map((each) => each.image_dir)])).toEqual([
      [512, ['/data/cats']],
      [768, ['/data/faces', '/data/any']],
      [1024, ['/data/scenes']],
    ]);
    for (const line of ['faces @100', 'faces 2 @', 'faces @99999', 'faces @768px'])
      expect(readSubsets(line)).toEqual({ wrong: expect.stringContaining('@768') });
  });

  test('holds what flags say of it, for it wins over them', () => {
    const own = { train_batch_size: 2, keep_tokens: 3, shuffle_caption: true };
    expect(datasetOf({}, own)).toMatchObject({
      general: { shuffle_caption: true, keep_tokens: 3 },
      datasets: [{ batch_size: 2 }],
    });
  });

  test.each(['../../etc', '.hidden 2', 'a/b', 'cats 0'])('a line that names no dataset is refused: %s', (line) => {
    expect(readSubsets(line)).toEqual({ wrong: expect.stringContaining(line) });
  });
});

describe('what a script would refuse is said before', () => {
  test.each<[string, string, Parameters<typeof conflictsOf>[1], string]>([
    ['flux', 'cached texts cannot be shuffled', { shuffle_caption: true }, 'shuffle_caption'],
    ['flux', 'nor dropped', { caption_dropout_rate: 0.1 }, 'caption_dropout_rate'],
    ['flux', 'nor warmed up', { token_warmup_step: 0.5 }, 'token_warmup_step'],
    ['flux', 'cached T5 cannot be trained', { network_args: ['train_t5xxl=True'] }, 'network_args'],
    [
      'flux',
      'two ways to offload',
      { blocks_to_swap: 4, cpu_offload_checkpointing: true },
      'cpu_offload_checkpointing',
    ],
    ['flux', 'more blocks than there are', { blocks_to_swap: 36 }, 'blocks_to_swap'],
    ['sd3', 'more blocks than Medium has, as documented', { blocks_to_swap: 32 }, 'blocks_to_swap'],
    ['sdxl', 'cached texts need the U-Net alone', { network_train_unet_only: false }, 'network_train_unet_only'],
    ['anima', 'cached texts need the model alone', { network_train_unet_only: false }, 'network_train_unet_only'],
    ['flux', 'a bucket step that it refuses', { bucket_reso_steps: 32 }, 'bucket_reso_steps'],
    ['sd1', 'augmentation of cached latents', { color_aug: true }, 'color_aug'],
    [
      'sd1',
      'nothing left to train',
      { network_train_unet_only: true, network_train_text_encoder_only: true },
      'network_train_text_encoder_only',
    ],
    ['sdxl', 'full_bf16 without bf16', { full_bf16: true, mixed_precision: 'fp16' }, 'full_bf16'],
    ['sd1', 'warm-up of a constant rate', { lr_warmup_steps: 10 }, 'lr_warmup_steps'],
    ['sd1', 'warm-up by parts of a constant rate', { lr_warmup_steps: '10%' }, 'lr_warmup_steps'],
    [
      'sd1',
      'warm-up of relative steps',
      { optimizer_type: 'Adafactor', lr_scheduler: 'cosine', lr_warmup_steps: 5 },
      'lr_warmup_steps',
    ],
    ['sd1', 'warm-up that is no number', { lr_scheduler: 'cosine', lr_warmup_steps: 'abc' }, 'lr_warmup_steps'],
    ['sd1', 'warm-up of one step and a half', { lr_scheduler: 'cosine', lr_warmup_steps: '1.5' }, 'lr_warmup_steps'],
    ['sd1', 'a schedule without its least rate', { lr_scheduler: 'cosine_with_min_lr' }, 'lr_scheduler'],
    ['sd1', 'a schedule without its rules', { lr_scheduler: 'piecewise_constant' }, 'lr_scheduler'],
    ['sd1', "torch's schedule without its steps", { lr_scheduler_type: 'StepLR' }, 'lr_scheduler_type'],
    [
      'sd1',
      'half of what a schedule needs',
      { lr_scheduler_type: 'CyclicLR', lr_scheduler_args: ['base_lr=1e-5'] },
      'lr_scheduler_type',
    ],
    ['flux', 'no pictures a batch', { train_batch_size: 0 }, 'train_batch_size'],
    ['flux', 'no batches together', { gradient_accumulation_steps: 0 }, 'gradient_accumulation_steps'],
    ['sd3', 'saves every 0 steps', { save_every_n_steps: 0 }, 'save_every_n_steps'],
    ['sd3', 'samples every 0 epochs', { sample_every_n_epochs: 0 }, 'sample_every_n_epochs'],
    ['sd3', 'files removed as they are saved', { save_last_n_epochs: 0 }, 'save_last_n_epochs'],
    ['anima', 'latents of no pictures at once', { vae_batch_size: 0 }, 'vae_batch_size'],
    ['sd1', 'more layers than there are', { clip_skip: 13 }, 'clip_skip'],
    ['sd1', 'a dropout of all', { network_dropout: 2 }, 'network_dropout'],
    ['sd1', 'the rank of no weights', { dim_from_weights: true }, 'dim_from_weights'],
    ['sd1', 'nothing to train', { network_train_unet_only: true, unet_lr: 0 }, 'unet_lr'],
    ['sdxl', 'fp8 in full precision', { fp8_base: true, mixed_precision: 'no' }, 'fp8_base'],
    ['sd1', 'fp8 of the U-Net in full precision', { fp8_base_unet: true, mixed_precision: 'no' }, 'fp8_base_unet'],
    ['sd1', 'network arguments without a sign', { network_args: ['conv_dim'] }, 'network_args'],
    ['sd1', 'network arguments that are no numbers', { network_args: ['conv_dim=x'] }, 'network_args'],
    ['sd1', 'two signs in one', { network_args: ['conv_dim=4=2'] }, 'network_args'],
    ['sd1', 'optimizer arguments without a sign', { optimizer_args: ['weight_decay'] }, 'optimizer_args'],
    [
      'sd1',
      'optimizer arguments that Python does not read',
      { optimizer_args: ['weight_decay=abc'] },
      'optimizer_args',
    ],
    ['sd1', 'a switch that Python does not read', { optimizer_args: ['amsgrad=true'] }, 'optimizer_args'],
    [
      'sd1',
      'schedule arguments without a sign',
      { lr_scheduler: 'polynomial', lr_scheduler_args: ['power'] },
      'lr_scheduler_args',
    ],
    [
      'sdxl',
      'a rank that is no multiple of the unit',
      { network_module: 'networks.dylora', network_args: ['unit=3'] },
      'network_args',
    ],
    ['flux', 'a loss that needs a ratio which flows have not', { loss_type: 'huber' }, 'huber_schedule'],
    ['sd3', 'the smooth loss, too', { loss_type: 'smooth_l1' }, 'huber_schedule'],
    ['sd2', 'factors of no weights', { base_weights_multiplier: ['1'] }, 'base_weights_multiplier'],
  ])('%s: %s', (id, _, own, field) => {
    expect(Object.keys(conflictsOf(id, own))).toEqual([`arguments.${field}`]);
  });

  test('what fits together is not complained about', () => {
    expect(conflictsOf('anima', { caption_dropout_rate: 0.1 })).toEqual({});
    expect(conflictsOf('sd3', { blocks_to_swap: 32 }, { base_model: 'sd3.5-large' })).toEqual({});
    expect(conflictsOf('sdxl', { bucket_reso_steps: 32 })).toEqual({});
    const uncached = { cache_text_encoder_outputs: false, cache_text_encoder_outputs_to_disk: false };
    expect(conflictsOf('flux', { shuffle_caption: true, ...uncached })).toEqual({});
    const fine: Parameters<typeof conflictsOf>[1][] = [
      { lr_scheduler: 'cosine', lr_warmup_steps: 100 },
      {
        optimizer_type: 'Adafactor',
        optimizer_args: ['relative_step=False'],
        lr_scheduler: 'cosine',
        lr_warmup_steps: 9,
      },
      { lr_scheduler: 'constant_with_warmup', lr_warmup_steps: '0.05' },
      { lr_scheduler: 'cosine_with_min_lr', lr_scheduler_min_lr_ratio: 0.1, lr_warmup_steps: '5%' },
      { lr_scheduler_type: 'OneCycleLR', lr_scheduler_args: ['max_lr=1e-3', 'total_steps=100'] },
      { lr_scheduler_type: 'LinearLR' },
      { optimizer_type: 'AdamWScheduleFree', lr_warmup_steps: 10 },
      { optimizer_args: ['weight_decay=0.01', 'betas=(0.9, 0.99)', 'amsgrad=True', 'decouple = None'] },
      { network_args: ['conv_dim=4', 'conv_alpha=1', 'block_dims=2,2,4', 'preset=attn-mlp'] },
      { loss_type: 'huber', huber_schedule: 'snr', clip_skip: 2, sample_every_n_epochs: 1 },
      { network_weights: '/models/a.safetensors', dim_from_weights: true },
      { fp8_base: true, mixed_precision: 'bf16', min_snr_gamma: 0, max_grad_norm: 0 },
    ];
    for (const own of fine) expect([own, conflictsOf('sd1', own)]).toEqual([own, {}]);
    expect(conflictsOf('flux', { loss_type: 'huber', huber_schedule: 'constant' })).toEqual({});
  });
});
