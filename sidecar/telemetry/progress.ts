import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ConsoleFacts, Memory } from '../trainers/dialect.js';
import type { Phase } from '../trainers/phase.js';

export const PROGRESS_FILE = 'progress.json';
const CURVE_POINTS = 120;

/**
 * `progress.json`: what jq reads, and where the next start of the sidecar goes on reading the log. All steps and epochs
 * are absolute over the attempts of the session.
 */
export type StoredProgress = Progress & {
  attempt: string | null;
  /** Has the attempt trained a step of its own? */
  begun: boolean;
  /** Bytes of training.log that are accounted for: `<inode>:<offset>`. */
  log_position: string | null;
  /** The same of the file in which the training says how far it is, where that is another one. */
  reports_position: string | null;
  /** [step, loss], oldest first, thinned out to at most 120 points. */
  loss_curve: [number, number][];
  /** Optimizer steps in an epoch, once the console has told. */
  steps_per_epoch: number | null;
  /** What the dialect's reader remembers, so that the next sidecar reads on in the middle of a line. Only it knows the inside. */
  dialect: Memory;
  /** For how many seconds it was watched standing still, and where: the next sidecar counts on. Null while it moves. */
  still: Stillness | null;
};

/** `mark` is the same as long as nothing moves. */
export type Stillness = { mark: string; seconds: number };

export const NO_PROGRESS: Progress = {
  phase: null,
  step: null,
  total_steps: null,
  epoch: null,
  epochs: null,
  percent: null,
  loss: null,
  seconds_per_step: null,
  eta_seconds: null,
  updated_at: null,
};

const nullableNumber = z.number().nullable().catch(null);
const memory = z.record(z.string(), z.unknown()).nullable();
const stored = z.looseObject({
  phase: z.string().nullable().catch(null),
  step: nullableNumber,
  total_steps: nullableNumber,
  epoch: nullableNumber,
  epochs: nullableNumber,
  percent: nullableNumber,
  loss: z
    .union([z.number(), z.literal('nan')])
    .nullable()
    .catch(null),
  seconds_per_step: nullableNumber,
  eta_seconds: nullableNumber,
  updated_at: z.string().nullable().catch(null),
  attempt: z.string().nullable().catch(null),
  begun: z.boolean().optional().catch(undefined),
  log_position: z.string().nullable().catch(null),
  reports_position: z.string().nullable().catch(null),
  loss_curve: z.array(z.tuple([z.number(), z.number()])).catch([]),
  steps_per_epoch: nullableNumber,
  dialect: memory.optional().catch(undefined),
  /** Where an earlier Trackside kept that of sd-scripts, for which there was no other. */
  console: memory.optional().catch(undefined),
  still: z.object({ mark: z.string(), seconds: z.number() }).nullable().catch(null),
});

/** What was last known. Null when there is no file or none that can be read: it is rebuilt from the log. */
export function readProgress(folder: string): StoredProgress | null {
  try {
    const parsed = stored.parse(JSON.parse(readFileSync(join(folder, PROGRESS_FILE), 'utf8')));
    const { phase, console, dialect = console ?? null, begun = Number(console?.step) > 0, ...rest } = parsed;
    return { ...rest, phase: phase as Phase | null, dialect, begun };
  } catch {
    return null;
  }
}

/** The facts that pages and the API show, without what only the next sidecar needs. */
export function publicProgress(progress: StoredProgress | null): Progress {
  if (!progress) return { ...NO_PROGRESS };
  const { phase, step, total_steps, epoch, epochs, percent, loss, seconds_per_step, eta_seconds, updated_at } =
    progress;
  return { phase, step, total_steps, epoch, epochs, percent, loss, seconds_per_step, eta_seconds, updated_at };
}

/** The progress of an attempt that is about to begin: it goes on from the state's step, never from zero. */
export function beginProgress(attempt: {
  id: string;
  step: number;
  epoch: number;
  epochs: number | null;
  /** What was known before, of whose curve the part up to `step` is kept. */
  before: StoredProgress | null;
  now: Date;
}): StoredProgress {
  const { id, step, epoch, epochs, before, now } = attempt;
  const perEpoch = before?.steps_per_epoch ?? null;
  const totalSteps = perEpoch !== null && epochs !== null ? perEpoch * epochs : null;
  return {
    ...NO_PROGRESS,
    phase: 'starting',
    step,
    epoch,
    epochs,
    total_steps: totalSteps,
    percent: percent(step, totalSteps),
    updated_at: now.toISOString(),
    attempt: id,
    begun: false,
    log_position: null,
    reports_position: null,
    loss_curve: (before?.loss_curve ?? []).filter(([at]) => at <= step),
    steps_per_epoch: perEpoch,
    dialect: null,
    still: null,
  };
}

/** Folds what the training has said by now into the progress. */
export function advanceProgress(
  before: StoredProgress,
  facts: ConsoleFacts,
  secondsPerStep: number | null,
  now: Date,
): StoredProgress {
  // Until its own first step the trainer stands where the state stands.
  const step = facts.step ?? before.step;
  const total = facts.totalSteps ?? before.total_steps;
  const seconds = secondsPerStep ?? before.seconds_per_step;
  const numeric = typeof facts.loss === 'number' ? facts.loss : null;
  return {
    ...before,
    begun: facts.step !== null,
    phase: facts.phase,
    step,
    total_steps: total,
    epoch: facts.epoch ?? before.epoch,
    epochs: facts.epochs ?? before.epochs,
    percent: percent(step, total),
    loss: facts.loss ?? before.loss,
    seconds_per_step: seconds,
    eta_seconds: seconds !== null && step !== null && total !== null ? Math.max(0, (total - step) * seconds) : null,
    updated_at: now.toISOString(),
    loss_curve: step !== null && numeric !== null ? appendPoint(before.loss_curve, step, numeric) : before.loss_curve,
    steps_per_epoch: facts.stepsPerEpoch ?? before.steps_per_epoch,
  };
}

function percent(step: number | null, total: number | null): number | null {
  return step === null || !total ? null : Math.min(100, Math.round((1000 * step) / total) / 10);
}

function appendPoint(curve: [number, number][], step: number, loss: number): [number, number][] {
  const last = curve.at(-1);
  if (last && last[0] === step) return [...curve.slice(0, -1), [step, loss]];
  const grown: [number, number][] = [...curve, [step, loss]];
  return grown.length > CURVE_POINTS ? grown.filter((_, index) => index % 2 === 0) : grown;
}

export type Progress = {
  phase: Phase | null;
  step: number | null;
  total_steps: number | null;
  epoch: number | null;
  epochs: number | null;
  /** 0 to 100, one decimal. */
  percent: number | null;
  /** The trainer's own running mean (`avr_loss`); NaN is written as the string "nan". */
  loss: number | 'nan' | null;
  /** From our own clock: the trainer's bar is unreliable. */
  seconds_per_step: number | null;
  eta_seconds: number | null;
  updated_at: string | null;
};
