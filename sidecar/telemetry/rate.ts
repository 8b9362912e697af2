/** The time span of the pace that is shown, at least so many looks of it. */
const RECENT_MS = 30_000;
const RECENT_LOOKS = 8;
/** The time span of what is to be expected: pauses for samples and saves come again, and a change of speed counts in the end. */
const LONG_MS = 20 * 60_000;
const POINTS = 400;

type Point = { step: number; at: number };

/** Seconds per step by our own clock: the trainer's own rate is unreliable (sd-scripts train_network.py:1494). */
export function createRate() {
  let recent: Point[] = [];
  /** Of the whole attempt, thinned out. */
  let all: Point[] = [];
  return {
    /** The step of a look, at a time in ms. */
    add(step: number, at: number): void {
      const last = recent.at(-1);
      if (last && step === last.step) return;
      if (last && step < last.step) {
        recent = [];
        all = [];
      }
      recent.push({ step, at });
      while (recent.length > RECENT_LOOKS && at - (recent[0]?.at ?? at) > RECENT_MS) recent.shift();
      all = [...(all.length < POINTS ? all : all.filter((_, index) => index % 2 === 0)), { step, at }];
    },
    /** Of a step now, without the pauses between steps for samples and saves; null before the second one. */
    secondsPerStep(): number | null {
      const paces = recent.slice(1).flatMap((point, before) => paceOf(recent[before], point) ?? []);
      return paces.sort((a, b) => a - b)[Math.floor(paces.length / 2)] ?? null;
    },
    /** Of a step with its share of all pauses, from which the end is told. */
    secondsPerStepInAll(): number | null {
      const last = all.at(-1);
      const span = Math.max(LONG_MS, ((last?.at ?? 0) - (all[0]?.at ?? 0)) / 2);
      return paceOf(
        all.find(({ at }) => at >= (last?.at ?? 0) - span),
        last,
      );
    },
  };
}

function paceOf(first: Point | undefined, last: Point | undefined): number | null {
  return first && last && last.step > first.step ? (last.at - first.at) / 1000 / (last.step - first.step) : null;
}
