import type { Hub } from '../../live/hub.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';
import { type Beginning, beginAttempt } from '../attempt/begin.js';
import type { SessionFacts } from '../facts.js';
import { AUTO_RESUMES, gaveUp, recentOf } from '../status/autoResumeRule.js';
import { lookRepeatedly } from './looks.js';

/** Problems that pass: another one was quicker, or is using the session or the GPU. */
const PASSING = new Set<ProblemCode>(['already_running', 'not_due', 'gpu_busy', 'busy_session', 'missing_state']);
/** A cluster's silence passes too, and may take hours. */
const LASTING = new Set<ProblemCode>(['no_cluster', 'node_in_doubt']);

/** This sidecar's memory of a session's resumes. Attempts are identified by number. */
type Known = {
  /** The attempt to follow: `seconds` waited so far, of `delay`. */
  waiting: { attempt: number; seconds: number; delay: number } | null;
  /** A resume is under way. */
  beginning: boolean;
  /** How often a resume after this attempt met a passing problem. */
  blocked: { attempt: number; times: number } | null;
  /** The attempt whose auto-resume failed for good. */
  refused: number | null;
  /** Our own resumes, by the monotonic clock: the record's ten minutes are wrong after a jump of the wall clock. */
  done: { step: number; moments: number[] } | null;
};

/**
 * Resumes interrupted and crashed sessions with auto-resume on (`enable_monitoring`), after a wait that a person can
 * see and cancel. All lasting knowledge is in the files: after a restart the wait begins anew.
 */
export function createAutoResume(trackside: Beginning & { hub: Hub }) {
  const { settings, outputs } = trackside;
  const delays = settings.autoResumeDelays;
  const sessions = new Map<string, Known>();
  const looks = lookRepeatedly(trackside, {
    *also() {
      for (const [name, { waiting }] of sessions) if (waiting) yield name;
    },
    look(name, facts, elapsed) {
      const known = sessions.get(name) ?? nothing();
      if (known.waiting) wait(name, known, elapsed);
      queue(name, known, facts);
      // Nothing is kept for ten thousand sessions at rest.
      if (Object.values(known).some((each) => each !== null && each !== false)) sessions.set(name, known);
      else sessions.delete(name);
    },
  });

  /** Counts down, then resumes. */
  function wait(name: string, known: Known, elapsed: number): void {
    const { waiting } = known;
    if (!waiting) return;
    waiting.seconds += elapsed;
    const left = waiting.delay - waiting.seconds;
    if (left > 0) outputs.mark(name, { in_seconds: Math.ceil(left) });
    else {
      known.waiting = null;
      void resume(name, known, waiting.attempt);
    }
  }

  /** Begins, continues or ends the wait of a session that has ended. */
  function queue(name: string, known: Known, facts: SessionFacts | null): void {
    const attempt = facts?.attempts.at(-1)?.number ?? null;
    if (known.refused !== null && known.refused !== attempt) {
      known.refused = null;
      unmark(name);
      looks.soon(name);
      return;
    }
    if (!facts?.auto_resume.will || attempt === null) {
      if (known.waiting) unmark(name);
      known.waiting = null;
      return;
    }
    if (known.waiting?.attempt === attempt || known.beginning) return;
    const tries = Math.max(facts.auto_resume.tries, triesSeen(known, facts.resume?.step ?? 0));
    if (tries >= AUTO_RESUMES) {
      refuse(name, known, attempt, gaveUp(AUTO_RESUMES));
      return;
    }
    const delay = delays[Math.min(tries, delays.length - 1)] ?? 0;
    known.waiting = { attempt, seconds: 0, delay };
    outputs.mark(name, { in_seconds: Math.ceil(delay) });
  }

  async function resume(name: string, known: Known, attempt: number): Promise<void> {
    known.beginning = true;
    try {
      const { latest, facts } = await outputs.read(name);
      if (latest?.number !== attempt || !facts.auto_resume.will) return unmark(name);
      await beginAttempt(trackside, name, { kind: 'resume', automaticAfter: latest.id });
      const step = facts.resume?.step ?? 0;
      const moments = triesSeen(known, step) > 0 ? (known.done?.moments ?? []) : [];
      known.done = { step, moments: [...moments, performance.now()] };
      unmark(name);
    } catch (error) {
      // The session is looked at again, and a new wait begins if it is still due.
      if (error instanceof Problem && LASTING.has(error.code)) unmark(name);
      else if (error instanceof Problem && PASSING.has(error.code) && countBlock(known, attempt) < AUTO_RESUMES) {
        unmark(name);
      } else refuse(name, known, attempt, `Auto-resume failed: ${(error as Error).message}`);
    } finally {
      known.beginning = false;
      looks.soon(name);
    }
  }

  function refuse(name: string, known: Known, attempt: number, reason: string): void {
    known.refused = attempt;
    log.warn('sessions', reason, { session: name, attempt });
    outputs.mark(name, { in_seconds: null, refused: reason });
  }

  function unmark(name: string): void {
    outputs.mark(name, { in_seconds: null, refused: null });
  }

  return looks;
}

function nothing(): Known {
  return { waiting: null, beginning: false, blocked: null, refused: null, done: null };
}

function triesSeen({ done }: Known, step: number): number {
  return done && step <= done.step ? recentOf(done.moments, performance.now()) : 0;
}

/** Counts how often a resume after this attempt met a passing problem. */
function countBlock(known: Known, attempt: number): number {
  const times = (known.blocked?.attempt === attempt ? known.blocked.times : 0) + 1;
  known.blocked = { attempt, times };
  return times;
}
