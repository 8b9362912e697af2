import type { ArgumentValue } from '../../trainers/arguments.js';
import { type Saving, savesBeforeEnd } from '../../trainers/expectedSaves.js';
import { type Finding, warning } from '../../trainers/finding.js';
import type { TrainingSettings } from '../../trainers/setting.js';

/** Warns of a training that could not be resumed. `stepsPerEpoch` is null when unknown. */
export function checkSaves(
  settings: Saving & Pick<TrainingSettings, 'enable_checkpointing'>,
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
