import type { ArgumentValue } from '../../trainers/arguments.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { type Finding, warning } from './finding.js';

type Saving = Pick<TrainingSettings, 'enable_checkpointing' | 'max_train_epochs' | 'save_every_n_epochs'>;

/** Warns of a training that could not be resumed. `stepsPerEpoch` is null when unknown. */
export function checkSaves(
  settings: Saving,
  flags: Record<string, ArgumentValue>,
  stepsPerEpoch: number | null,
): Finding[] {
  if (!settings.enable_checkpointing) {
    const message =
      'No state folders are saved, so a training that stops has to start over. Turn on “Save state folders” to be able to resume it.';
    return [warning('cannot_be_resumed', message, { field: 'enable_checkpointing' })];
  }
  const { max_train_epochs: epochs, save_every_n_epochs: every } = settings;
  const everySteps = Number(flags.save_every_n_steps ?? 0);
  if (savesBeforeEnd(epochs, { epochs: every, steps: everySteps }, stepsPerEpoch)) return [];
  const saves = every > 0 ? `every ${every}` : 'none';
  const message = `Nothing is saved before the end: it trains ${epochs} epochs and saves ${saves}. A training that stops before has to start over. Save more often to be able to resume it.`;
  return [warning('saves_too_late', message, { field: 'save_every_n_epochs' })];
}

/**
 * Is a state saved before the training ends? `every`: epochs and steps between two saves, 0 steps for no saves by
 * steps. The last epoch has no state of its own before the end (sd-scripts train_network.py:1694).
 */
export function savesBeforeEnd(
  epochs: number,
  every: { epochs: number; steps: number },
  stepsPerEpoch: number | null,
): boolean {
  const bySteps = every.steps > 0 && every.steps < epochs * (stepsPerEpoch ?? Number.POSITIVE_INFINITY);
  return bySteps || (every.epochs > 0 && every.epochs < epochs);
}

/** The most checkpoints (with their state folders) on the disk during a training, the final one included. */
export function savesKept(
  settings: Saving,
  flags: Record<string, ArgumentValue>,
  run: { from: number; stepsPerEpoch: number },
): number {
  const number = (name: string) => Math.max(0, Math.floor(Number(flags[name] ?? 0)) || 0);
  const { max_train_epochs: epochs, save_every_n_epochs: every } = settings;
  const byEpochs = every > 0 ? Math.max(0, Math.ceil(epochs / every) - 1 - Math.floor((run.from - 1) / every)) : 0;
  const keptEpochs = number('save_last_n_epochs') || byEpochs;
  const everySteps = number('save_every_n_steps');
  const bySteps = everySteps > 0 ? Math.floor(((epochs - run.from + 1) * run.stepsPerEpoch) / everySteps) : 0;
  // `save_last_n_steps` is a number of steps, not of files (train_util.py:5796).
  const lastSteps = number('save_last_n_steps');
  const keptSteps = lastSteps > 0 && everySteps > 0 ? Math.ceil(lastSteps / everySteps) + 1 : bySteps;
  return Math.min(byEpochs, keptEpochs) + Math.min(bySteps, keptSteps) + 1;
}
