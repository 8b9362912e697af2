import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import { PLAIN_NUMBER } from '../settingValue.js';
import type { Family, Flags } from './family.js';
import { cpuPreset } from './presets.js';

/** A value that ends the script once everything is loaded, or trains something else: by its flag, with what to do. */
export type Refused = { flag: string; message: string };

/**
 * Finds values that a parser takes and the trainer dies of, each tried on the real one (test/sd-scripts/README.md). Of the
 * flags as the script gets them.
 */
export function refusedValues(family: Family, settings: TrainingSettings, flags: Flags): Refused[] {
  return [
    ...tooSmall(flags),
    ...withoutSign(flags),
    ...wrongSchedule(flags),
    ...wrongNetwork(family, settings, flags),
    ...wrongPrecision(settings, flags),
    ...wrongLoss(family, flags),
  ];
}

/** Divisors and intervals; 0 of the kept ones would remove each file as soon as it is saved. */
const AT_LEAST_ONE = [
  ...['train_batch_size', 'gradient_accumulation_steps', 'vae_batch_size', 'text_encoder_batch_size'],
  ...['save_every_n_steps', 'sample_every_n_steps', 'sample_every_n_epochs', 'validate_every_n_steps'],
  ...['validate_every_n_epochs', 'save_last_n_epochs', 'save_last_n_epochs_state', 'save_last_n_steps'],
  ...['save_last_n_steps_state', 'bucket_reso_steps', 'clip_skip', 'lr_scheduler_num_cycles'],
];
const NOT_NEGATIVE = [
  ...['keep_tokens', 'blocks_to_swap', 'noise_offset', 'network_dropout', 'max_grad_norm', 'caption_dropout_rate'],
  ...[
    'caption_tag_dropout_rate',
    'caption_dropout_every_n_epochs',
    'unet_lr',
    'validation_split',
    'scale_weight_norms',
  ],
];
/** Parts of all pictures, captions or values. */
const PARTS = ['caption_dropout_rate', 'caption_tag_dropout_rate', 'network_dropout', 'validation_split'];

function tooSmall(flags: Flags): Refused[] {
  const number = (flag: string) => (flags[flag] === undefined ? Number.NaN : Number(flags[flag]));
  return [
    ...AT_LEAST_ONE.filter((flag) => number(flag) < 1).map((flag) => ({
      flag,
      message: `--${flag} must be at least 1. Leave it empty to do without it.`,
    })),
    ...NOT_NEGATIVE.filter((flag) => number(flag) < 0).map((flag) => ({
      flag,
      message: `--${flag} must not be negative.`,
    })),
    ...PARTS.filter((flag) => number(flag) >= 1).map((flag) => ({
      flag,
      message: `--${flag} is a part of the whole, like 0.1: it must be less than 1.`,
    })),
  ];
}

/** Lists of `name=value`; the script evaluates all but network_args as Python literals (train_util.py:4862, :5290). */
function withoutSign(flags: Flags): Refused[] {
  const refused: Refused[] = [];
  for (const flag of ['network_args', 'optimizer_args', 'lr_scheduler_args']) {
    for (const entry of listOf(flags[flag])) {
      const [name = '', value, more] = entry.split('=');
      if (value === undefined || name.trim() === '') {
        refused.push({
          flag,
          message: `--${flag}: “${short(entry)}” has no “=”. Write each as name=value, one per line.`,
        });
      } else if (more !== undefined) {
        refused.push({
          flag,
          message: `--${flag}: “${short(entry)}” has more than one “=”, which the trainer cannot split.`,
        });
      } else if (
        flag === 'network_args' ? NETWORK_NUMBERS.test(name) && !PLAIN_NUMBER.test(value.trim()) : !isLiteral(value)
      ) {
        const wanted =
          flag === 'network_args' ? 'a number' : 'a Python value: a number, True, False, None, (0.9, 0.99) or a "text"';
        refused.push({ flag, message: `--${flag}: “${short(entry)}” needs ${wanted} behind the “=”.` });
      }
    }
  }
  return refused;
}

const NETWORK_NUMBERS = /^(?:conv_dim|conv_alpha|rank_dropout|module_dropout|dropout|unit|loraplus_\w*lr_ratio)$/;

/** What ast.literal_eval takes, as far as anybody writes it here. */
function isLiteral(value: string): boolean {
  const text = value.trim();
  return PLAIN_NUMBER.test(text) || /^(?:True|False|None|"[^"]*"|'[^']*'|\(.*\)|\[.*\]|\{.*\})$/s.test(text);
}

/** By torch.optim.lr_scheduler: what has no default. */
const SCHEDULE_NEEDS: Record<string, readonly string[]> = {
  CosineAnnealingLR: ['T_max'],
  CosineAnnealingWarmRestarts: ['T_0'],
  CyclicLR: ['base_lr', 'max_lr'],
  ExponentialLR: ['gamma'],
  MultiStepLR: ['milestones'],
  OneCycleLR: ['max_lr', 'total_steps'],
  StepLR: ['step_size'],
};

