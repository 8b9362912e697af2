import type { ArgumentValue } from './arguments.js';
import type { TrainingSettings } from './setting.js';

export type Saving = Pick<TrainingSettings, 'max_train_epochs' | 'save_every_n_epochs'>;

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
