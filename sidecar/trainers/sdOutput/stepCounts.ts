import type { StateOnDisk, StepCounts } from '../dialect.js';

/** Optimizer steps in one epoch (sd-scripts train_network.py:800: accumulation also ends with the epoch). */
export function stepsPerEpoch(batches: number, accumulation: number | null): number {
  return Math.ceil(batches / (accumulation ?? 1));
}

/** Steps per epoch from the first run's epoch states (`current_step` is run-local, train_network.py:1275). */
export function stepsPerEpochOf(states: readonly StateOnDisk[]): number | null {
  const ratios = states.flatMap((state) =>
    state.kind !== 'step' && state.currentEpoch && state.currentStep ? [state.currentStep / state.currentEpoch] : [],
  );
  const most = Math.max(...ratios);
  return Number.isInteger(most) && most > 0 ? most : null;
}

/** A state folder's place along the training by its name alone. */
export function positionByName(
  { kind, number, exact }: StateOnDisk,
  { stepsPerEpoch, writer }: StepCounts,
): number | null {
  if (exact) return exact.step;
  if (stepsPerEpoch === null) return null;
  if (number === null) return Number.POSITIVE_INFINITY;
  return kind === 'epoch' ? number * stepsPerEpoch : (writer.stepOffset ?? 0) + number;
}
