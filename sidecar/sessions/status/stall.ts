import type { Progress, Stillness } from '../../telemetry/progress.js';
import type { Phase } from '../../trainers/phase.js';

const MINUTE = 60;

/**
 * For how many seconds nothing may move before a training counts as stalled. Long enough that the slowest honest case
 * fits: what is stopped wrongly costs more than what is told late.
 * - Models come from network disks: 24 GB at 10 MB/s are 40 silent minutes, to load them or to hash them (sd-scripts
 *   train_network.py:1207). Latents of a few thousand pictures are cached with a bar, but the text encoders before it
 *   load in silence. Starting is importing torch from the same disk.
 * - The first step compiles and warms up, and its length is not known yet. Afterwards twenty times the usual step is no
 *   slow step any more; ten minutes at least, for a loader that waits for a sleeping disk.
 * - One sample of a large model in little memory takes minutes, and not all samplers print while they draw.
 * - A state is some gigabytes at most; a network volume may hold back a write for minutes.
 */
export function stallLimitSeconds(phase: Phase | null, secondsPerStep: number | null): number {
  switch (phase) {
    case 'training':
      return secondsPerStep === null ? 30 * MINUTE : Math.max(10 * MINUTE, 20 * secondsPerStep);
    case 'sampling':
      return 30 * MINUTE;
    case 'saving':
    case 'finishing':
      return 20 * MINUTE;
    case 'ended':
      return 10 * MINUTE;
    case 'starting':
      return 30 * MINUTE;
    default:
      return 60 * MINUTE;
  }
}

/**
 * Counts the seconds in which nothing moved. In training only steps and epochs count; in every other phase, which has no
 * steps, anything that the trainer prints. `elapsed` is the time since the last look by a monotonic clock; a watcher
 * that was itself asleep has to leave out the time that it did not see.
 */
export function watchStillness(before: Stillness | null, progress: Progress, elapsed: number): Stillness {
  const { phase, step, epoch, updated_at } = progress;
  const mark = phase === 'training' ? `training ${step} ${epoch}` : `${phase} ${updated_at}`;
  return { mark, seconds: before?.mark === mark ? before.seconds + elapsed : 0 };
}

/** Seconds without progress once they are over the limit, rounded down to what is shown; null before. */
export function stalledSeconds(still: Stillness, progress: Progress, scale = 1): number | null {
  const { seconds } = still;
  if (seconds < stallLimitSeconds(progress.phase, progress.seconds_per_step) * scale) return null;
  return seconds < MINUTE ? Math.floor(seconds) : Math.floor(seconds / MINUTE) * MINUTE;
}

/** Is there still something to train, so that ending it and resuming it could help? */
export function isWorthResuming(phase: Phase | null): boolean {
  return phase !== 'finishing' && phase !== 'ended';
}

/** "no progress for 12 min while training" */
export function stalledWords(phase: Phase | null, seconds: number): string {
  const time = seconds < MINUTE ? `${seconds} s` : `${Math.floor(seconds / MINUTE)} min`;
  return `no progress for ${time}${phase && phase !== 'ended' ? ` while ${phase}` : ''}`;
}
