import { local } from '../../launchers/local.js';
import { badField } from '../../problem.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { epochsFor, stepsPerEpoch } from '../../trainers/expectedSteps.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { PLAIN_NUMBER } from '../../trainers/settingValue.js';
import type { Trainer } from '../../trainers/trainer.js';

/**
 * The epochs of a training of so many steps. Null if no steps were asked for. Throws a Problem.
 *
 * @param images of the chosen dataset; null without one
 */
export async function epochsForSteps(
  fields: Record<string, unknown>,
  trainer: Trainer,
  { settings, arguments: own }: { settings: TrainingSettings; arguments: Record<string, ArgumentValue> },
  images: number | null,
): Promise<number | null> {
  const { max_train_steps: given, max_train_epochs: epochs } = fields;
  if (given === undefined || given === null || given === '') return null;
  const steps = PLAIN_NUMBER.test(String(given).trim()) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw badField('max_train_steps', 'Steps: must be a whole number of at least 1.');
  if (epochs !== undefined && epochs !== null && epochs !== '')
    throw badField('max_train_steps', 'Give either max_train_steps or max_train_epochs: each says how long to train.');
  if (images === null)
    throw badField('max_train_steps', 'Choose the dataset, too: how many steps an epoch has depends on its pictures.');
  const flags = { ...trainer.given?.(settings), ...own };
  const gpus = await gpusIn(settings.gpus);
  return epochsFor(steps, stepsPerEpoch(images, gpus.length, settings, flags));
}

async function gpusIn(asked: string): Promise<number[]> {
  if (asked.trim() === 'all') return (await local.offers()).gpus.map(({ index }) => index);
  return asked.split(',').flatMap((each) => (/^\s*\d+\s*$/.test(each) ? [Number(each)] : []));
}
