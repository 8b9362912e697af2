import type { SessionFacts } from '../facts.js';
import type { Session } from '../status/session.js';

/** What stays of a session whatever its age, beside its weights. */
export type Keep = {
  /** The newest complete states, and the samples of the newest steps. */
  last: number;
  /** States of every Nth epoch; 0 for none. */
  every: number;
};

/** A state folder as the rules see it. */
export type RuledState = {
  /** Relative to the session's folder. */
  path: string;
  name: string;
  epoch: number | null;
  step: number | null;
  complete: boolean;
  /** Belongs to what was trained in the end; false for what an attempt that was started over has left in earlier/. */
  lineage: boolean;
};

const DAY_MS = 86_400_000;

/**
 * Why nothing of a session may go, in words; null when the rules apply. Pure. What runs, waits or can be resumed is never
 * touched, nor what nobody can read, nor a person's backup.
 */
export function whyUntouched(
  session: Pick<Session, 'facts' | 'liveness' | 'byHand' | 'pending' | 'file' | 'state'>,
): string | null {
  const { facts, liveness, byHand, pending, file, state } = session;
  if (liveness.alive !== 'no' || byHand || pending) return 'It is training.';
  if (facts.queue) return 'It waits in the queue.';
  if (file.kind !== 'whole' || !state) return 'Its settings can’t be read.';
  if (facts.copy_of !== null) return 'It is a copy, perhaps a backup.';
  if (facts.resume !== null || facts.auto_resume.will || facts.next === 'resume') return 'It can be resumed.';
  if (facts.status === 'draft' || facts.attempts.length === 0) return 'It has not been started here.';
  if (state.pinned) return 'It is pinned.';
  if (state.marked_best) return 'It is marked as the best version.';
  return null;
}

/** Days since a session ended; 0 where no time is known, and for one in the future. Pure. */
export function daysAtRest({ attempts, completed_at }: SessionFacts, now: Date): number {
  const ends = [completed_at, ...attempts.flatMap(({ ended_at, started_at }) => [ended_at, started_at])];
  const newest = Math.max(...ends.flatMap((end) => (end ? [Date.parse(end)] : [])).filter(Number.isFinite));
  return Number.isFinite(newest) ? daysSince(newest, now) : 0;
}

/** `then` in milliseconds. Pure. */
export function daysSince(then: number, now: Date): number {
  return Math.max(0, (now.getTime() - then) / DAY_MS);
}

/**
 * The states that go, each with the reason. Pure. `states` are of one session that may be touched, newest first; `best` is the epoch or step of the checkpoint that a person liked best.
 */
export function statesToPurge(
  states: readonly RuledState[],
  keep: Keep,
  best: { epoch: number | null; step: number | null } | null,
): { path: string; reason: string }[] {
  const last = states.filter(({ complete, lineage }) => complete && lineage).slice(0, keep.last);
  const isBest = ({ epoch, step }: RuledState) =>
    best !== null && ((step !== null && step === best.step) || (epoch !== null && epoch === best.epoch));
  const stays = (state: RuledState) =>
    last.includes(state) ||
    (state.lineage && state.complete && isBest(state)) ||
    (state.lineage && state.complete && keep.every > 0 && state.epoch !== null && state.epoch % keep.every === 0);
  return states.filter((state) => !stays(state)).map((state) => ({ path: state.path, reason: reasonOf(state) }));
}

function reasonOf({ complete, lineage }: RuledState): string {
  if (!complete) return 'An incomplete state: nothing can be resumed from it.';
  return lineage
    ? 'A state that is not the newest: the training has ended, and its weights are kept.'
    : 'A state of an attempt that was started over.';
}
