import type { DatasetDetail } from '../../datasets/facts.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { expectedSteps } from '../../trainers/expectedSteps.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import type { Trainer } from '../../trainers/trainer.js';
import { readTrainingSettings } from '../../trainers/trainingSettings.js';
import type { UiState } from '../record/uiState.js';
import type { Session } from '../status/session.js';

/** The sources of a run: a session, and the trainer, pictures and GPUs that its record names. */
export type Found = {
  session: Session;
  state: UiState;
  trainer: Trainer;
  detail: DatasetDetail;
  /** The GPUs that it would get. */
  gpus: readonly number[];
};

/** The sources, interpreted. */
export type Meaning = {
  settings: TrainingSettings;
  /** The trainer's flags: from the settings, then from the person's own. */
  flags: Record<string, ArgumentValue>;
  /**
   * Optimizer steps of one epoch. Not `exact` with several pictures per batch (each bucket rounds up, so the real
   * number may be a little larger) and with additional datasets (their pictures are not counted).
   */
  epoch: { steps: number; exact: boolean };
};

export type Run = Found & Meaning;

type Readable = Pick<Found, 'state' | 'gpus'> & {
  trainer: Pick<Trainer, 'settings' | 'given'>;
  detail: { images: number };
};

/** Reads the settings of a record. Throws a Problem for an invalid value. */
export function readRun<T extends Readable>(found: T): T & Meaning {
  const { trainer, state } = found;
  const settings = readTrainingSettings(trainer.settings, state);
  const flags = { ...trainer.given?.(settings), ...state.arguments };
  return { ...found, settings, flags, epoch: stepsPerEpoch(found, settings, flags) };
}

/** Optimizer steps of one epoch of these pictures. */
export function stepsPerEpoch(
  { detail, gpus }: Pick<Readable, 'detail' | 'gpus'>,
  settings: TrainingSettings,
  flags: Record<string, ArgumentValue>,
): Meaning['epoch'] {
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
 * The epochs of a new training. `max_train_steps` among its arguments becomes whole epochs: a resume of a training that
 * ends within an epoch would train past its end (sd-scripts train_network.py:1401, issue 1999).
 */
export function epochsAsked({ state, epoch }: Pick<Run, 'state' | 'epoch'>): number {
  const steps = Number(state.arguments.max_train_steps ?? 0);
  return steps > 0 ? Math.ceil(steps / epoch.steps) : (state.max_train_epochs ?? 1);
}
