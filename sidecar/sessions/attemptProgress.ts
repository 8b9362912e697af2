import { type Beginning, beginProgress, type StoredProgress } from '../telemetry/progress.js';
import type { AttemptEntry } from './record/uiState.js';

/** The progress of an attempt: what was stored, where that is this attempt's; else as it begins. */
export function attemptProgress(
  { id, step_offset, first_epoch }: AttemptEntry,
  stored: StoredProgress | null,
  epochs: number | null,
): StoredProgress {
  if (stored?.attempt === id) return stored;
  return beginProgress({ id, step: step_offset, epoch: first_epoch - 1, epochs, before: stored, now: new Date() });
}

/** Where its steps are counted from. */
export function beginningOf({ step_offset, first_epoch }: AttemptEntry): Beginning {
  return { stepOffset: step_offset, firstEpoch: first_epoch };
}
