import { join } from 'node:path';
import { readAt } from '../../files/readAt.js';
import { openLog } from '../../telemetry/logTail.js';
import { defaultDialect } from '../../trainers/dialects.js';
import { trainerOfCommand, trainerOfModel } from '../../trainers/recordTrainer.js';
import type { UiState } from '../record/uiState.js';

const LONGEST_SCRIPT = 64 * 1024;

/** The trainer of a session from its record: by its name, its command or its base model. Null when unknown. */
export function recordedTrainer(state: UiState | null): string | null {
  const run = () => state?.attempts.flatMap(({ argv }) => trainerOfCommand(argv) ?? []).at(-1);
  return state?.trainer || run() || (state?.base_model ? trainerOfModel(state.base_model) : null);
}

/** The trainer of a session from its files: the command in train.sh, else the newest checkpoint with a base model. */
export async function trainerOfFiles(folder: string, outputName: string): Promise<string | null> {
  const script = await openLog(join(folder, 'train.sh'));
  if (script) {
    const text = await readAt(script, 0, LONGEST_SCRIPT).finally(() => script.close());
    const found = trainerOfCommand(text.toString('utf8').split(/[\s"'\\]+/));
    if (found) return found;
  }
  const checkpoints = await defaultDialect.checkpoints(folder, outputName);
  const model = checkpoints.find(({ baseModel }) => baseModel)?.baseModel;
  return model ? trainerOfModel(model) : null;
}
