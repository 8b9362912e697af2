/** The time span of the rate. */
const WINDOW_MS = 30_000;

/** Seconds per step by our own clock: the trainer's own rate is unreliable (sd-scripts train_network.py:1494). */
export function createRate() {
  let seen: { step: number; at: number }[] = [];
  return {
    add(step: number, at: number): void {
      const last = seen.at(-1);
      if (last && step === last.step) return;
      if (last && step < last.step) seen = [];
      seen.push({ step, at });
      while (seen.length > 2 && at - (seen[0]?.at ?? at) > WINDOW_MS) seen.shift();
    },
    secondsPerStep(): number | null {
      const first = seen[0];
      const last = seen.at(-1);
      if (!first || !last || last.step === first.step) return null;
      return (last.at - first.at) / 1000 / (last.step - first.step);
    },
  };
}
