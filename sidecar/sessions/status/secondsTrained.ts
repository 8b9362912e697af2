import type { SessionFacts } from '../facts.js';
import { isAlive } from './alive.js';

/** Seconds over all attempts, without the time in between; null where nothing ran. */
export function secondsTrained(
  { attempts, status }: Pick<SessionFacts, 'attempts' | 'status'>,
  now: Date,
): number | null {
  if (attempts.length === 0) return null;
  return attempts.reduce((seconds, { started_at, ended_at, alive }) => {
    const end = ended_at ?? (alive || isAlive(status) ? now.toISOString() : started_at);
    return seconds + Math.max(0, Date.parse(end) - Date.parse(started_at)) / 1000;
  }, 0);
}