function wrongSchedule(flags: Flags): Refused[] {
  if (/schedulefree$/i.test(String(flags.optimizer_type ?? ''))) return [];
  const type = String(flags.lr_scheduler_type ?? '');
  const name = String(flags.lr_scheduler ?? 'constant');
  const given = new Set(listOf(flags.lr_scheduler_args).map((each) => each.split('=')[0]?.trim()));
  const refused: Refused[] = [];
  const warmup = String(flags.lr_warmup_steps ?? 0);
  for (const flag of ['lr_warmup_steps', 'lr_decay_steps']) {
    const value = flags[flag];
    if (value === undefined || /^\s*(?:\d+|0?\.\d+|0\.\d*|\d+(?:\.\d+)?%)\s*$/.test(String(value))) continue;
    refused.push({
      flag,
      message: `--${flag} must be a whole number of steps, or a part of all steps like 0.1 or 10%.`,
    });
  }
  const why = Number.parseFloat(warmup) > 0 ? whyNoWarmup(flags, type, name) : null;
  if (why) refused.push({ flag: 'lr_warmup_steps', message: why });
  const lacks = (SCHEDULE_NEEDS[type] ?? []).filter((each) => !given.has(each));
  if (lacks.length > 0) {
    const message = `--lr_scheduler_type=${type} needs ${lacks.map((each) => `${each}=…`).join(' and ')} in --lr_scheduler_args.`;
    refused.push({ flag: 'lr_scheduler_type', message });
  }
  if (!type && name === 'cosine_with_min_lr' && flags.lr_scheduler_min_lr_ratio === undefined && !given.has('min_lr')) {
    refused.push({
      flag: 'lr_scheduler',
      message: '--lr_scheduler=cosine_with_min_lr needs --lr_scheduler_min_lr_ratio, like 0.1.',
    });
  }
  if (!type && name === 'piecewise_constant' && !given.has('step_rules')) {
    const message =
      '--lr_scheduler=piecewise_constant needs step_rules="1:100,0.1" or the like in --lr_scheduler_args.';
    refused.push({ flag: 'lr_scheduler', message });
  }
  return refused;
}

function whyNoWarmup(flags: Flags, type: string, name: string): string | null {
  if (type) return `--lr_scheduler_type=${type} has no warm-up: take --lr_warmup_steps out.`;
  if (hasRelativeSteps(flags))
    return 'Adafactor with relative steps has a schedule of its own, without a warm-up. Add relative_step=False to --optimizer_args, or take --lr_warmup_steps out.';
  if (name !== 'constant') return null;
  return '--lr_scheduler=constant has no warm-up. Choose constant_with_warmup, or take --lr_warmup_steps out.';
}

/** Unless they are switched off, and not on again by warmup_init (train_util.py:5047). */
function hasRelativeSteps(flags: Flags): boolean {
  if (!/^adafactor$/i.test(String(flags.optimizer_type ?? ''))) return false;
  const given = new Map(
    listOf(flags.optimizer_args).map((each) => each.split('=').map((part) => part.trim()) as [string, string]),
  );
  return given.get('relative_step') !== 'False' || given.get('warmup_init') === 'True';
}

function wrongNetwork(family: Family, settings: TrainingSettings, flags: Flags): Refused[] {
  const refused: Refused[] = [];
  if (flags.dim_from_weights === true && !flags.network_weights) {
    refused.push({
      flag: 'dim_from_weights',
      message: '--dim_from_weights needs --network_weights: the file that it takes the rank from.',
    });
  }
  const unit = Number(
    listOf(flags.network_args)
      .find((each) => each.startsWith('unit='))
      ?.slice(5) ?? 1,
  );
  if (flags.network_module === 'networks.dylora' && unit > 0 && settings.network_dim % unit !== 0) {
    refused.push({
      flag: 'network_args',
      message: `--network_args: unit=${unit} does not divide the rank ${settings.network_dim}.`,
    });
  }
  if (flags.network_train_unet_only === true && flags.unet_lr !== undefined && Number(flags.unet_lr) === 0) {
    refused.push({ flag: 'unet_lr', message: '--unet_lr=0 with --network_train_unet_only leaves nothing to train.' });
  }
  const layers = CLIP_LAYERS[family.id];
  if (layers && Number(flags.clip_skip ?? 1) > layers) {
    refused.push({
      flag: 'clip_skip',
      message: `--clip_skip must be at most ${layers}: its text encoder has no more layers.`,
    });
  }
  const multipliers = listOf(flags.base_weights_multiplier).length;
  if (multipliers > 0 && listOf(flags.base_weights).length === 0) {
    refused.push({ flag: 'base_weights_multiplier', message: '--base_weights_multiplier needs --base_weights.' });
  }
  return refused;
}

const CLIP_LAYERS: Record<string, number> = { 'sd-scripts/sd1': 12, 'sd-scripts/sd2': 23 };

function wrongPrecision(settings: TrainingSettings, flags: Flags): Refused[] {
  const refused: Refused[] = [];
  const precision = String(flags.mixed_precision ?? 'no');
  for (const flag of ['fp8_base', 'fp8_base_unet']) {
    if (flags[flag] !== true || precision !== 'no') continue;
    refused.push({ flag, message: `--${flag} needs --mixed_precision=bf16 or fp16.` });
  }
  if (precision === 'fp16' && settings.vram === cpuPreset.vram) {
    refused.push({
      flag: 'mixed_precision',
      message: '--mixed_precision=fp16 needs a GPU. On the CPU choose no, or bf16.',
    });
  }
  return refused;
}

/** Flow models have no signal-to-noise ratio (train_util.py:6120). */
function wrongLoss(family: Family, flags: Flags): Refused[] {
  const isFlow = family.timestepSampling !== null || family.id === 'sd-scripts/sd3';
  const huber = /^(?:huber|smooth_l1)$/.test(String(flags.loss_type ?? ''));
  if (!isFlow || !huber || String(flags.huber_schedule ?? 'snr') !== 'snr') return [];
  return [
    {
      flag: 'huber_schedule',
      message: `--loss_type=${flags.loss_type} needs --huber_schedule=constant or exponential for ${family.label}.`,
    },
  ];
}

function listOf(value: ArgumentValue | undefined): string[] {
  return value === undefined || typeof value === 'boolean' ? [] : [value].flat().map(String);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
