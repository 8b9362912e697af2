import { statSync } from 'node:fs';
import { join } from 'node:path';
import { signatureOf } from '../fileSignature.js';
import type { AttemptRecord } from '../processes/attemptFile.js';
import { explainEnd, whyNotAgain } from '../trainers/failures.js';
import { checkpointName } from '../trainers/fileNames.js';
import type { AttemptEntry } from './uiState.js';

export type Settlement = Pick<
  AttemptEntry,
  'outcome' | 'reason' | 'no_retry' | 'exit_code' | 'signal' | 'ended_at' | 'log_end'
>;

/**
 * How an attempt ended, from the evidence: the runner's exit record, the final weights file, what was asked for.
 * Pure. `record` is null where the runner never wrote one for this attempt.
 */
export function settle(evidence: {
  entry: AttemptEntry;
  record: AttemptRecord | null;
  /** It was told to end with its whole pod (see processes/podEnd.ts). */
  podEnded: boolean;
  stepSeen: boolean;
  /** Is there a final weights file that was not there, or not so, before the attempt? */
  newFinal: boolean;
  finalName: string;
  /** The end of this attempt's part of the log. */
  logTail: string;
  logSize: number;
  now: Date;
}): Settlement {
  const { entry, record, stepSeen, newFinal } = evidence;
  const ended = {
    ended_at: record?.ended_at ?? evidence.now.toISOString(),
    exit_code: record?.exit_code ?? null,
    signal: record?.signal ?? null,
    log_end: record?.log_end ?? evidence.logSize,
    no_retry: null,
  };
  if (record?.ended_at && record.exit_code === 0 && newFinal && stepSeen) {
    return { ...ended, outcome: 'completed', reason: null };
  }
  // After the next save: where the runner was not told to end, something else was quicker.
  const isYours = entry.stop_when === 'after-save' ? record?.stop_signal && !evidence.podEnded : true;
  if (entry.stop_requested_at && isYours) return { ...ended, outcome: 'stopped', reason: 'Stopped by you.' };
  if (entry.stalled) return { ...ended, outcome: 'failed', reason: entry.stalled };
  if (evidence.podEnded) {
    return { ...ended, outcome: 'interrupted', reason: 'The pod was shut down in the middle of it.' };
  }
  if (record?.stop_signal) {
    return { ...ended, outcome: 'stopped', reason: `Stopped by ${record.stop_signal}, sent to its process.` };
  }
  if (record?.ended_at) {
    return { ...ended, outcome: 'failed', reason: why(evidence, record), no_retry: noRetry(evidence, record) };
  }
  if (!record) {
    const reason = 'Trackside went away before the trainer had started; nothing was trained.';
    return { ...ended, outcome: 'interrupted', reason };
  }
  return { ...ended, outcome: 'interrupted', reason: 'The pod or the runner went away in the middle of it.' };
}

/** The signature (inode, mtime, size) of the final weights file, or null where there is none. Compared, never read as a time. */
export function finalSignature(folder: string, outputName: string): string | null {
  const stats = statSync(join(folder, checkpointName(outputName, { kind: 'final', number: null })), {
    throwIfNoEntry: false,
  });
  return stats ? signatureOf(stats) : null;
}

/** What the runner itself says of an end ("could not be started: …") is no passing matter. */
function noRetry(evidence: Parameters<typeof settle>[0], record: AttemptRecord): AttemptEntry['no_retry'] {
  if (record.reason) return 'repeats';
  const { exit_code: code, signal, oom_killed: oomKilled } = record;
  return whyNotAgain(evidence.logTail, { code, signal, oomKilled });
}

function why(evidence: Parameters<typeof settle>[0], record: AttemptRecord): string {
  if (record.reason) return record.reason;
  const { exit_code: code, signal, oom_killed: oomKilled } = record;
  const explained = explainEnd(evidence.logTail, { code, signal, oomKilled });
  if (code === 0) {
    const missing = evidence.newFinal
      ? 'The trainer ended without an error, but trained no step.'
      : `The trainer ended without an error, but wrote no new ${evidence.finalName}.`;
    return explained ? `${missing} ${explained}` : missing;
  }
  if (explained) return explained;
  return signal ? `The trainer was ended by ${signal}.` : `The trainer ended with exit code ${code}.`;
}
