import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import { PLAIN_NUMBER } from '../settingValue.js';
import type { Family, Flags } from './family.js';
import { cpuPreset } from './presets.js';

/** Hears of a value by its flag, with what to do. */
type Refuse = (flag: string, message: string) => void;

/**
 * Finds values that a parser takes, and that end the script once everything is loaded, or train something else; each was tried
 * on the real one (test/sd-scripts/README.md). Of the flags as the script gets them.
 */
export function refusedValues(family: Family, settings: TrainingSettings, flags: Flags, refuse: Refuse): void {
  refuseSmall(flags, refuse);
  refuseWithoutSign(flags, refuse);
  refuseSchedule(flags, refuse);
  refuseNetwork(family, settings, flags, refuse);
  refusePrecision(settings, flags, refuse);
  refuseLoss(family, flags, refuse);
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

function refuseSmall(flags: Flags, refuse: Refuse): void {
  const number = (flag: string) => (flags[flag] === undefined ? Number.NaN : Number(flags[flag]));
  for (const flag of AT_LEAST_ONE)
    if (number(flag) < 1) refuse(flag, `--${flag} must be at least 1. Leave it empty to do without it.`);
  for (const flag of NOT_NEGATIVE) if (number(flag) < 0) refuse(flag, `--${flag} must not be negative.`);
  for (const flag of PARTS)
    if (number(flag) >= 1) refuse(flag, `--${flag} is a part of the whole, like 0.1: it must be less than 1.`);
}

/** Lists of `name=value`; the script evaluates all but network_args as Python literals (train_util.py:4862, :5290). */
function refuseWithoutSign(flags: Flags, refuse: Refuse): void {
  for (const flag of ['network_args', 'optimizer_args', 'lr_scheduler_args']) {
    for (const entry of listOf(flags[flag])) {
      const [name = '', value, more] = entry.split('=');
      if (value === undefined || name.trim() === '') {
        refuse(flag, `--${flag}: “${short(entry)}” has no “=”. Write each as name=value, one per line.`);
      } else if (more !== undefined) {
        refuse(flag, `--${flag}: “${short(entry)}” has more than one “=”, which the trainer cannot split.`);
      } else if (
        flag === 'network_args' ? NETWORK_NUMBERS.test(name) && !PLAIN_NUMBER.test(value.trim()) : !isLiteral(value)
      ) {
        const wanted =
          flag === 'network_args' ? 'a number' : 'a Python value: a number, True, False, None, (0.9, 0.99) or a "text"';
        refuse(flag, `--${flag}: “${short(entry)}” needs ${wanted} after the “=”.`);
      }
    }
  }
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

function refuseSchedule(flags: Flags, refuse: Refuse): void {
  if (/schedulefree$/i.test(String(flags.optimizer_type ?? ''))) return;
  const type = String(flags.lr_scheduler_type ?? '');
  const name = String(flags.lr_scheduler ?? 'constant');
  const given = new Set(listOf(flags.lr_scheduler_args).map((each) => each.split('=')[0]?.trim()));
  const warmup = String(flags.lr_warmup_steps ?? 0);
  for (const flag of ['lr_warmup_steps', 'lr_decay_steps']) {
    const value = flags[flag];
    if (value === undefined || /^\s*(?:\d+|0?\.\d+|0\.\d*|\d+(?:\.\d+)?%)\s*$/.test(String(value))) continue;
    refuse(flag, `--${flag} must be a whole number of steps, or a part of all steps like 0.1 or 10%.`);
  }
  const why = Number.parseFloat(warmup) > 0 ? whyNoWarmup(flags, type, name) : null;
  if (why) refuse('lr_warmup_steps', why);
  const lacks = (SCHEDULE_NEEDS[type] ?? []).filter((each) => !given.has(each));
  if (lacks.length > 0) {
    const message = `--lr_scheduler_type=${type} needs ${lacks.map((each) => `${each}=…`).join(' and ')} in --lr_scheduler_args.`;
    refuse('lr_scheduler_type', message);
  }
  if (!type && name === 'cosine_with_min_lr' && flags.lr_scheduler_min_lr_ratio === undefined && !given.has('min_lr')) {
    refuse('lr_scheduler', '--lr_scheduler=cosine_with_min_lr needs --lr_scheduler_min_lr_ratio, like 0.1.');
  }
  if (!type && name === 'piecewise_constant' && !given.has('step_rules')) {
    const message =
      '--lr_scheduler=piecewise_constant needs step_rules="1:100,0.1" or the like in --lr_scheduler_args.';
    refuse('lr_scheduler', message);
  }
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

function refuseNetwork(family: Family, settings: TrainingSettings, flags: Flags, refuse: Refuse): void {
  if (flags.dim_from_weights === true && !flags.network_weights) {
    refuse('dim_from_weights', '--dim_from_weights needs --network_weights: the file that it takes the rank from.');
  }
  const unit = Number(
    listOf(flags.network_args)
      .find((each) => each.startsWith('unit='))
      ?.slice(5) ?? 1,
  );
  if (flags.network_module === 'networks.dylora' && unit > 0 && settings.network_dim % unit !== 0) {
    refuse('network_args', `--network_args: unit=${unit} does not divide the rank ${settings.network_dim}.`);
  }
  if (flags.network_train_unet_only === true && flags.unet_lr !== undefined && Number(flags.unet_lr) === 0) {
    refuse('unet_lr', '--unet_lr=0 with --network_train_unet_only leaves nothing to train.');
  }
  const layers = CLIP_LAYERS[family.id];
  if (layers && Number(flags.clip_skip ?? 1) > layers) {
    refuse('clip_skip', `--clip_skip must be at most ${layers}: its text encoder has no more layers.`);
  }
  const multipliers = listOf(flags.base_weights_multiplier).length;
  if (multipliers > 0 && listOf(flags.base_weights).length === 0) {
    refuse('base_weights_multiplier', '--base_weights_multiplier needs --base_weights.');
  }
}

const CLIP_LAYERS: Record<string, number> = { 'sd-scripts/sd1': 12, 'sd-scripts/sd2': 23 };

function refusePrecision(settings: TrainingSettings, flags: Flags, refuse: Refuse): void {
  const precision = String(flags.mixed_precision ?? 'no');
  for (const flag of ['fp8_base', 'fp8_base_unet']) {
    if (flags[flag] !== true || precision !== 'no') continue;
    refuse(flag, `--${flag} needs --mixed_precision=bf16 or fp16.`);
  }
  if (precision === 'fp16' && settings.vram === cpuPreset.vram) {
    refuse('mixed_precision', '--mixed_precision=fp16 needs a GPU. On the CPU choose no, or bf16.');
  }
}

/** Flow models have no signal-to-noise ratio (train_util.py:6120). */
function refuseLoss(family: Family, flags: Flags, refuse: Refuse): void {
  const isFlow = family.timestepSampling !== null || family.id === 'sd-scripts/sd3';
  const huber = /^(?:huber|smooth_l1)$/.test(String(flags.loss_type ?? ''));
  if (!isFlow || !huber || String(flags.huber_schedule ?? 'snr') !== 'snr') return;
  const needed = '--huber_schedule=constant or exponential';
  refuse('huber_schedule', `--loss_type=${flags.loss_type} needs ${needed} for ${family.label}.`);
}

function listOf(value: ArgumentValue | undefined): string[] {
  return value === undefined || typeof value === 'boolean' ? [] : [value].flat().map(String);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
