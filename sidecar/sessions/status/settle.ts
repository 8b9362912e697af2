import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readOr } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';
import type { AttemptRecord } from '../../launchers/attemptFile.js';
import type { Dialect, Exit, Explanation } from '../../trainers/dialect.js';
import type { AttemptEntry } from '../record/uiState.js';
import type { JobEnding } from './jobs.js';

/** The reason's code of an attempt that never ran in its folder. */
export const COPIED = 'copied';

/** The reason's code of an attempt whose runner never came to write a word. */
export const NEVER_BEGAN = 'sidecar_gone';

export type Settlement = Pick<
  AttemptEntry,
  'outcome' | 'all_trained' | 'reason' | 'reason_code' | 'no_retry' | 'exit_code' | 'signal' | 'ended_at' | 'log_end'
>;

export type Evidence = {
  entry: AttemptEntry;
  /** Null if the runner never wrote one for this attempt. */
  record: AttemptRecord | null;
  /** The original of a copied folder: the attempt never ran in this one. */
  copyOf: string | null;
  /** It ended with its whole pod (see launchers/podEnd.ts). */
  podEnded: boolean;
  /** The cluster's or the system's program that told it to end; null for anybody else. */
  daemon: string | null;
  /** How its cluster explains the end; null where it does not matter. */
  job?: JobEnding | null;
  /** The step whose state it saved before it ended by itself, as asked to; null without a pause. */
  pausedAt?: number | null;
  /** The step at which it was asked to end, with its weights as the final ones; null else. */
  finishedAt?: number | null;
  /** It was asked to pause before its first step, and ended at once. */
  leftUnsaved?: boolean;
  stepSeen: boolean;
  /** Optimizer steps that were not trained; null when the total is unknown. */
  stepsLeft: number | null;
  /** A final weights file that is new since the attempt's start: `whole`, or its fault; else null. */
  newFinal: 'whole' | { wrong: string } | null;
  finalName: string;
  /** Explains the end, from the last lines of this attempt's log. */
  explain(exit: Exit): Explanation;
  logSize: number;
  now: Date;
};

/**
 * Settles how an attempt ended, from the evidence: the runner's exit record, the final weights file, stop requests.
 * Notes, whatever the end, if everything had been trained and saved by then. Pure.
 */
export function settle(evidence: Evidence): Settlement {
  const { newFinal, stepsLeft, finalName } = evidence;
  const settlement = {
    ...saidToPause(settleEnd(evidence), evidence),
    all_trained: newFinal === 'whole' && stepsLeft === 0,
  };
  if (!settlement.all_trained || settlement.outcome === 'completed') return settlement;
  const whole = `Everything had been trained by then, and ${finalName} is complete.`;
  return { ...settlement, reason: `${settlement.reason} ${whole}` };
}

/** The exit code of a training that paused (trainer-bridge/trackside/_exact/leave.py). */
const PAUSED = 75;

/** Whoever asked for it, a training that paused has lost nothing. */
function saidToPause(
  end: Omit<Settlement, 'all_trained'>,
  { pausedAt = null, leftUnsaved = false, record, podEnded, daemon }: Evidence,
): Omit<Settlement, 'all_trained'> {
  if (record?.exit_code !== PAUSED || !(pausedAt !== null || leftUnsaved)) return end;
  const nothing = pausedAt === null;
  const saved = nothing ? 'Everything trained until then was saved.' : `Step ${pausedAt} is saved; nothing is lost.`;
  if (podEnded || daemon !== null) return { ...end, reason: `${end.reason} ${saved}` };
  const by = end.reason_code === 'stopped_by_signal' ? `${end.reason} ` : '';
  const words = nothing ? 'Stopped before its first step.' : `Paused at step ${pausedAt}.`;
  const reason = `${by}${words} ${saved}`;
  const code = end.outcome === 'failed' || end.reason_code === 'stopped_by_you' ? 'paused' : end.reason_code;
  return { ...end, outcome: 'stopped', reason, reason_code: code, no_retry: null };
}

