import type { AttemptEntry } from '../record/uiState.js';
import type { ResumeFacts } from '../savedFacts.js';

/** The most automatic resumes within ten minutes without a new checkpoint. */
export const AUTO_RESUMES = 3;
const WINDOW_SECONDS = 600;

export type AutoResumeVerdict = {
  will: boolean;
  /** Automatic resumes of the last ten minutes without a new checkpoint: each makes the next wait longer. */
  tries: number;
  /** Why not, in words, when auto-resume is on and nobody wanted the end. */
  reason: string | null;
};

/**
 * Decides whether an ended session is resumed automatically. Pure, and from the record alone, so that every sidecar
 * gives the same answer, even one that was down at the time. "A new checkpoint" is a state with more steps than the
 * attempt began with, whatever a clock says. Times only sort out attempts of more than ten minutes ago; invalid times
 * count as recent.
 *
 * An interruption is resumed from any state. A crash is resumed only with a new state since a person last started the
 * session, and never if it would only repeat.
 */
export function decideAutoResume(session: {
  /** `enable_monitoring` */
  on: boolean;
  /** The original of a copied folder: a copy is a backup. */
  copyOf?: string | null;
  attempts: readonly AttemptEntry[];
  /** The state that the Resume button would use. */
  resume: Pick<ResumeFacts, 'step' | 'doubt'> | null;
  /** The most automatic resumes without a new checkpoint. */
  most: number;
}): AutoResumeVerdict {
  const { on, attempts, resume, most } = session;
  const latest = attempts.at(-1);
  const no = (reason: string | null, tries = 0) => ({ will: false, tries, reason });
  if (!on || !latest || (latest.outcome !== 'interrupted' && latest.outcome !== 'failed')) return no(null);
  if (session.copyOf) return no(`No auto-resume: this folder is a copy of ${session.copyOf}.`);
  if (latest.stop_requested_at) return no('No auto-resume: you had asked it to stop.');
  if (latest.job?.launcher === 'slurm' && latest.job_end === null && latest.reason_code !== 'requeued')
    return no('No auto-resume yet: the cluster has not said how the job ended.');
  if (latest.all_trained) return no('No auto-resume: nothing is left to train.');
  if (latest.no_retry === 'by hand') return no('No auto-resume: somebody ended it by hand.');
  if (latest.no_retry === 'repeats') return no('No auto-resume: the same error would only happen again.');
  if (!resume || resume.doubt) return no('No auto-resume: there is no complete state folder to resume from.');

  const byHand = Math.max(
    0,
    attempts.findLastIndex((attempt) => !attempt.automatic),
  );
  const chain = attempts.slice(byHand);
  const reached = [...chain.slice(1).map(begunStep), resume.step];
  const progressed = chain.findLastIndex((attempt, index) => (reached[index] ?? 0) > begunStep(attempt));
  const streak = chain.slice(Math.max(0, progressed));
  const tries = streak.slice(progressed < 0 ? 0 : 1).filter((each) => each.automatic && isRecent(each, latest)).length;
  if (latest.outcome === 'failed') {
    if (progressed < 0) {
      return no('No auto-resume: it has saved no new state since it was started.', tries);
    }
    const same = (each: AttemptEntry) => each.outcome === 'failed' && isSameFailure(each, latest);
    if (streak.slice(0, -1).some(same)) {
      return no('No auto-resume: it failed twice in the same way without a new checkpoint.', tries);
    }
  }
  if (latest.reason_code === 'time_limit' && resume.step <= begunStep(latest))
    return no('No auto-resume: it saved nothing new within its time limit. Ask for more time, or save more often.');
  if (tries >= most) return no(gaveUp(most), tries);
  return { will: true, tries, reason: null };
}

export function gaveUp(most: number): string {
  return `Auto-resume gave up: it resumed ${most === 1 ? 'once' : `${most} times`} within 10 minutes without a new checkpoint.`;
}

/** The number of moments (milliseconds of one monotonic clock) within the last ten minutes. */
export function recentOf(moments: readonly number[], now: number): number {
  return moments.filter((moment) => now - moment < WINDOW_SECONDS * 1000).length;
}

function begunStep(attempt: AttemptEntry): number {
  return attempt.begun_step ?? attempt.step_offset;
}

function isRecent(attempt: AttemptEntry, latest: AttemptEntry): boolean {
  const age = (Date.parse(latest.ended_at ?? '') - Date.parse(attempt.started_at)) / 1000;
  return !(age > WINDOW_SECONDS);
}

function isSameFailure(one: AttemptEntry, other: AttemptEntry): boolean {
  if (one.reason_code && other.reason_code) return one.reason_code === other.reason_code;
  return failureOf(one) === failureOf(other);
}

/** For records without codes. Numbers in words (addresses, steps, megabytes) do not make failures differ. */
function failureOf({ exit_code, signal, reason, stalled }: AttemptEntry): string {
  if (stalled) return `stalled ${stalled.replace(/(?<!\d)\d+ \w+/g, '#')}`;
  return `${exit_code} ${signal} ${(reason ?? '').replace(/0x[0-9a-f]+|\d+/gi, '#')}`;
}
