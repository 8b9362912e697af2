import type { AttemptFacts, SessionFacts } from '../facts.js';
import { isAliveOrPending } from '../status/alive.js';

/** What happened to a training that a person may not have seen: it ended, stands still, or was resumed without a click. */
export type Happening = Pick<SessionFacts, 'name' | 'lora_name' | 'version'> & {
  /** The same each time it is told. */
  id: string;
  what: 'completed' | 'failed' | 'interrupted' | 'stopped' | 'stalled' | 'resumed';
  /** ISO 8601, UTC. */
  at: string;
  /** Why, in words. */
  reason: string | null;
};

/** What happened after `since`, newest first. */
export function happened(all: readonly SessionFacts[], since: Date): Happening[] {
  const from = since.toISOString();
  return all
    .flatMap((session) => happenedTo(session, from))
    .filter(({ at }) => at > from)
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}

function happenedTo(session: SessionFacts, from: string): Happening[] {
  const last = session.attempts.at(-1);
  // Of thousands of sessions most have ended long ago.
  if (!last || (last.ended_at !== null && last.ended_at <= from)) return [];
  const { name, lora_name, version } = session;
  const told = (attempt: AttemptFacts, what: Happening['what'], at: string | null, reason: string | null) =>
    at === null ? [] : [{ id: `${name} ${attempt.number} ${what}`, name, lora_name, version, what, at, reason }];
  const resumed = session.attempts
    .filter(({ automatic, started_at }) => automatic && started_at > from)
    .flatMap((attempt) => {
      const before = session.attempts.find(({ number }) => number === attempt.number - 1);
      return told(attempt, 'resumed', attempt.started_at, before?.reason ?? null);
    });
  if (session.stalled_seconds !== null)
    return [...resumed, ...told(last, 'stalled', session.progress.updated_at, null)];
  if (isAliveOrPending(session)) return resumed;
  return [...resumed, ...told(last, endOf(session), last.ended_at, session.reason)];
}

function endOf({ status, interrupted }: SessionFacts): Happening['what'] {
  if (status === 'completed' || status === 'failed') return status;
  return interrupted ? 'interrupted' : 'stopped';
}
