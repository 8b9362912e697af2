import type { SessionFacts, StateFacts } from '../sessions/facts.js';
import { isAlive } from '../sessions/status/alive.js';

export type ResumeView = NonNullable<ReturnType<typeof resumeView>>;

/** What else can be done to train on; null where there is nothing. `at` is the address of the session. */
export function resumeView(session: SessionFacts, states: StateFacts[], at: string) {
  const { status, attempts, next } = session;
  const view = {
    /** The address of the session. */
    at,
    /** The switch "Auto-resume"; null where there is nothing that could be resumed. */
    byItself: switchView(session),
    /** Offered once it is trained: on to a later epoch. Null where there is nothing to go on from. */
    further: furtherView(session, states),
    canStartOver: !isAlive(status) && attempts.length > 0 && next !== 'start over' && next !== 'start',
  };
  return view.byItself || view.further || view.canStartOver ? view : null;
}

function furtherView({ all_trained, progress, settings }: SessionFacts, states: StateFacts[]) {
  if (!all_trained || !states.some(({ complete, kind }) => complete && kind !== 'step')) return null;
  const epochs = progress.epochs ?? Number(settings.max_train_epochs ?? 0);
  return { atLeast: epochs + 1, suggestion: epochs + Math.max(1, Math.ceil(epochs / 2)) };
}

function switchView({ record, status, all_trained, settings, auto_resume }: SessionFacts) {
  if (record !== 'whole' || status === 'draft' || all_trained || settings.enable_checkpointing === false) return null;
  return auto_resume.on ? { now: 'on', other: 'off', value: 'false' } : { now: 'off', other: 'on', value: 'true' };
}
