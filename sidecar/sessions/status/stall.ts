import type { Progress, Stillness } from '../../telemetry/progress.js';
import type { Phase } from '../../trainers/phase.js';

const MINUTE = 60;

/**
 * Seconds without progress after which a training counts as stalled. Long enough for the slowest honest case: a wrong
 * stop costs more than a late report.
 * - Models come from network disks: 24 GB at 10 MB/s are 40 silent minutes, to load them or to hash them (sd-scripts
 *   train_network.py:1207). Caching latents shows a bar, but the text encoders before it load in silence. Starting is
 *   importing torch from the same disk.
 * - The first step compiles and warms up, and its length is unknown. Later the limit is twenty usual steps; ten minutes
 *   at least, for a loader that waits for a sleeping disk.
 * - One sample of a large model in little memory takes minutes, and not all samplers print meanwhile.
 * - A state has some gigabytes at most; a network volume may delay a write for minutes.
 */
export function stallLimitSeconds(phase: Phase | null, secondsPerStep: number | null): number {
  if (phase === 'training' && secondsPerStep !== null) return Math.max(10 * MINUTE, 20 * secondsPerStep);
  return ((phase && LIMIT_MINUTES[phase]) ?? 60) * MINUTE;
}

const LIMIT_MINUTES: Partial<Record<Phase, number>> = {
  starting: 30,
  training: 30,
  sampling: 30,
  saving: 20,
  finishing: 20,
  ended: 10,
};

/**
 * Counts the seconds without progress. In training only steps and epochs count; in other phases, which have no steps,
 * all output counts. `elapsed` is the time since the last look by a monotonic clock, without time that the watcher
 * itself slept.
 */
export function watchStillness(before: Stillness | null, progress: Progress, elapsed: number): Stillness {
  const { phase, step, epoch, updated_at } = progress;
  const mark = phase === 'training' ? `training ${step} ${epoch}` : `${phase} ${updated_at}`;
  return { mark, seconds: before?.mark === mark ? before.seconds + elapsed : 0 };
}

/** Seconds without progress once over the limit, rounded down for the page; null before. */
export function stalledSeconds(still: Stillness, progress: Progress, scale = 1): number | null {
  const { seconds } = still;
  if (seconds < stallLimitSeconds(progress.phase, progress.seconds_per_step) * scale) return null;
  return seconds < MINUTE ? Math.floor(seconds) : Math.floor(seconds / MINUTE) * MINUTE;
}

/** Is something left to train, so that an end and a resume could help? */
export function isWorthResuming(phase: Phase | null): boolean {
  return phase !== 'finishing' && phase !== 'ended';
}

/** "no progress for 12 min while training" */
export function stalledWords(phase: Phase | null, seconds: number): string {
  const time = seconds < MINUTE ? `${seconds} s` : `${Math.floor(seconds / MINUTE)} min`;
  return `no progress for ${time}${phase && phase !== 'ended' ? ` while ${phase}` : ''}`;
}
