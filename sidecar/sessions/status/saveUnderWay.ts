import { basename } from 'node:path';
import type { StoredProgress } from '../../telemetry/progress.js';
import type { ConsoleFacts } from '../../trainers/console.js';
import type { Dialect } from '../../trainers/dialect.js';

/** A training, as its console tells it. */
type Told = { progress: StoredProgress | null; console: ConsoleFacts; dialect: Dialect; outputName: string };

/**
 * The save under way, by the console; null without one. The last save ends the training: first its state, then the
 * final weights (sd-scripts train_network.py:1719-1729). `leaving`: all is saved, and the trainer is about to end.
 * Pure.
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

/** Is nothing left to train, so that the present or next save is the last? */
export function isLastSave({ progress, console, dialect, outputName }: Told): boolean {
  const { phase, lastCheckpoint, finished } = console;
  if (finished || phase === 'finishing' || (progress && stepsLeft(progress, console) === 0)) return true;
  return lastCheckpoint !== null && dialect.saved(basename(lastCheckpoint), outputName)?.kind === 'final';
}

/** Optimizer steps left to train; null when the total is unknown. */
export function stepsLeft({ step, total_steps: total }: StoredProgress, { finished }: ConsoleFacts): number | null {
  if (finished) return 0;
  return step === null || total === null ? null : Math.max(0, total - step);
}
