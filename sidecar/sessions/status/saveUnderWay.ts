import { basename } from 'node:path';
import type { StoredProgress } from '../../telemetry/progress.js';
import type { ConsoleFacts, Dialect } from '../../trainers/dialect.js';

/** A training as it is told by its console. */
type Told = { progress: StoredProgress | null; console: ConsoleFacts; dialect: Dialect; outputName: string };

/**
 * What a trainer is saving at this moment, by its console. The last save ends with the training: its state comes first, and
 * the final weights after it (sd-scripts train_network.py:1719-1729). `leaving`: all is saved, and it is about to end by
 * itself. Null where nothing is being saved. Pure.
 */
export type SaveUnderWay = 'one of many' | 'the last' | 'leaving' | null;

export function saveUnderWay(told: Told, savesStates: boolean): SaveUnderWay {
  const { finished, phase, savingState, stateFollows } = told.console;
  if (!told.progress) return null;
  if (finished) return 'leaving';
  if (isLastSave(told)) return phase === 'finishing' || phase === 'saving' ? 'the last' : null;
  if (savingState !== null) return 'one of many';
  return phase === 'saving' && savesStates && stateFollows ? 'one of many' : null;
}

/** Is there nothing left to train, so that a save of this moment, or the one that follows at once, is the last? */
export function isLastSave({ progress, console, dialect, outputName }: Told): boolean {
  const { phase, lastCheckpoint, finished } = console;
  if (finished || phase === 'finishing' || (progress && stepsLeft(progress, console) === 0)) return true;
  return lastCheckpoint !== null && dialect.saved(basename(lastCheckpoint), outputName)?.kind === 'final';
}

/** Optimizer steps that are not trained yet; null where the total is not known. */
export function stepsLeft({ step, total_steps: total }: StoredProgress, { finished }: ConsoleFacts): number | null {
  if (finished) return 0;
  return step === null || total === null ? null : Math.max(0, total - step);
}
