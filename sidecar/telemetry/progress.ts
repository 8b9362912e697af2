import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../caught.js';
import { readTextNow } from '../files/regularFile.js';
import type { ConsoleEvent, ConsoleFacts, Memory } from '../trainers/console.js';
import type { Phase } from '../trainers/phase.js';
import type { Left, TimeLeft } from './rate.js';

export const PROGRESS_FILE = 'progress.json';
/** Bytes. It has a few kilobytes, and an unfinished line of the log at most. */
const LARGEST = 1024 * 1024;
const CURVE_POINTS = 120;

/** What is none reads as none: a person, or another program, may have written it. */
const whole = z.int().min(0).nullable().default(null).catch(null);
const seconds = z.number().min(0).max(3.2e9).nullable().default(null).catch(null);
const text = z.string().nullable().default(null).catch(null);
const memory = z.record(z.string(), z.unknown()).nullable();

export const shown = z
  .object({
    phase: z
      .custom<Phase>((value) => typeof value === 'string')
      .nullable()
      .default(null)
      .catch(null),
    step: whole,
    total_steps: whole,
    epoch: whole,
    epochs: whole,
    /** 0 to 100, one decimal. */
    percent: z.number().min(0).max(100).nullable().default(null).catch(null),
    /** The trainer's own running mean (`avr_loss`); NaN is written as the string "nan". */
    loss: z
      .union([z.number(), z.literal('nan')])
      .nullable()
      .default(null)
      .catch(null),
    /** The lowest `loss` so far, and its step. */
    best_loss: z.number().nullable().default(null).catch(null),
    best_step: whole,
    /** The most memory that its fullest GPU had in use during this attempt, as nvidia-smi tells it, in bytes. */
    peak_gpu_memory: whole,
    /** From our own clock: the trainer's bar is unreliable. */
    seconds_per_step: seconds,
    eta_seconds: seconds,
    eta_guessed: z
      .boolean()
      .default(false)
      .catch(false)
      .describe(
        'More than a tenth of `eta_seconds` is a guess: the time of its samples, until it has drawn the first.',
      ),
    updated_at: text,
  })
  .meta({ id: 'Progress' });

/** The progress of a training, for pages and the API. */
export type Progress = z.infer<typeof shown>;

export const NO_PROGRESS: Progress = shown.parse({});

/**
 * `progress.json`: for jq, and for the next sidecar, which continues in the log from there. All steps and epochs are
 * absolute over the attempts of the session.
 */
const stored = z.looseObject({
  ...shown.shape,
  attempt: text,
  /** Has the attempt trained a step of its own? */
  begun: z.boolean().optional().catch(undefined),
  /** The end of the accounted part of training.log: `<inode>:<offset>`. */
  log_position: text,
  /** The same for the training's progress file, if it has one. */
  reports_position: text,
  /** [step, loss], oldest first, thinned out to at most 120 points. */
  loss_curve: z.array(z.tuple([z.number(), z.number()])).catch([]),
  /** Optimizer steps per epoch, once known from the console. */
  steps_per_epoch: whole,
  /** The step from which a resume of the newest saved state would train on; null when unknown. */
  kept_step: whole,
  /** Seconds that a sample picture takes, as measured; null before one was drawn. */
  seconds_per_picture: seconds,
  /** What it would take after another session, until it is measured (see telemetry/rate.ts `PictureElsewhere`). */
  picture_elsewhere: z
    .object({ seconds: z.number().min(0), pace: z.number().positive().nullable() })
    .nullable()
    .default(null)
    .catch(null),
  /** The dialect reader's own memory, so that the next sidecar can continue in the middle of a line. */
  dialect: memory.optional().catch(undefined),
  /** The memory in the format of an earlier Trackside, for sd-scripts only. */
  console: memory.optional().catch(undefined),
  /** The present standstill, for the next sidecar to continue the count. Null while it moves. */
  still: z.object({ mark: z.string(), seconds: z.number() }).nullable().catch(null),
});

type Stored = z.infer<typeof stored>;
export type StoredProgress = Omit<Pick<Stored, keyof typeof stored.shape>, 'begun' | 'dialect' | 'console'> & {
  begun: boolean;
  dialect: Memory;
};

/** `mark` stays the same while nothing moves. */
export type Stillness = NonNullable<StoredProgress['still']>;

/** The stored progress. Null without a readable file: it is then rebuilt from the log. */
export function readProgress(folder: string): StoredProgress | null {
  try {
    const parsed = stored.parse(JSON.parse(readTextNow(join(folder, PROGRESS_FILE), LARGEST)));
    const { console, dialect = console ?? null, begun = Number(console?.step) > 0, ...rest } = parsed;
    return { ...rest, dialect, begun };
  } catch (error) {
    return ifUnreadable(null, 'telemetry')(error);
  }
}

