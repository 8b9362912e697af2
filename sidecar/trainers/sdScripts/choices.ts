import type { Argument } from '../arguments.js';
import type { Family } from './family.js';

/**
 * Optimizers that sd-scripts knows by name (train_util.py:4826). It would import any other value as a Python module, so
 * only these can be chosen.
 */
export const optimizers = [
  'AdamW',
  'AdamW8bit',
  'PagedAdamW',
  'PagedAdamW8bit',
  'PagedAdamW32bit',
  'Adafactor',
  'Prodigy',
  'Lion',
  'Lion8bit',
  'PagedLion8bit',
  'SGDNesterov',
  'SGDNesterov8bit',
  'DAdaptation',
  'DAdaptAdamPreprint',
  'DAdaptAdaGrad',
  'DAdaptAdam',
  'DAdaptAdan',
  'DAdaptAdanIP',
  'DAdaptLion',
  'DAdaptSGD',
  'RAdamScheduleFree',
  'AdamWScheduleFree',
  'SGDScheduleFree',
  'prodigyplus.ProdigyPlusScheduleFree',
] as const;

/** transformers' and diffusers' schedules, and Adafactor's own (train_util.py:5321). */
export const schedulers = [
  'constant',
  'constant_with_warmup',
  'linear',
  'cosine',
  'cosine_with_restarts',
  'polynomial',
  'inverse_sqrt',
  'cosine_with_min_lr',
  'warmup_stable_decay',
  'piecewise_constant',
] as const;

/** torch's own schedules, which `--lr_scheduler_type` imports by name, with `--lr_scheduler_args`. */
const torchSchedulers = [
  'CosineAnnealingLR',
  'CosineAnnealingWarmRestarts',
  'ConstantLR',
  'CyclicLR',
  'ExponentialLR',
  'LinearLR',
  'MultiStepLR',
  'OneCycleLR',
  'PolynomialLR',
  'StepLR',
] as const;

/** Gives flags that name a Python module their list of choices: such values are never typed. */
export function withChoices(family: Family, argument: Argument): Argument {
  const choices = choicesOf(family)[argument.name];
  return choices ? { ...argument, choices: [...choices] } : argument;
}

function choicesOf(family: Family): Record<string, readonly string[]> {
  return {
    optimizer_type: optimizers,
    lr_scheduler: schedulers,
    lr_scheduler_type: torchSchedulers,
    network_module: family.networkModules,
  };
}
