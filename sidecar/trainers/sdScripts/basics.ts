import type { Argument, ArgumentValue } from '../arguments.js';
import type { Family } from './family.js';
import { presetsOf } from './layers.js';

/** The flags that people change most, with their type in every script's parser. */
const common: Record<string, Argument['type']> = {
  train_batch_size: 'integer',
  gradient_accumulation_steps: 'integer',
  lr_warmup_steps: 'number',
  lr_scheduler_num_cycles: 'integer',
  network_dropout: 'number',
  network_weights: 'text',
  network_module: 'text',
  save_every_n_steps: 'integer',
  save_last_n_epochs: 'integer',
  sample_every_n_epochs: 'integer',
  sample_at_first: 'switch',
  shuffle_caption: 'switch',
  keep_tokens: 'integer',
  caption_dropout_rate: 'number',
  flip_aug: 'switch',
  noise_offset: 'number',
  min_snr_gamma: 'number',
  unet_lr: 'number',
  text_encoder_lr: 'list',
  clip_skip: 'integer',
};

/**
 * The arguments until the script's own parser has answered, which takes ten seconds once per commit: those of a family
 * and its presets, its model files, and those that people change most. No defaults, no help.
 */
export function basicArguments(family: Family): Argument[] {
  const types = new Map(Object.entries(common));
  for (const { flag } of family.needs) types.set(flag, 'text');
  const layers = [
    family.flags,
    ...family.baseModels.map(({ flags = {} }) => flags),
    ...presetsOf(family).map((each) => each.flags),
  ];
  for (const flags of layers) {
    for (const [name, value] of Object.entries(flags)) if (value !== false) types.set(name, typeOf(value));
  }
  return [...types].map(([name, type]) => ({
    name,
    flags: [`--${name}`],
    type,
    default: type === 'switch' ? false : null,
    choices: null,
    help: null,
    group: 'options',
  }));
}

function typeOf(value: ArgumentValue): Argument['type'] {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'switch';
  return typeof value === 'number' ? 'number' : 'text';
}
