import type { DatasetDetail } from '../../datasets/facts.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { type Epoch, epochsFor, stepsPerEpoch } from '../../trainers/expectedSteps.js';
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
  epoch: Epoch;
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
  return { ...found, settings, flags, epoch: stepsPerEpoch(found.detail.images, found.gpus.length, settings, flags) };
}

/** The epochs of a new training: `max_train_steps` among its arguments becomes whole ones. */
export function epochsAsked({ state, epoch }: Pick<Run, 'state' | 'epoch'>): number {
  const steps = Number(state.arguments.max_train_steps ?? 0);
  return steps > 0 ? epochsFor(steps, epoch) : (state.max_train_epochs ?? 1);
}
