import { Lru } from '../files/lru.js';
import type { JobLook } from './launcher.js';

/** What the last look at a cluster told of each attempt. Kept in memory: the next sidecar asks again. */
const looks = new Lru<JobLook>(5000);

const NOT_ASKED: JobLook = { phase: 'unknown', why: 'Trackside has not asked the cluster yet.' };

/** "Job 12 is number 3 in the cluster's queue. Other jobs come first (Priority)." */
export function queueWords(job: string, { place, reason }: { place: number | null; reason: string }): string {
  return `${job} ${place === null ? 'waits' : `is number ${place}`} in the cluster's queue. ${reason}`;
}

/** Never asks: no page waits for a cluster. */
export function lookOf(attempt: string): JobLook {
  return looks.get(attempt) ?? NOT_ASKED;
}

/** Attempts whose jobs somebody put back into the queue, from where we take them out. */
const requeued = new Lru<true>(5000);

export function keepRequeued(attempt: string): void {
  requeued.set(attempt, true);
}

export function isRequeued(attempt: string): boolean {
  return requeued.get(attempt) ?? false;
}

/** Keeps a look. An answer that did not come takes nothing away. */
export function keepLook(attempt: string, look: JobLook): void {
  if (look.phase === 'unknown' && !look.forgotten && looks.get(attempt)) return;
  looks.set(attempt, look);
}
