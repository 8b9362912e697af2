import type { SessionFacts } from '../sessions/facts.js';
import type { StateFacts } from '../sessions/savedFacts.js';
import { isAlive } from '../sessions/status/alive.js';
import { cpuPreset } from '../trainers/sdScripts/presets.js';

export type ResumeView = NonNullable<ReturnType<typeof resumeView>>;

/** What else can be done to train on; null where there is nothing. `at` is the address of the session. */
export function resumeView(session: SessionFacts, states: StateFacts[], at: string) {
  const { status, attempts, next } = session;
  const view = {
    /** The address of the session. */
    at,
    /** The switch "Auto-resume"; null where there is nothing that could be resumed. */
    byItself: switchView(session),
    /** The switch "Retry smaller"; null where there is no smaller preset, or nothing left to try. */
    smaller: smallerView(session),
    /** Offered once it is trained: on to a later epoch. Null where there is nothing to go on from. */
    further: furtherView(session, states),
    /** Offered while a node that is cut off may still train; null else. */
    anyway: anywayView(session),
    canStartOver:
      !isAlive(status) && next !== 'stop' && attempts.length > 0 && next !== 'start over' && next !== 'start',
  };
  const { byItself, smaller, further, anyway, canStartOver } = view;
  return byItself || smaller || further || anyway || canStartOver ? view : null;
}

function furtherView({ all_trained, progress, settings }: SessionFacts, states: StateFacts[]) {
  if (!all_trained || !states.some(({ complete, kind }) => complete && kind !== 'step')) return null;
  const epochs = progress.epochs ?? Number(settings.max_train_epochs ?? 0);
  return { atLeast: epochs + 1, suggestion: epochs + Math.max(1, Math.ceil(epochs / 2)) };
}

/** Its last attempt ended without a word from its node: a person may know that it is switched off. */
function anywayView({ attempts, reason_code, interrupted, next }: SessionFacts) {
  const isInDoubt =
    interrupted && attempts.at(-1)?.job && (reason_code === 'node_silent' || reason_code === 'node_failed');
  if (!isInDoubt || (next !== 'resume' && next !== 'start over')) return null;
  return next === 'resume'
    ? { kind: 'resume', button: 'Resume anyway' }
    : { kind: 'relaunch', button: 'Start over anyway' };
}

/** While it trains: what ran out of memory already is tried again by a person. */
function smallerView({ status, settings, retried_smaller: retried }: SessionFacts) {
  if (!isAlive(status) || !settings.vram || settings.vram === cpuPreset.vram || retried) return null;
  return settings.retry_smaller
    ? { now: 'on', other: 'off', value: 'false' }
    : { now: 'off', other: 'on', value: 'true' };
}

function switchView({ record, status, all_trained, settings, auto_resume }: SessionFacts) {
  if (record !== 'whole' || status === 'draft' || all_trained || settings.enable_checkpointing === false) return null;
  return auto_resume.on ? { now: 'on', other: 'off', value: 'false' } : { now: 'off', other: 'on', value: 'true' };
}
