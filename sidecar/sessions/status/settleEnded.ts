import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '../../files/safetensors.js';
import type { AttemptRecord } from '../../launchers/attemptFile.js';
import { wasEndedByPod } from '../../launchers/podEnd.js';
import { accountForRest, LOG_FILE } from '../../telemetry/follow.js';
import { readLogTail } from '../../telemetry/logTail.js';
import { type StoredProgress, stepsBefore } from '../../telemetry/progress.js';
import { stepsPerEpoch } from '../../trainers/sdOutput/consoleLines.js';
import { checkpointName } from '../../trainers/sdOutput/fileNames.js';
import type { AttemptEntry } from '../record/uiState.js';
import { attemptProgress, beginningOf } from './attempts.js';
import { stepsLeft } from './saveUnderWay.js';
import { type Evidence, finalSignature, settle } from './settle.js';

const TAIL_LINES = 80;

/**
 * Settles an attempt that has ended and is not settled yet, from what its files tell. What the log holds beyond
 * progress.json is read first: the sidecar may have been down when the attempt ended.
 */
export async function settleEnded(ended: {
  folder: string;
  entry: AttemptEntry;
  /** attempt.json, which may be about another attempt. */
  record: AttemptRecord | null;
  outputName: string;
  stored: StoredProgress | null;
}): Promise<{ latest: AttemptEntry; progress: StoredProgress }> {
  const { folder, entry, record, outputName } = ended;
  const begun = attemptProgress(entry, ended.stored, null);
  const progress = await accountForRest(folder, beginningOf(entry), entry.log_start, begun);
  const log = join(folder, LOG_FILE);
  const mine = record?.id === entry.id ? record : null;
  const logStart = mine?.log_start ?? entry.log_start;
  const settlement = settle({
    entry,
    record: mine,
    podEnded: mine !== null && wasEndedByPod(mine, folder),
    stepSeen: (progress.console.step ?? 0) > 0,
    stepsLeft: stepsLeft(progress),
    newFinal: await readNewFinal(entry, folder, outputName),
    finalName: finalName(outputName),
    logTail: mine ? (await readLogTail(log, TAIL_LINES, logStart, mine.log_end ?? undefined)).text : '',
    logSize: (await stat(log).catch(() => null))?.size ?? 0,
    now: new Date(),
  });
  const { console } = progress;
  const counted = { steps_per_epoch: stepsPerEpoch(console), step_offset: stepsBefore(beginningOf(entry), console) };
  return { latest: { ...entry, ...settlement, ...counted }, progress };
}

async function readNewFinal(entry: AttemptEntry, folder: string, outputName: string): Promise<Evidence['newFinal']> {
  const signature = finalSignature(folder, outputName);
  if (signature === null || signature === entry.final_before) return null;
  const header = await readSafetensors(join(folder, finalName(outputName))).catch((error: Error) => {
    return `cannot be read (${error.message})`;
  });
  return typeof header === 'string' ? { wrong: header } : 'whole';
}

function finalName(outputName: string): string {
  return checkpointName(outputName, { kind: 'final', number: null });
}
