import { isObject } from '../../files/exactJson.js';
import { type ForeignFile, ForeignFileError, lastPart, noPlace, type Said } from './said.js';

const NO_COUNTERPART = 'sd-scripts has nothing like it.';

/**
 * The fields of ai-toolkit's YAML that have a counterpart in sd-scripts (config/examples/train_lora_*.yaml there). Throws a
 * ForeignFileError for a job that trains no LoRA.
 */
export function readAiToolkit(job: Record<string, unknown>): ForeignFile {
  const config = isObject(job.config) ? job.config : {};
  const all = Array.isArray(config.process) ? config.process.filter(isObject) : [];
  const process = all.find(
    ({ type }) => type === 'sd_trainer' || type === 'ui_trainer' || type === 'diffusion_trainer',
  );
  if (!process) throw new ForeignFileError('It is a job of ai-toolkit that trains no LoRA (type: sd_trainer).');
  const part = (name: string) => (isObject(process[name]) ? (process[name] as Record<string, unknown>) : {});
  const model = part('model');
  const trigger = typeof process.trigger_word === 'string' ? process.trigger_word : '';
  const handled = new Set(['type', 'network', 'train', 'model', 'sample', 'datasets', 'save', 'trigger_word']);
  return {
    kind: 'a job of ai-toolkit',
    trainer: familyOf(model),
    said: [
      { from: 'config.name', name: 'output_name', value: config.name },
      { from: 'trigger_word', name: 'concept_sentence', value: trigger },
      ...network(part('network')),
      ...train(part('train')),
      ...models(model),
      ...save(part('save')),
      ...datasets(Array.isArray(process.datasets) ? process.datasets.filter(isObject) : []),
      ...samples(part('sample'), trigger),
      ...Object.entries(process).flatMap(([name, value]) =>
        handled.has(name) ? [] : [noPlace(name, value, 'It belongs to ai-toolkit.')],
      ),
    ],
  };
}

const ARCHITECTURES: Record<string, string> = {
  ...{ flux: 'sd-scripts/flux', chroma: 'sd-scripts/chroma', sdxl: 'sd-scripts/sdxl', sd1: 'sd-scripts/sd1' },
  ...{ sd15: 'sd-scripts/sd1', sd2: 'sd-scripts/sd2', sd3: 'sd-scripts/sd3', lumina2: 'sd-scripts/lumina' },
};

function familyOf({ arch, is_flux, is_xl, is_v3, is_lumina2, is_v2 }: Record<string, unknown>): string | null {
  const told = [
    [is_flux, 'flux'],
    [is_xl, 'sdxl'],
    [is_v3, 'sd3'],
    [is_lumina2, 'lumina2'],
    [is_v2, 'sd2'],
  ] as const;
  return ARCHITECTURES[String(arch ?? told.find(([is]) => is === true)?.[1])] ?? null;
}

/** Fields of a section by our names; all others of it are named as not taken. */
function section(
  at: string,
  values: Record<string, unknown>,
  names: Record<string, string>,
  whys: Record<string, string> = {},
): Said[] {
  return Object.entries(values).map(([key, value]) => {
    const from = `${at}.${key}`;
    const name = names[key];
    return name !== undefined ? { from, name, value } : noPlace(from, value, whys[key] ?? NO_COUNTERPART);
  });
}

function network({ type, ...values }: Record<string, unknown>): Said[] {
  const said = section('network', values, {
    linear: 'network_dim',
    linear_alpha: 'network_alpha',
    dropout: 'network_dropout',
  });
  const isLora = type === undefined || type === 'lora';
  return isLora ? said : [...said, noPlace('network.type', type, 'Choose its network among the flags of the form.')];
}

function train({ dtype, train_text_encoder: texts, ...values }: Record<string, unknown>): Said[] {
  return [
    ...section('train', values, TRAIN, { train_unet: 'The image model is always trained.' }),
    { from: 'train.dtype', name: 'mixed_precision', value: precision(dtype) },
    ...(texts === false ? [{ from: 'train.train_text_encoder', name: 'network_train_unet_only', value: true }] : []),
  ];
}

