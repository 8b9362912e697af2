import type { AttemptFacts, SessionFacts } from '../sessions/facts.js';
import type { StateFacts } from '../sessions/savedFacts.js';
import { isAliveOrPending } from '../sessions/status/alive.js';
import { attemptWord } from '../sessions/status/attempts.js';
import { isChangeable } from '../sessions/status/queued.js';
import { bytes, duration, plural, sentence } from './formatting.js';
import { pathInSession, stateName } from './stateName.js';
import { statusView } from './status.js';

export type AttemptsView = NonNullable<ReturnType<typeof attemptsView>>;

/** Newest first. */
export function attemptsView(session: SessionFacts, states: StateFacts[], now: Date) {
  if (isChangeable(session) && session.attempts.length === 0) return null;
  const from = session.attempts.map((attempt) => attempt.resumed_from && pathInSession(attempt.resumed_from));
  const paths = [...from.flatMap((path) => path ?? []), ...states.map(({ path }) => path)];
  // The newest one may have no process yet: it is being started, or its job waits in a cluster's queue.
  const begins = !session.queue && isAliveOrPending(session) ? statusView(session).word : null;
  return {
    hasMemory: session.attempts.some(({ peak_gpu_memory }) => peak_gpu_memory !== null),
    attempts: session.attempts
      .map((attempt, index, { length }) => {
        const state = from[index] ? stateName(from[index], paths) : '–';
        return attemptView(attempt, state, now, index === length - 1 ? begins : null);
      })
      .reverse(),
  };
}

function attemptView(attempt: AttemptFacts, from: string, now: Date, begins: string | null) {
  const ended = attempt.ended_at ? Date.parse(attempt.ended_at) : attempt.alive ? now.getTime() : Number.NaN;
  const seconds = (ended - Date.parse(attempt.started_at)) / 1000;
  return {
    number: attempt.number,
    kind: attemptWord(attempt),
    started_at: attempt.started_at,
    first_epoch: attempt.first_epoch,
    from,
    /** Steps that its weights had seen before, in the epoch that it began. */
    twice: attempt.repeated_steps > 0 ? `${plural(attempt.repeated_steps, 'step')} trained twice` : null,
    memory: bytes(attempt.peak_gpu_memory),
    took: Number.isNaN(seconds) ? '–' : duration(seconds),
    end: attemptEnd(attempt, begins),
    failed: attempt.reason_code !== 'paused' && !attempt.alive && attempt.exit_code !== null && attempt.exit_code !== 0,
  };
}

function attemptEnd({ alive, reason, exit_code, signal, ended_at }: AttemptFacts, begins: string | null): string {
  if (alive) return 'Running';
  if (reason) return sentence(reason);
  if (signal) return `Ended by ${signal}.`;
  if (exit_code === 0) return 'Ended normally.';
  if (exit_code !== null) return `Ended with exit code ${exit_code}.`;
  if (begins && !ended_at) return begins;
  return ended_at ? 'Ended.' : 'Interrupted: the pod or the runner went away.';
}
