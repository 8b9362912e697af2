import type { NextAction, SessionFacts } from './facts.js';
import type { Candidate } from './resume.js';

/** The one thing that makes sense to do next. */
export function nextAction(is: {
  status: SessionFacts['status'];
  trainable: boolean;
  resume: boolean;
  candidates: readonly Candidate[];
  checkpoints: number;
  alive: boolean;
}): NextAction {
  if (is.status === 'stopping' || is.status === 'pending') return null;
  if (is.alive) return 'stop';
  if (!is.trainable) return null;
  if (is.resume) return 'resume';
  if (is.status === 'completed') return is.candidates.some((each) => each.complete) ? 'train further' : null;
  return is.checkpoints === 0 && is.candidates.length === 0 ? 'start' : 'start over';
}
