import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import type { Family, Flags } from './family.js';
import { baseModelOf, effectiveFlags } from './layers.js';
import { refusedValues } from './refusedValues.js';

/** Flags that shuffle or drop captions, which cached text encoder outputs can't do. */
const captionChanges = ['shuffle_caption', 'token_warmup_step', 'caption_tag_dropout_rate', 'caption_dropout_rate'];

/** Pairs of flags that a script refuses, or that have no effect together. */
const pairs: readonly { one: string; other: string; why: string }[] = [
  { one: 'blocks_to_swap', other: 'cpu_offload_checkpointing', why: 'sd-scripts can’t do both' },
  { one: 'blocks_to_swap', other: 'unsloth_offload_checkpointing', why: 'sd-scripts can’t do both' },
  { one: 'cpu_offload_checkpointing', other: 'unsloth_offload_checkpointing', why: 'sd-scripts can’t do both' },
  { one: 'cache_latents', other: 'color_aug', why: 'cached pictures can’t change from step to step' },
  { one: 'cache_latents', other: 'random_crop', why: 'cached pictures can’t change from step to step' },
  { one: 'network_train_unet_only', other: 'network_train_text_encoder_only', why: 'nothing would be left to train' },
  { one: 'v_parameterization', other: 'v_pred_like_loss', why: 'sd-scripts refuses both' },
  { one: 'highvram', other: 'lowram', why: 'they are opposites' },
];

/** Flags that need another flag. */
const needs: readonly { flag: string; needs: string; is?: ArgumentValue }[] = [
  { flag: 'adaptive_noise_scale', needs: 'noise_offset' },
  { flag: 'scale_v_pred_loss_like_noise_pred', needs: 'v_parameterization' },
  { flag: 'full_fp16', needs: 'mixed_precision', is: 'fp16' },
  { flag: 'full_bf16', needs: 'mixed_precision', is: 'bf16' },
  { flag: 'fused_backward_pass', needs: 'optimizer_type', is: 'Adafactor' },
];

/**
 * Finds values that a script would refuse after a minute of loading: one sentence per field (`arguments.<flag>`, or a
 * setting's name).
 */
export function conflicts(
  family: Family,
  settings: TrainingSettings,
  own: Record<string, ArgumentValue>,
): Record<string, string> {
  const flags = effectiveFlags(family, settings, own);
  const wrong: Record<string, string> = {};
  // Blames the person's own flag: they don't see the preset's.
  const blame = (message: string, ...names: string[]) => {
    const name = names.find((each) => each in own) ?? names[0];
    wrong[`arguments.${name}`] ??= message;
  };
  for (const { one, other, why } of pairs) {
    if (isOn(flags, one) && isOn(flags, other)) blame(`--${one} and --${other} can’t be combined: ${why}.`, other, one);
  }
  for (const { flag, needs: needed, is } of needs) {
    const fits = is === undefined ? isOn(flags, needed) : flags[needed] === is;
    if (isOn(flags, flag) && !fits) blame(`--${flag} needs --${needed}${is === undefined ? '' : `=${is}`}.`, flag);
  }
  refusedValues(family, settings, flags, (flag, message) => blame(message, flag));
  checkCaching(family, flags, blame);
  checkSwapping(family, settings, flags, blame);
  checkWorkers(settings, flags, own, blame);
  const steps = Number(flags.bucket_reso_steps ?? family.bucketStep);
  if (steps % family.bucketStep !== 0) {
    blame(`--bucket_reso_steps must be a multiple of ${family.bucketStep} for ${family.label}.`, 'bucket_reso_steps');
  }
  if (settings.resolution % 64 !== 0) wrong.resolution = 'The resolution must be a multiple of 64.';
  return wrong;
}

type Blame = (message: string, ...names: string[]) => void;

function checkCaching(family: Family, flags: Flags, blame: Blame): void {
  const cached = ['cache_text_encoder_outputs', 'cache_text_encoder_outputs_to_disk'].find((each) => isOn(flags, each));
  if (!cached) return;
  for (const change of captionChanges) {
    if (!isOn(flags, change) || (change === 'caption_dropout_rate' && family.cachesDroppedCaptions)) continue;
    blame(
      `--${change} changes captions from step to step, but --${cached} needs them to stay the same. Turn one of them off.`,
      change,
    );
  }
  if (family.cachingNeedsUnetOnly && !isOn(flags, 'network_train_unet_only')) {
    blame(
      `--${cached} needs --network_train_unet_only for ${family.label}: a text encoder with cached outputs can’t be trained.`,
      'network_train_unet_only',
      cached,
    );
  }
  const trainsT5 = [flags.network_args].flat().some((each) => /^train_t5xxl=true$/i.test(String(each)));
  if (trainsT5) blame(`train_t5xxl=True and --${cached} can’t be combined.`, 'network_args');
}

function checkSwapping(family: Family, settings: TrainingSettings, flags: Flags, blame: Blame): void {
  const blocks = Number(flags.blocks_to_swap ?? 0);
  const most = baseModelOf(family, settings.base_model).mostBlocksToSwap ?? family.mostBlocksToSwap;
  if (blocks > most) blame(`--blocks_to_swap must be at most ${most} for this model.`, 'blocks_to_swap');
}

/** torch refuses persistent workers without any workers. */
function checkWorkers(
  settings: TrainingSettings,
  flags: Flags,
  own: Record<string, ArgumentValue>,
  blame: Blame,
): void {
  if (settings.workers === 0 && isOn(flags, 'persistent_data_loader_workers') && own.persistent_data_loader_workers) {
    blame('--persistent_data_loader_workers needs at least one loader worker.', 'persistent_data_loader_workers');
  }
}

function isOn(flags: Flags, name: string): boolean {
  const value = flags[name];
  return value !== undefined && value !== false && Number(value) !== 0;
}
