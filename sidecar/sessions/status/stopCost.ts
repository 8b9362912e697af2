import type { StoredProgress } from '../../telemetry/progress.js';
import type { StopCost } from '../facts.js';
import { type AttemptEntry, stepsAdded, type UiState } from '../record/uiState.js';

/** What stopping a running training costs now, and when its next state is saved. */
export function stopCost(
  progress: StoredProgress | null,
  state: Pick<UiState, 'enable_checkpointing' | 'save_every_n_epochs' | 'arguments'>,
  latest: Pick<AttemptEntry, 'step_offset' | 'steps_added'>,
): StopCost {
  const { step = null, seconds_per_step: seconds = null } = progress ?? {};
  const saves = state.enable_checkpointing ?? false;
  const kept = saves ? (progress?.kept_step ?? null) : 0;
  const lost = step === null || kept === null ? null : Math.max(0, step - kept);
  const next = saves && progress ? nextSave(progress, state, latest) : null;
  return {
    saves,
    lost_steps: lost,
    lost_seconds: lost === null || seconds === null ? null : lost * seconds,
    next_save_seconds: next === null || seconds === null || step === null ? null : Math.max(0, next - step) * seconds,
  };
}

/** The step of the next save, absolute; the last one is at the end. Null when unknown. */
function nextSave(
  { step, steps_per_epoch: perEpoch, total_steps: total }: StoredProgress,
  state: Pick<UiState, 'save_every_n_epochs' | 'arguments'>,
  latest: Pick<AttemptEntry, 'step_offset' | 'steps_added'>,
): number | null {
  if (step === null || total === null) return null;
  const after = (every: number, from: number) => from + (Math.floor((step - from) / every) + 1) * every;
  const byEpochs = (state.save_every_n_epochs ?? 0) * (perEpoch ?? 0);
  // The trainer counts these from its own start.
  const bySteps = Number(state.arguments.save_every_n_steps ?? 0);
  const saves = [byEpochs > 0 ? after(byEpochs, 0) : total, bySteps > 0 ? after(bySteps, stepsAdded(latest)) : total];
  return Math.min(total, ...saves);
}
