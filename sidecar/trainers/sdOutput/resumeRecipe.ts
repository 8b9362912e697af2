import type { ResumeRecipe, StateOnDisk } from '../dialect.js';

/**
 * How to resume from a state folder so that the run ends after exactly the requested epochs, after any number of
 * resumes. `stepsPerEpoch` counts optimizer steps. `stepOffset` is that of the attempt that wrote the state, null when
 * unknown; `writersStepsPerEpoch` is its steps per epoch, which a changed dataset changes. Null when the state does not
 * tell its epoch.
 *
 * In train_state.json `current_epoch` is absolute, `current_step` counts from the last resume (sd-scripts
 * train_network.py:1275, :930-948), and a resume begins at the start of an epoch (:1232-1273).
 */
export function resumeRecipe(
  state: Pick<StateOnDisk, 'kind' | 'currentEpoch' | 'currentStep'>,
  stepsPerEpoch: number,
  stepOffset: number | null,
  writersStepsPerEpoch = stepsPerEpoch,
): ResumeRecipe | null {
  if (state.currentEpoch === null || state.currentStep === null) return null;
  const intoEpoch = state.kind === 'step' ? state.currentStep % writersStepsPerEpoch : 0;
  if (intoEpoch === 0) return fromEndOf(state.currentEpoch, stepsPerEpoch);
  const start = (state.currentEpoch - 1) * stepsPerEpoch;
  return {
    epoch: state.currentEpoch - 1,
    step: stepOffset === null ? start + intoEpoch : stepOffset + state.currentStep,
    firstEpoch: state.currentEpoch,
    stepOffset: start,
    repeatedSteps: intoEpoch,
  };
}

function fromEndOf(epoch: number, stepsPerEpoch: number): ResumeRecipe {
  const step = epoch * stepsPerEpoch;
  return { epoch, step, firstEpoch: epoch + 1, stepOffset: step, repeatedSteps: 0 };
}
