import type { ResumeRecipe, StateOnDisk, StepCounts } from '../dialect.js';

/**
 * How to resume from a state folder so that the run ends after exactly the requested epochs, after any number of
 * resumes. `stepsPerEpoch` counts optimizer steps. `writer` is the attempt that wrote the state, as far as it is known: its
 * beginning, and its steps per epoch, which a changed dataset changes. Null when the state does not tell its epoch.
 *
 * In train_state.json `current_epoch` is absolute, `current_step` counts from the last resume (sd-scripts
 * train_network.py:1275, :930-948), and a resume begins at the start of an epoch (:1232-1273).
 */
export function resumeRecipe(
  state: Pick<StateOnDisk, 'kind' | 'currentEpoch' | 'currentStep' | 'seenSteps' | 'exact'>,
  stepsPerEpoch: number,
  writer: StepCounts['writer'],
): ResumeRecipe | null {
  const { currentEpoch, currentStep, exact } = state;
  if (exact) {
    const epoch = exact.whole ? exact.epoch : exact.epoch - 1;
    return { epoch, step: exact.step, firstEpoch: epoch + 1, stepOffset: exact.step, repeatedSteps: 0, exact: true };
  }
  if (currentEpoch === null || currentStep === null) return null;
  const perEpoch = writer.stepsPerEpoch ?? stepsPerEpoch;
  const intoEpoch = state.kind === 'step' ? currentStep % perEpoch : 0;
  const begun = intoEpoch === 0 ? currentEpoch : currentEpoch - 1;
  const start = stepsOf(begun, stepsPerEpoch, writer);
  return {
    epoch: begun,
    step: start + intoEpoch,
    firstEpoch: begun + 1,
    stepOffset: start,
    // More than the begun epoch's, if an attempt before began in the middle of an epoch, too.
    repeatedSteps: Math.max(intoEpoch, (state.seenSteps ?? 0) - start),
  };
}

/** Steps in so many epochs: those of the writer's attempt as long as its own, and what was trained before keeps its number. */
function stepsOf(epochs: number, stepsPerEpoch: number, writer: StepCounts['writer']): number {
  const { stepOffset, firstEpoch } = writer;
  if (stepOffset === null || firstEpoch === null || epochs < firstEpoch - 1) return epochs * stepsPerEpoch;
  return stepOffset + (epochs - firstEpoch + 1) * (writer.stepsPerEpoch ?? stepsPerEpoch);
}
