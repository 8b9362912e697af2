import type { ArgumentValue } from './arguments.js';
import type { TrainingSettings } from './setting.js';

/**
 * Optimizer steps of one epoch. Not `exact` with several pictures per batch (each bucket rounds up, so the real number may
 * be a little larger) and with additional datasets (their pictures are not counted).
 */
export type Epoch = { steps: number; exact: boolean };

type Repeated = Pick<TrainingSettings, 'num_repeats' | 'more_datasets' | 'reg_datasets'>;

/** An epoch of so many pictures on so many GPUs; at least a step. */
export function stepsPerEpoch(
  images: number,
  gpus: number,
  settings: Repeated,
  flags: Record<string, ArgumentValue>,
): Epoch {
  const batchSize = Math.max(1, Number(flags.train_batch_size ?? 1));
  const accumulation = Math.max(1, Number(flags.gradient_accumulation_steps ?? 1));
  const counted = {
    images,
    repeats: settings.num_repeats,
    epochs: 1,
    batchSize,
    accumulation,
    gpus: Math.max(1, gpus),
  };
  const further = settings.more_datasets.trim() !== '' || settings.reg_datasets.trim() !== '';
  return { steps: Math.max(1, expectedSteps(counted)), exact: batchSize === 1 && !further };
}

/**
 * The epochs of so many steps, rounded up to whole ones: a resume of a training that ends within an epoch would train past
 * its end (sd-scripts train_network.py:1401, issue 1999).
 */
export function epochsFor(steps: number, epoch: Epoch): number {
  return Math.ceil(steps / epoch.steps);
}

/**
 * Optimizer steps of a whole training, as sd-scripts counts them: all divisions round up, because every epoch ends with
 * an update of its own (train_network.py:800). With a batch size above 1 each bucket of a picture size rounds up, so
 * the real number may be a little larger. Several GPUs share the batches.
 */
export function expectedSteps(training: {
  images: number;
  repeats: number;
  epochs: number;
  batchSize: number;
  accumulation: number;
  gpus?: number;
}): number {
  const { images, repeats, epochs, batchSize, accumulation, gpus = 1 } = training;
  return epochs * Math.ceil(Math.ceil(Math.ceil((images * repeats) / batchSize) / gpus) / accumulation);
}