const TRAIN: Record<string, string> = {
  ...{ batch_size: 'train_batch_size', steps: 'max_train_steps', lr: 'learning_rate', optimizer: 'optimizer_type' },
  ...{
    gradient_accumulation_steps: 'gradient_accumulation_steps',
    gradient_accumulation: 'gradient_accumulation_steps',
  },
  ...{ gradient_checkpointing: 'gradient_checkpointing', lr_scheduler: 'lr_scheduler', seed: 'seed' },
  ...{ max_grad_norm: 'max_grad_norm', noise_offset: 'noise_offset', min_snr_gamma: 'min_snr_gamma' },
};

function models({ name_or_path: path, quantize, ...values }: Record<string, unknown>): Said[] {
  const others = Object.entries(values).filter(([key]) => !/^(?:is_\w+|arch)$/.test(key));
  return [
    { from: 'model.name_or_path', name: 'pretrained_model_name_or_path', value: path },
    // Weights of eight bits there; sd-scripts keeps them as fp8.
    ...(quantize === true ? [{ from: 'model.quantize', name: 'fp8_base', value: true }] : []),
    ...others.map(([key, value]) => noPlace(`model.${key}`, value, NO_COUNTERPART)),
  ];
}

function save({ dtype, ...values }: Record<string, unknown>): Said[] {
  return [
    { from: 'save.dtype', name: 'save_precision', value: precision(dtype) },
    ...section(
      'save',
      values,
      { save_every: 'save_every_n_steps' },
      {
        max_step_saves_to_keep: 'Trackside keeps every checkpoint; tidy them up on its page.',
        push_to_hub: 'Publish a finished LoRA on its page.',
      },
    ),
  ];
}

function precision(dtype: unknown): unknown {
  return { float16: 'fp16', bfloat16: 'bf16', float32: 'float' }[String(dtype)] ?? dtype;
}

function datasets([first, ...others]: Record<string, unknown>[]): Said[] {
  if (!first) return [];
  const { folder_path: folder, resolution, ...values } = first;
  const sizes = [resolution].flat().map(Number).filter(Number.isFinite);
  const largest = Math.max(...sizes);
  return [
    { from: 'datasets.folder_path', name: 'dataset', value: lastPart(folder) },
    ...(sizes.length > 0 ? [{ from: 'datasets.resolution', name: 'resolution', value: largest }] : []),
    ...(sizes.length > 1
      ? [
          noPlace(
            'datasets.resolution',
            sizes.join(', '),
            `A dataset has one resolution here: ${largest}, the largest.`,
          ),
        ]
      : []),
    ...section('datasets', values, {
      num_repeats: 'num_repeats',
      shuffle_tokens: 'shuffle_caption',
      caption_dropout_rate: 'caption_dropout_rate',
      keep_tokens: 'keep_tokens',
      cache_latents_to_disk: 'cache_latents_to_disk',
      flip_x: 'flip_aug',
    }),
    ...others.map(({ folder_path }) =>
      noPlace('datasets.folder_path', lastPart(folder_path), 'Add further datasets in the form.'),
    ),
  ];
}

/** Prompts with their options, as sd-scripts takes them in a line. */
function samples(
  {
    prompts,
    width,
    height,
    seed,
    walk_seed: walks,
    guidance_scale: guidance,
    sample_steps: steps,
    neg,
    sample_every: every,
    ...values
  }: Record<string, unknown>,
  trigger: string,
): Said[] {
  const lines = (Array.isArray(prompts) ? prompts : [])
    .filter((each) => typeof each === 'string')
    .map((prompt, at) =>
      [
        prompt.replaceAll('[trigger]', trigger).replaceAll(/\s+/g, ' ').trim(),
        option('n', neg),
        option('w', width),
        option('h', height),
        option('d', typeof seed === 'number' && walks === true ? seed + at : seed),
        option('s', steps),
        option('g', guidance),
      ].join(''),
    );
  return [
    { from: 'sample.sample_every', name: 'sample_every_n_steps', value: every },
    { from: 'sample.prompts', name: 'prompts', value: lines.join('\n') },
    ...section('sample', values, {}),
  ];
}

function option(letter: string, value: unknown): string {
  return (typeof value === 'number' || typeof value === 'string') && value !== '' ? ` --${letter} ${value}` : '';
}