/** The facts for pages and the API, without those for the next sidecar. */
export function publicProgress(progress: StoredProgress | null): Progress {
  return shown.parse(progress ?? {});
}

/** The progress of an attempt about to begin: from the state's step on, never from zero. */
export function beginProgress(attempt: {
  id: string;
  step: number;
  /** Where it counts from: before `step` for a state from the middle of an epoch. */
  stepOffset: number;
  /** Whole epochs before, and the steps of the next one that are trained already. */
  epoch: number;
  intoEpoch?: number;
  epochs: number | null;
  /** The earlier progress, whose curve is kept up to `stepOffset`: what follows is trained again. */
  before: StoredProgress | null;
  now: Date;
}): StoredProgress {
  const { id, step, stepOffset, epoch, intoEpoch = 0, epochs, before, now } = attempt;
  const perEpoch = before?.steps_per_epoch ?? null;
  const totalSteps =
    perEpoch !== null && epochs !== null ? stepOffset - intoEpoch + perEpoch * Math.max(0, epochs - epoch) : null;
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
    loss_curve: (before?.loss_curve ?? []).filter(([at]) => at <= stepOffset),
    steps_per_epoch: perEpoch,
    ...bestOf(before, stepOffset),
    kept_step: step,
    seconds_per_picture: before?.seconds_per_picture ?? null,
    picture_elsewhere: null,
    dialect: null,
    still: null,
  };
}

type Pace = {
  secondsPerStep(): number | null;
  secondsPerPicture(): number | null;
  timeLeft(left: Left, pace: number | null): TimeLeft | null;
};

/** Folds the console's facts, and the events since the last ones, into the progress. */
export function advanceProgress(
  before: StoredProgress,
  { facts, events }: { facts: ConsoleFacts; events: readonly ConsoleEvent[] },
  pace: Pace,
  now: Date,
): StoredProgress {
  // Until its own first step the trainer is at the state's step.
  const step = facts.step ?? before.step;
  const total = facts.totalSteps ?? before.total_steps;
  const seconds = pace.secondsPerStep() ?? before.seconds_per_step;
  const stepsPerEpoch = facts.stepsPerEpoch ?? before.steps_per_epoch;
  const numeric = typeof facts.loss === 'number' ? facts.loss : null;
  const left = step === null || total === null ? null : pace.timeLeft({ step, total, stepsPerEpoch }, seconds);
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
    ...(numeric !== null && step !== null && numeric < (before.best_loss ?? Number.POSITIVE_INFINITY)
      ? { best_loss: numeric, best_step: step }
      : {}),
    seconds_per_step: seconds,
    eta_seconds: left?.seconds ?? null,
    eta_guessed: left?.guessed ?? false,
    updated_at: now.toISOString(),
    loss_curve: step !== null && numeric !== null ? appendPoint(before.loss_curve, step, numeric) : before.loss_curve,
    steps_per_epoch: stepsPerEpoch,
    seconds_per_picture: pace.secondsPerPicture() ?? before.seconds_per_picture,
    kept_step: keptStep(before, facts, events),
  };
}

/** The lowest loss that a resume keeps; of a lost one, the lowest of the kept curve. */
function bestOf(before: StoredProgress | null, stepOffset: number) {
  if (before?.best_step != null && before.best_step <= stepOffset) {
    return { best_loss: before.best_loss, best_step: before.best_step };
  }
  const kept = (before?.loss_curve ?? []).filter(([at]) => at <= stepOffset);
  const least = kept.reduce<[number, number] | null>(
    (best, point) => (best && best[1] <= point[1] ? best : point),
    null,
  );
  return { best_loss: least?.[1] ?? null, best_step: least?.[0] ?? null };
}

/** A resume begins at the start of an epoch, so steps after the last whole epoch of a state are trained again. */
function keptStep(before: StoredProgress, facts: ConsoleFacts, events: readonly ConsoleEvent[]): number | null {
  const saved = events.findLastIndex(({ type }) => type === 'state-saved');
  if (saved === -1) return before.kept_step;
  const last = events.slice(0, saved).findLast((event) => event.type === 'step');
  const step = last ? (facts.stepsAdded ?? facts.stepOffset) + last.step : before.step;
  if (facts.exact?.available) return step;
  const perEpoch = facts.stepsPerEpoch ?? before.steps_per_epoch;
  return step === null || !perEpoch ? null : Math.floor(step / perEpoch) * perEpoch;
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
