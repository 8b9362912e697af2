import type { SessionFacts } from '../facts.js';
import { isAlive } from './alive.js';

/** Seconds over all attempts, without the time in between; null where nothing ran. */
export function secondsTrained(session: SessionFacts, now: Date): number | null {
  if (session.attempts.length === 0) return null;
  return session.attempts.reduce((seconds, { started_at, ended_at, alive }) => {
    const end = ended_at ?? (alive || isAlive(session.status) ? now.toISOString() : started_at);
    return seconds + Math.max(0, Date.parse(end) - Date.parse(started_at)) / 1000;
  }, 0);
}
