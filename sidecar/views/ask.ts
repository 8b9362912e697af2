import type { SessionFacts } from '../sessions/facts.js';

/** A button for what a running training can do between two steps; null where it can't. `at` is the session's address. */
export function askView({ exact_pause: exact }: SessionFacts, at: string, verb: 'save' | 'sample', label: string) {
  return exact?.available ? { address: `${at}/attempts/current/${verb}`, label } : null;
}