function settleEnd(evidence: Evidence): Omit<Settlement, 'all_trained'> {
  const { entry, record, stepSeen, newFinal } = evidence;
  const ended = {
    ended_at: record?.ended_at ?? evidence.now.toISOString(),
    exit_code: record?.exit_code ?? null,
    signal: record?.signal ?? null,
    log_end: record?.log_end ?? evidence.logSize,
    no_retry: null,
    reason_code: null,
  };
  if (evidence.copyOf !== null && !record?.ended_at) {
    const reason = `This folder is a copy of ${evidence.copyOf}, made while that was training. Nothing runs in it.`;
    return { ...ended, outcome: 'stopped', reason, reason_code: COPIED };
  }
  // A training that honours a stop between two steps saves its work, and ends without an error too.
  const cutShort = Boolean(entry.stop_requested_at) && evidence.stepsLeft !== null && evidence.stepsLeft > 0;
  if (record?.ended_at && record.exit_code === 0 && newFinal === 'whole' && stepSeen && !cutShort) {
    const early = `Finished early, at step ${evidence.finishedAt}: the weights of this step are the final ones.`;
    return { ...ended, outcome: 'completed', reason: evidence.finishedAt == null ? null : early };
  }
  if (wasYours(evidence)) {
    return { ...ended, outcome: 'stopped', reason: 'Stopped by you.', reason_code: 'stopped_by_you' };
  }
  if (entry.stalled) {
    return { ...ended, outcome: 'failed', reason: entry.stalled, reason_code: entry.reason_code ?? 'stalled' };
  }
  if (evidence.job) return { ...ended, ...evidence.job };
  if (evidence.podEnded) {
    const reason = 'The pod was shut down during the training.';
    return { ...ended, outcome: 'interrupted', reason, reason_code: 'pod_shut_down' };
  }
  if (evidence.daemon) {
    const reason = `The cluster or the system ended it: ${record?.stop_signal} came from ${evidence.daemon}.`;
    return { ...ended, outcome: 'interrupted', reason, reason_code: 'ended_by_daemon' };
  }
  if (record?.stop_signal) {
    const reason = BY_SIGNAL[record.stop_signal] ?? `Stopped by ${record.stop_signal}, sent to its process.`;
    return { ...ended, outcome: 'stopped', reason, reason_code: 'stopped_by_signal' };
  }
  if (record?.ended_at) {
    return { ...ended, outcome: 'failed', ...why(evidence, record) };
  }
  if (!record) {
    const reason = 'Trackside ended before the trainer had started; nothing was trained.';
    return { ...ended, outcome: 'interrupted', reason, reason_code: NEVER_BEGAN };
  }
  const reason = 'The pod or the runner process disappeared during the training.';
  return { ...ended, outcome: 'interrupted', reason, reason_code: 'runner_gone' };
}

/** What people do to end a program, where a signal stands for one thing. */
const BY_SIGNAL: Record<string, string> = {
  SIGINT: 'Stopped with Ctrl-C.',
  SIGHUP: 'Stopped because its terminal, or the kernel of its notebook, was closed.',
};

/** A stop after the next save counts only if the runner was told to end: else something else was quicker. */
function wasYours({ entry, record, podEnded, daemon }: Evidence): boolean {
  if (record?.stop_requested_at) return true;
  if (entry.stop_when === 'after-save') return Boolean(record?.stop_signal) && !podEnded && daemon === null;
  return Boolean(entry.stop_requested_at);
}

/** The signature (inode, mtime, size) of the final weights file, or null without one. Only ever compared. */
export function finalSignature(folder: string, dialect: Dialect, outputName: string): string | null {
  const path = join(folder, dialect.final.name(outputName));
  const stats = readOr(undefined, 'sessions', () => statSync(path, { throwIfNoEntry: false }));
  return stats ? signatureOf(stats) : null;
}

function why(evidence: Evidence, record: AttemptRecord): Pick<Settlement, 'reason' | 'reason_code' | 'no_retry'> {
  // A reason of the runner itself ("could not be started: …") would only repeat.
  if (record.reason) return { reason: record.reason, reason_code: 'not_started', no_retry: 'repeats' };
  const { exit_code: code, signal, oom_killed: oomKilled, oom_kills: oomKills } = record;
  const { words, code: known, again: no_retry } = evidence.explain({ code, signal, oomKilled, oomKills });
  const plain = signal ? `The trainer was ended by ${signal}.` : `The trainer ended with exit code ${code}.`;
  if (code !== 0)
    return { reason: words ?? plain, reason_code: known ?? (signal ? `signal:${signal}` : `exit:${code}`), no_retry };
  const missing = `The trainer ended without an error, but ${whatIsMissing(evidence)}.`;
  return { reason: words ? `${missing} ${words}` : missing, reason_code: known ?? 'no_weights', no_retry };
}

function whatIsMissing({ newFinal, finalName }: Evidence): string {
  if (newFinal === null) return `wrote no new ${finalName}`;
  return newFinal === 'whole' ? 'trained no step' : `${finalName} ${newFinal.wrong}`;
}
