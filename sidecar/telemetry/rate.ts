import type { SamplingPlan } from '../trainers/dialect.js';

/** The time span of the pace that is shown, at least so many looks of it. */
const RECENT_MS = 30_000;
const RECENT_LOOKS = 8;
/** The time span of what is to be expected: pauses for saves come again, and a change of speed counts in the end. */
const LONG_MS = 20 * 60_000;
const POINTS = 400;
/** After so many times their distance samples that never came are expected no more. */
const OVERDUE = 1.5;
/** The share of the time left from which on a guess of its samples is told as one. */
const NOTICEABLE = 0.1;

type Point = { step: number; at: number };

/** How far a training is, in optimizer steps. */
export type Left = { step: number; total: number; stepsPerEpoch: number | null };

/** Seconds until all steps are trained. `guessed`: more than a tenth of them are samples whose time nobody has measured. */
export type TimeLeft = { seconds: number; guessed: boolean };

/**
 * What a picture of this session would take, after one of another session. `pace`: seconds per step there, where its steps
 * were like these, so that a machine that is faster or slower by now is allowed for; null where they were not.
 */
export type PictureElsewhere = { seconds: number; pace: number | null };

/** What is known of a picture's time before one was drawn. `before`: seconds, as measured in an earlier attempt of this session. */
type PictureTime = { before?: number | null; elsewhere?: PictureElsewhere | null };

/**
 * Seconds per step, and to the end, by our own clock: the trainer's own rate is unreliable (sd-scripts train_network.py:1494).
 *
 * @param plan when it draws samples; null when it draws none, or nobody knows: then they count as a part of its steps
 */
export function createRate(plan: SamplingPlan | null = null, { before = null, elsewhere = null }: PictureTime = {}) {
  let recent: Point[] = [];
  /** Of the whole attempt, thinned out. */
  let all: Point[] = [];
  /** Samples: how often some were drawn, how long that took in ms, and since when it goes on. */
  let drawn = 0;
  let drawingMs = 0;
  let drawingSince: number | null = null;
  /** Those that are due at the present step were drawn. */
  let drawnHere = false;

  /** Of a step now, without the pauses between steps for samples and saves; null before the second one. */
  function secondsPerStep(): number | null {
    const paces = recent.slice(1).flatMap((point, index) => paceOf(recent[index], point) ?? []);
    return paces.sort((a, b) => a - b)[Math.floor(paces.length / 2)] ?? null;
  }

  /** Of a step with its share of all pauses, except for samples that are planned. */
  function secondsPerStepInAll(): number | null {
    const last = all.at(-1);
    const span = Math.max(LONG_MS, ((last?.at ?? 0) - (all[0]?.at ?? 0)) / 2);
    return paceOf(
      all.find(({ at }) => at >= (last?.at ?? 0) - span),
      last,
    );
  }

  /** As measured in this attempt, else as in an earlier one. */
  const secondsPerPicture = () => (plan && drawn > 0 ? drawingMs / 1000 / drawn / plan.pictures : before);

  function secondsForSamples({ step, total, stepsPerEpoch }: Left, pace: number): number {
    const distance = plan && (plan.every === 'steps' ? plan.distance : plan.distance * (stepsPerEpoch ?? 0));
    if (!plan || !distance) return 0;
    const followed = (all.at(-1)?.step ?? 0) - (all[0]?.step ?? 0);
    if (drawn === 0 && drawingSince === null && followed > OVERDUE * distance) return 0;
    const once = (secondsPerPicture() ?? guessedPicture(plan, pace)) * plan.pictures;
    const done = Math.floor(step / distance) - (step % distance === 0 && !drawnHere ? 1 : 0);
    return once * Math.max(0, Math.floor(total / distance) - done);
  }

  /**
   * Until a picture was drawn: as in another session, or else as many steps of training as the model has to be run over for
   * about as much.
   */
  function guessedPicture({ asSteps, pictures }: SamplingPlan, pace: number): number {
    if (!elsewhere) return (asSteps / pictures) * pace;
    return elsewhere.pace ? (elsewhere.seconds * (secondsPerStep() ?? pace)) / elsewhere.pace : elsewhere.seconds;
  }

  return {
    /** The step of a look, at a time in ms. */
    add(step: number, at: number): void {
      if (drawingSince !== null) {
        drawingMs += at - drawingSince;
        drawn += 1;
        drawingSince = null;
        drawnHere = true;
      }
      const last = recent.at(-1);
      if (last && step === last.step) return;
      drawnHere = false;
      if (last && step < last.step) {
        recent = [];
        all = [];
      }
      const trained = { step, at: at - drawingMs };
      recent.push(trained);
      while (recent.length > RECENT_LOOKS && trained.at - (recent[0]?.at ?? trained.at) > RECENT_MS) recent.shift();
      all = [...(all.length < POINTS ? all : all.filter((_, index) => index % 2 === 0)), trained];
    },
    /** It begins to draw samples, at a time in ms; the next step, or the same one again, ends it. */
    sampling(at: number): void {
      if (plan) drawingSince ??= at;
    },
    secondsPerStep,
    secondsPerPicture,
    /** Until all steps are trained, with the pauses to be expected; null without a pace. `pace`: as known otherwise. */
    timeLeft(left: Left, pace: number | null): TimeLeft | null {
      const inAll = secondsPerStepInAll() ?? pace;
      if (inAll === null) return null;
      const samples = secondsForSamples(left, inAll);
      const seconds = Math.max(0, left.total - left.step) * inAll + samples;
      return { seconds, guessed: secondsPerPicture() === null && samples > NOTICEABLE * seconds };
    },
  };
}

function paceOf(first: Point | undefined, last: Point | undefined): number | null {
  return first && last && last.step > first.step ? (last.at - first.at) / 1000 / (last.step - first.step) : null;
}
