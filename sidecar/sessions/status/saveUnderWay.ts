import { basename } from 'node:path';
import type { StoredProgress } from '../../telemetry/progress.js';
import { readCheckpointName } from '../../trainers/sdOutput/fileNames.js';

/**
 * What a trainer is saving at this moment, by its console. The last save ends with the training: its state comes first, and
 * the final weights after it (sd-scripts train_network.py:1719-1729). `leaving`: all is saved, and it is about to end by
 * itself. Null where nothing is being saved. Pure.
 */
export type SaveUnderWay = 'one of many' | 'the last' | 'leaving' | null;

export function saveUnderWay(progress: StoredProgress | null, outputName: string, savesStates: boolean): SaveUnderWay {
  if (!progress) return null;
  const { console } = progress;
  if (console.finished) return 'leaving';
  if (isLastSave(progress, outputName)) {
    return console.phase === 'finishing' || console.phase === 'saving' ? 'the last' : null;
  }
  if (console.savingState !== null) return 'one of many';
  return console.phase === 'saving' && savesStates && stateIsToCome(progress) ? 'one of many' : null;
}

/** Is there nothing left to train, so that a save of this moment, or the one that follows at once, is the last? */
export function isLastSave(progress: StoredProgress, outputName: string): boolean {
  const { phase, lastCheckpoint, finished } = progress.console;
  if (finished || phase === 'finishing' || stepsLeft(progress) === 0) return true;
  return lastCheckpoint !== null && readCheckpointName(basename(lastCheckpoint), outputName)?.kind === 'final';
}

/** Optimizer steps that are not trained yet; null where the total is not known. */
export function stepsLeft({ console, step, total_steps: total }: StoredProgress): number | null {
  if (console.finished) return 0;
  return step === null || total === null ? null : Math.max(0, total - step);
}

/** Weights first, then their state (train_network.py:1690-1708): a save that has only begun has no state of its name yet. */
function stateIsToCome({ console }: StoredProgress): boolean {
  const weights = console.lastCheckpoint && basename(console.lastCheckpoint, '.safetensors');
  const state = console.lastStateSaved && basename(console.lastStateSaved, '-state');
  return weights !== null && weights !== state;
}
