import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import type { AttemptRecord } from '../../launchers/attemptFile.js';
import type { JobLook } from '../../launchers/launcher.js';
import { endedByDaemon, wasEndedByPod } from '../../launchers/podEnd.js';
import { readEndOfLog } from '../../telemetry/endOfLog.js';
import { accountForRest, LOG_FILE } from '../../telemetry/follow.js';
import type { StoredProgress } from '../../telemetry/progress.js';
import type { ConsoleFacts } from '../../trainers/console.js';
import type { Dialect } from '../../trainers/dialect.js';
import type { AttemptEntry } from '../record/uiState.js';
import { attemptProgress, beginningOf } from './attempts.js';
import { endOfJob, jobEndOf, wasRequeued } from './jobs.js';
import { stepsLeft } from './saveUnderWay.js';
import { type Evidence, finalSignature, settle } from './settle.js';

/**
 * Settles an ended attempt from its files. Reads the part of the log after progress.json first: the sidecar may have
 * been down when the attempt ended.
 */
export async function settleEnded(ended: {
  folder: string;
  entry: AttemptEntry;
  /** attempt.json, perhaps of another attempt. */
  record: AttemptRecord | null;
  /** The original of a copied folder. */
  copyOf: string | null;
  dialect: Dialect;
  outputName: string;
  stored: StoredProgress | null;
  /** What the cluster told last of it; null for an attempt of another launcher. */
  job: JobLook | null;
}): Promise<{ latest: AttemptEntry; progress: StoredProgress }> {
  const { folder, entry, record, dialect, outputName } = ended;
  const beginning = beginningOf(entry);
  const progress = await accountForRest({
    folder,
    console: dialect.console,
    beginning,
    logStart: entry.log_start,
    progress: attemptProgress(entry, ended.stored, null),
  });
  const console = dialect.console.facts(progress.dialect, beginning);
  const log = join(folder, LOG_FILE);
  const mine = record?.id === entry.id ? record : null;
  // Only an end that the runner wrote down is explained.
  const end = mine?.ended_at ? await readEndOfLog(log, mine.log_start, mine.log_end ?? Number.POSITIVE_INFINITY) : '';
  const byWord = dialect.completes === 'by its word';
  const daemon = mine && endedByDaemon(mine);
  const told = daemon !== null || (mine?.job != null && mine.stop_signal !== null);
  const settlement = settle({
    entry,
    record: mine,
    copyOf: ended.copyOf,
    podEnded: mine !== null && wasEndedByPod(mine, folder),
    daemon,
    job: ended.job && endOfJob({ look: wasRequeued(entry) ?? ended.job, record: mine, told }),
    pausedAt: console.pausedAt ?? null,
    finishedAt: console.finishingAt === console.totalSteps ? null : (console.finishingAt ?? null),
    leftUnsaved: console.leftUnsaved ?? false,
    stepSeen: progress.begun || byWord,
    stepsLeft: stepsLeft(progress, console),
    newFinal: byWord ? itsWord(console) : await readNewFinal(entry, folder, dialect, outputName),
    finalName: byWord ? 'the training' : dialect.final.name(outputName),
    explain: (exit) => dialect.explain(end, exit, entry.argv),
    logSize: (await stat(log).catch(ifUnreadable(null, 'sessions')))?.size ?? 0,
    now: new Date(),
  });
  const counted = {
    steps_per_epoch: console.stepsPerEpoch,
    step_offset: console.stepOffset,
    steps_added: console.stepsAdded ?? null,
  };
  const job_end = jobEndOf(ended.job) ?? entry.job_end;
  const peak_gpu_memory = progress.peak_gpu_memory ?? entry.peak_gpu_memory;
  return { latest: { ...entry, ...settlement, ...counted, job_end, peak_gpu_memory }, progress };
}

/** A training that reports nothing has only its exit code. */
function itsWord({ finished, silent }: ConsoleFacts): Evidence['newFinal'] {
  return finished || silent ? 'whole' : { wrong: 'did not reach its end' };
}

async function readNewFinal(
  entry: AttemptEntry,
  folder: string,
  dialect: Dialect,
  outputName: string,
): Promise<Evidence['newFinal']> {
  const signature = finalSignature(folder, dialect, outputName);
  if (signature === null || signature === entry.final_before) return null;
  const unreadable = (error: Error) => `cannot be read (${error.message})`;
  const wrong = await dialect.final.wrong(join(folder, dialect.final.name(outputName))).catch(unreadable);
  return wrong === null ? 'whole' : { wrong };
}
