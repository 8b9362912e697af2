import type { KeptEarlier, SessionFacts, StateFacts } from '../sessions/facts.js';
import { savedAt } from './checkpoints.js';
import { bytes, elementId } from './formatting.js';
import { isAlive } from './status.js';

export type ResumeView = NonNullable<ReturnType<typeof resumeView>>;

/** `at` is the address of the session. */
export function resumeView(session: SessionFacts, states: StateFacts[], kept: KeptEarlier, at: string) {
  if (session.status === 'draft' && states.length + kept.states.length === 0) return null;
  const alive = isAlive(session.status);
  const further = furtherView(session, states);
  return {
    /** The address of the session. */
    at,
    states: states.map((state) => stateView(state, session, !alive && !further, at)),
    /** Folders of earlier/ that hold states, shown where there is none else. */
    kept: kept.states,
    /** The switch "Auto-resume"; null where there is nothing that could be resumed. */
    byItself: switchView(session),
    /** Offered once it is trained: on to a later epoch. Null where there is nothing to go on from. */
    further,
    canStartOver: !alive && session.attempts.length > 0 && session.next !== 'start over' && session.next !== 'start',
  };
}

function furtherView({ all_trained, progress, settings }: SessionFacts, states: StateFacts[]) {
  if (!all_trained || !states.some(({ complete, kind }) => complete && kind !== 'step')) return null;
  const epochs = progress.epochs ?? Number(settings.max_train_epochs ?? 0);
  return { atLeast: epochs + 1, suggestion: epochs + Math.max(1, Math.ceil(epochs / 2)) };
}

function switchView({ record, all_trained, settings, auto_resume }: SessionFacts) {
  if (record !== 'whole' || all_trained || settings.enable_checkpointing === false) return null;
  return auto_resume.on ? { now: 'on', other: 'off', value: 'false' } : { now: 'off', other: 'on', value: 'true' };
}

function stateView(state: StateFacts, session: SessionFacts, canResume: boolean, at: string) {
  const chosen = session.resume?.path === state.path;
  return {
    id: elementId('state', state.path),
    path: state.path,
    what: savedAt(state),
    size: bytes(state.bytes),
    saved: state.saved_at,
    /** Why it is not complete. */
    reason: state.complete ? null : (state.reason ?? 'incomplete'),
    /** Why a complete one can't be resumed from, where that would be asked. */
    refused: state.complete && canResume ? state.refused : null,
    /** The button that resumes from it; null where it has none. */
    button: canResume && !state.refused ? { at, label: chosen ? 'Resume' : 'Resume from here', go: chosen } : null,
  };
}
