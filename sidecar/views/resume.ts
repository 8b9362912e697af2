import type { KeptEarlier, SessionFacts, StateFacts } from '../sessions/facts.js';
import { savedAt } from './checkpoints.js';
import { bytes } from './formatting.js';
import { isAlive } from './status.js';

export type ResumeView = {
  /** The address of the session. */
  at: string;
  states: StateView[];
  /** Folders of earlier/ that hold states, shown where there is none else. */
  kept: string[];
  /** The switch "Auto-resume"; null where there is nothing that could be resumed. */
  byItself: { now: string; other: string; value: string } | null;
  /** Offered once it is trained: on to a later epoch. Null where there is nothing to go on from. */
  further: { atLeast: number; suggestion: number } | null;
  canStartOver: boolean;
};

export type StateView = {
  path: string;
  what: string;
  size: string;
  saved: string | null;
  /** Why it is not complete. */
  reason: string | null;
  /** Why a complete one can't be resumed from, where that would be asked. */
  refused: string | null;
  /** The button that resumes from it; null where it has none. */
  button: { label: string; go: boolean } | null;
};

/** `at` is the address of the session. */
export function resumeView(
  session: SessionFacts,
  states: StateFacts[],
  kept: KeptEarlier,
  at: string,
): ResumeView | null {
  if (session.status === 'draft' && states.length + kept.states.length === 0) return null;
  const alive = isAlive(session.status);
  const further = furtherView(session, states);
  return {
    at,
    states: states.map((state) => stateView(state, session, !alive && !further)),
    kept: kept.states,
    byItself: switchView(session),
    further,
    canStartOver: !alive && session.attempts.length > 0 && session.next !== 'start over' && session.next !== 'start',
  };
}

function furtherView({ all_trained, progress, settings }: SessionFacts, states: StateFacts[]): ResumeView['further'] {
  if (!all_trained || !states.some(({ complete, kind }) => complete && kind !== 'step')) return null;
  const epochs = progress.epochs ?? Number(settings.max_train_epochs ?? 0);
  return { atLeast: epochs + 1, suggestion: epochs + Math.max(1, Math.ceil(epochs / 2)) };
}

function switchView({ record, all_trained, settings, auto_resume }: SessionFacts): ResumeView['byItself'] {
  if (record !== 'whole' || all_trained || settings.enable_checkpointing === false) return null;
  return auto_resume.on ? { now: 'on', other: 'off', value: 'false' } : { now: 'off', other: 'on', value: 'true' };
}

function stateView(state: StateFacts, session: SessionFacts, canResume: boolean): StateView {
  const chosen = session.resume?.path === state.path;
  return {
    path: state.path,
    what: savedAt(state),
    size: bytes(state.bytes),
    saved: state.saved_at,
    reason: state.complete ? null : (state.reason ?? 'incomplete'),
    refused: state.complete && canResume ? state.refused : null,
    button:
      canResume && state.complete && !state.refused
        ? { label: chosen ? 'Resume' : 'Resume from here', go: chosen }
        : null,
  };
}
