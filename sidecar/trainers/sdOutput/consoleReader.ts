import { basename } from 'node:path';
import type { Beginning, ConsoleFacts, ConsoleReader, Memory } from '../console.js';
import { type ConsoleState, readConsole, startConsole } from './consoleLines.js';
import { stepsPerEpoch } from './stepCounts.js';

/** Reads what sd-scripts prints. Its memory is a `ConsoleState`. */
export const consoleReader: ConsoleReader = {
  file: null,
  read(memory, text) {
    const { state, events } = readConsole(stateOf(memory), text);
    return { memory: state, events };
  },
  facts: (memory, beginning) => factsOf(stateOf(memory), beginning),
  together: (memories) => together(memories.map(stateOf)),
  newestRun,
};

function stateOf(memory: Memory): ConsoleState {
  return { ...startConsole(), ...memory } as ConsoleState;
}

function factsOf(state: ConsoleState, beginning: Beginning | null): ConsoleFacts {
  const { phase, epoch, epochs, loss, savingState, lastCheckpoint, finished } = state;
  const perEpoch = state.batchesPerEpoch === null ? null : stepsPerEpoch(state.batchesPerEpoch, state.accumulation);
  const counted = counting(state, beginning);
  return {
    phase,
    step: state.step !== null && state.step > (state.countedFrom ?? 0) ? counted.stepsAdded + state.step : null,
    ...counted,
    totalSteps: stepsInAll(state, beginning, perEpoch),
    epoch,
    epochs,
    stepsPerEpoch: perEpoch,
    loss,
    savingState,
    lastCheckpoint,
    stateFollows: stateFollows(state),
    finished,
    exact: state.exact,
    pausedAt: state.pausedAt,
    leftUnsaved: state.leftUnsaved,
    refused: state.refused,
    notExactly: state.notExactly,
    finishingAt: state.finishingAt,
  };
}

/** Under the starter of exact pause the trainer's steps are absolute, else they count from its last resume. */
function counting(state: ConsoleState, beginning: Beginning | null): { stepOffset: number; stepsAdded: number } {
  if (state.countedFrom !== null) return { stepOffset: state.countedFrom, stepsAdded: 0 };
  const stepOffset = beginning ? beginning.stepOffset : stepsBeforeByHand(state);
  const stepsAdded = state.exact?.available === false ? stepOffset : (beginning?.stepsAdded ?? stepOffset);
  return { stepOffset, stepsAdded };
}

/** The bar counts from the last resume. */
function stepsBeforeByHand({ totalSteps, total }: ConsoleState): number {
  return totalSteps !== null && total !== null ? Math.max(0, totalSteps - total) : 0;
}

/** sd-scripts counts as if all epochs were as long as today's; what was trained keeps its number. */
function stepsInAll(
  { totalSteps, total, epochs, countedFrom }: ConsoleState,
  beginning: Beginning | null,
  perEpoch: number | null,
): number | null {
  if (countedFrom !== null || !beginning || beginning.firstEpoch === 1 || !perEpoch || totalSteps === null)
    return totalSteps ?? total;
  const all = epochs ?? Math.ceil(totalSteps / perEpoch);
  return beginning.stepOffset + Math.max(0, all - beginning.firstEpoch + 1) * perEpoch;
}

/** Weights come first, then their state (train_network.py:1690-1708): a save that has just begun has no state yet. */
function stateFollows({ lastCheckpoint, lastStateSaved }: ConsoleState): boolean {
  if (lastCheckpoint === null) return false;
  return basename(lastCheckpoint, '.safetensors') !== basename(lastStateSaved ?? '', '-state');
}

/** sd-scripts prints its figures to stdout and its bar to stderr. */
function together(states: ConsoleState[]): ConsoleState {
  const known = states.flatMap((state) => Object.entries(state).filter(([, value]) => value !== null));
  const barred = states.find(({ step }) => step !== null);
  const phase = states.find(({ finished }) => finished)?.phase ?? barred?.phase ?? states.at(-1)?.phase;
  return { ...startConsole(), ...Object.fromEntries(known), phase: phase ?? 'starting' };
}

function newestRun(text: string): string {
  const begun = text.lastIndexOf('running training');
  if (begun >= 0) return text.slice(begun);
  const ended = text.lastIndexOf('model saved.');
  return ended < 0 ? text : text.slice(ended + 'model saved.'.length);
}
