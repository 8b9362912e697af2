import type { SessionFacts } from '../facts.js';
import { secondsTrained } from './secondsTrained.js';

/** US dollars so far, and until its end, null where unknown; a guess where the time left is one (`eta_guessed`). */
export type SessionCost = { so_far: number; to_end: number | null; to_end_guessed: boolean };

/**
 * What a session's attempts have cost at an hourly price of the pod, and will until its end. One that trains on some of the
 * pod's GPUs costs their part of it. Pure.
 */
export function sessionCost(facts: SessionFacts, price: number, gpus: number, now = Date.now()): SessionCost {
  const used = facts.attempts.at(-1)?.gpus.length ?? 0;
  const hourly = price * (gpus > 1 && used > 0 ? Math.min(1, used / gpus) : 1);
  const eta = facts.attempts.at(-1)?.alive ? facts.progress.eta_seconds : null;
  return {
    so_far: (hourly * (secondsTrained(facts, new Date(now)) ?? 0)) / 3600,
    to_end: eta === null ? null : (hourly * eta) / 3600,
    to_end_guessed: eta !== null && facts.progress.eta_guessed,
  };
}
