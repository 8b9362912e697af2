import { expectedSteps } from '../../trainers/expectedSteps.js';
import type { Trainer } from '../../trainers/trainer.js';
import { readTrainingSettings } from '../../trainers/trainingSettings.js';
import type { UiState } from '../record/uiState.js';

/** What an epoch is made of today. */
export type Epoch = {
  trainer: Pick<Trainer, 'settings' | 'given'>;
  state: UiState;
  detail: { images: number };
  gpus: readonly number[];
};

/**
 * Optimizer steps of one epoch, by the pictures, settings and GPUs of today. `exact`: with several pictures a batch each bucket
 * rounds up for itself, and the real number may be a little larger; the pictures of further datasets are not counted at all.
 */
export function stepsPerEpoch({ trainer, state, detail, gpus }: Epoch): { steps: number; exact: boolean } {
  const settings = readTrainingSettings(trainer.settings, state);
  const flags = { ...trainer.given?.(settings), ...state.arguments };
  const batchSize = Math.max(1, Number(flags.train_batch_size ?? 1));
  const steps = expectedSteps({
    images: detail.images,
    repeats: settings.num_repeats,
    epochs: 1,
    batchSize,
    accumulation: Math.max(1, Number(flags.gradient_accumulation_steps ?? 1)),
    gpus: Math.max(1, gpus.length),
  });
  const further = settings.more_datasets.trim() !== '' || settings.reg_datasets.trim() !== '';
  return { steps: Math.max(1, steps), exact: batchSize === 1 && !further };
}

/**
 * The epochs of a training that is to begin. `max_train_steps` among its arguments becomes whole epochs: a resume of what ends
 * in the middle of one would train past its end (sd-scripts train_network.py:1401, issue 1999).
 */
export function epochsAsked(epoch: Epoch): number {
  const steps = Number(epoch.state.arguments.max_train_steps ?? 0);
  return steps > 0 ? Math.ceil(steps / stepsPerEpoch(epoch).steps) : (epoch.state.max_train_epochs ?? 1);
}
