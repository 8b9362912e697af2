import type { NextAction, SessionFacts } from '../facts.js';

export type SavedStates = 'none' | 'incomplete' | 'complete';

/** The one thing that makes sense to do next. */
export function nextAction(is: {
  status: SessionFacts['status'];
  allTrained: boolean;
  trainable: boolean;
  resume: boolean;
  /** Are there state folders, and is any of them complete? */
  states: SavedStates;
  checkpoints: number;
  alive: boolean;
  /** As a job, before it has begun. */
  waits?: boolean;
}): NextAction {
  if (is.waits) return 'stop';
  if (is.status === 'stopping' || is.status === 'pending') return null;
  if (is.alive) return 'stop';
  if (!is.trainable) return null;
  if (is.resume) return 'resume';
  if (is.allTrained) return is.states === 'complete' ? 'train further' : null;
  return is.checkpoints === 0 && is.states === 'none' ? 'start' : 'start over';
}
