import { basename } from 'node:path';
import type { PublishFacts } from '../publish/publishFacts.js';
import type { AttemptFacts, CheckpointFacts, KeptEarlier, SessionFacts, StateFacts } from '../sessions/facts.js';
import type { Preflight } from '../sessions/preflight/preflight.js';
import { isBrokenCache } from '../trainers/sdOutput/failures.js';
import { sessionAddress } from './action.js';
import { type CardView, cardView } from './banner.js';
import { type StopByHandView, stopByHand } from './byHand.js';
import { type CurvePoint, type LossChart, lossChart } from './chart.js';
import { bytes, count, duration, loss, pace, sentence } from './formatting.js';
import { type FindingView, preflightView } from './preflight.js';
import { type PublishView, publishView } from './publish.js';
import { newestSamples, type SampleGrid, type SamplesModel } from './samples.js';
import { type NamedValue, settingsView } from './settings.js';
import { pathInSession, stateName } from './stateName.js';
import { isAlive } from './status.js';

export type SessionModel = SamplesModel & {
  states: StateFacts[];
  checkpoints: CheckpointFacts[];
  /** The end of training.log, each line as it stood last. */
  logTail: string;
  /** `<inode>:<byte offset>` just after `logTail`; the page's stream goes on from there. */
  logPosition: string;
  /** Names in the session's folder. */
  entries: readonly string[];
  /** At most a few thousand points, oldest first. */
  curve: CurvePoint[];
  /** What was found before a start; null where nothing can be started, or it was not looked at. */
  preflight?: Preflight | null;
  /** What the section “Publish” shows; absent where there is nothing to publish. */
  publish?: PublishFacts | null;
};

/** The live regions of a session's page: ids, and names of templates under parts/. */
export const sessionPartNames = [
  'head',
  'facts',
  'loss',
  'samples',
  'checkpoints',
  'attempts',
  'resume',
  'publish',
] as const;

export type SessionView = {
  at: string;
  card: CardView;
  alive: boolean;
  /** The row of large numbers. */
  numbers: { value: string; label: string }[];
  /** Seconds left, for "ends 22:47". */
  endsAt: string | null;
  chart: (LossChart & { labels: [string, string, string] }) | null;
  attempts: AttemptView[];
  states: StateView[];
  kept: KeptEarlier;
  checkpoints: CheckpointView[];
  grid: SampleGrid;
  publish: PublishView | null;
  settings: NamedValue[];
  paths: NamedValue[];
  description: string;
  notes: string;
  log: string;
  logPosition: string;
  newFrom: string;
  /** Where a draft is edited; null for what was started. */
  editDraft: string | null;
  /** Nothing was started yet: parts that have nothing to show are left out. */
  isDraft: boolean;
  /** The finished LoRA. */
  download: string | null;
  /** Offered once it is not running: train on to a later epoch. Null where there is nothing to go on from. */
  further: { from: number; suggestion: number } | null;
  /** The switch "Resume by itself"; null where there is nothing that could be resumed. */
  byItself: { on: boolean } | null;
  canRelaunch: boolean;
  canStopAfterSave: boolean;
  canKeepTraining: boolean;
  /** The form that stops what was started by hand; null where nothing was. */
  stopByHand: StopByHandView | null;
  /** What should be known before the next start. */
  before: FindingView[];
  /** Where caches are cleared; null where that would not help. */
  clearCaches: string | null;
};

export type AttemptView = Pick<AttemptFacts, 'number' | 'started_at' | 'first_epoch'> & {
  /** "resume", "resume, by itself" */
  kind: string;
  from: string;
  took: string;
  end: string;
  failed: boolean;
};
export type StateView = {
  path: string;
  what: string;
  size: string;
  saved: string | null;
  /** Why it is not complete. */
  reason: string | null;
  /** Why a complete one can't be resumed from. */
  refused: string | null;
  chosen: boolean;
};
export type CheckpointView = {
  name: string;
  what: string;
  size: string;
  saved: string;
  href: string;
  /** What its header tells. */
  told: NamedValue[];
  problem: string | null;
};

export function sessionView(model: SessionModel): SessionView {
  const { session, root, now } = model;
  const at = sessionAddress(root, session.name);
  const alive = isAlive(session.status);
  const eta = session.progress.eta_seconds;
  const chart = lossChart(model.curve, session.progress.total_steps);
  const epochs = session.progress.epochs ?? Number(session.settings.max_train_epochs ?? 0);
  const final = session.all_trained
    ? model.checkpoints.find(({ kind, problem }) => kind === 'final' && !problem)
    : undefined;
  const whole = model.states.some(({ complete, kind }) => complete && kind !== 'step');
  return {
    at,
    card: cardView(session, root),
    alive,
    numbers: numbers(session),
    endsAt: alive && eta !== null ? new Date(now.getTime() + eta * 1000).toISOString() : null,
    chart: chart && { ...chart, labels: [loss(chart.high), loss(chart.middle), loss(chart.low)] },
    attempts: attemptViews(model),
    states: model.states.map((state) => stateView(state, session)),
    kept: model.kept,
    checkpoints: model.checkpoints.map((checkpoint) => checkpointView(checkpoint, at)),
    grid: newestSamples(model, at),
    publish: model.publish ? publishView(model.publish, at, root) : null,
    settings: settingsView(session),
    paths: paths(model),
    description: session.description,
    notes: session.notes,
    log: model.logTail,
    logPosition: model.logPosition,
    before: preflightView(model.preflight ?? null, root),
    clearCaches: !alive && isBrokenCache(session.reason) ? `${at}/caches?_method=DELETE` : null,
    newFrom: `${root}new?from=${encodeURIComponent(session.name)}`,
    editDraft: session.status === 'draft' ? `${root}new?draft=${encodeURIComponent(session.name)}` : null,
    isDraft: session.status === 'draft',
    download: final ? checkpointView(final, at).href : null,
    further:
      session.all_trained && whole ? { from: epochs, suggestion: epochs + Math.max(1, Math.ceil(epochs / 2)) } : null,
    byItself:
      session.record === 'whole' && !session.all_trained && session.settings.enable_checkpointing !== false
        ? { on: session.auto_resume.on }
        : null,
    canRelaunch: !alive && session.attempts.length > 0 && session.next !== 'start over' && session.next !== 'start',
    canStopAfterSave:
      session.status === 'running' && !session.reason && session.settings.enable_checkpointing !== false,
    canKeepTraining: session.stops_after_save,
    stopByHand: session.by_hand && stopByHand(session.by_hand.pid, session.status, `${at}/attempts/current`),
  };
}

function numbers({ progress, status }: SessionFacts): SessionView['numbers'] {
  if (status === 'draft') return [];
  const alive = isAlive(status);
  return [
    {
      value: count(progress.step),
      label: progress.total_steps === null ? 'steps' : `of ${count(progress.total_steps)} steps`,
    },
    {
      value: count(progress.epoch),
      label: progress.epochs === null ? 'epochs' : `of ${count(progress.epochs)} epochs`,
    },
    { value: loss(progress.loss), label: 'loss, running mean' },
    { value: pace(progress.seconds_per_step), label: 'a step' },
    ...(alive ? [{ value: duration(progress.eta_seconds), label: 'left' }] : []),
  ];
}

function attemptViews({ session, states, now }: SessionModel): AttemptView[] {
  const from = session.attempts.map((attempt) => attempt.resumed_from && pathInSession(attempt.resumed_from));
  const paths = [...from.flatMap((path) => path ?? []), ...states.map(({ path }) => path)];
  return session.attempts
    .map((attempt, index) => ({ attempt, path: from[index] }))
    .map(({ attempt, path }) => attemptView(attempt, path ? stateName(path, paths) : '–', now))
    .reverse();
}

function attemptView(attempt: AttemptFacts, from: string, now: Date): AttemptView {
  const ended = attempt.ended_at ? Date.parse(attempt.ended_at) : attempt.alive ? now.getTime() : Number.NaN;
  const seconds = (ended - Date.parse(attempt.started_at)) / 1000;
  return {
    number: attempt.number,
    kind: attempt.automatic ? `${attempt.kind}, by itself` : attempt.kind,
    started_at: attempt.started_at,
    first_epoch: attempt.first_epoch,
    from,
    took: Number.isNaN(seconds) ? '–' : duration(seconds),
    end: attemptEnd(attempt),
    failed: !attempt.alive && attempt.exit_code !== null && attempt.exit_code !== 0,
  };
}

function attemptEnd({ alive, reason, exit_code, signal, ended_at }: AttemptFacts): string {
  if (alive) return 'Running';
  if (reason) return sentence(reason);
  if (signal) return `Ended by ${signal}.`;
  if (exit_code === 0) return 'Ended by itself.';
  if (exit_code !== null) return `Ended with exit code ${exit_code}.`;
  return ended_at ? 'Ended.' : 'Interrupted: the pod or the runner went away.';
}

function stateView(state: StateFacts, session: SessionFacts): StateView {
  return {
    path: state.path,
    what: savedAt(state),
    size: bytes(state.bytes),
    saved: state.saved_at,
    reason: state.complete ? null : (state.reason ?? 'incomplete'),
    refused: state.complete ? state.refused : null,
    chosen: session.resume?.path === state.path,
  };
}

function checkpointView(checkpoint: CheckpointFacts, at: string): CheckpointView {
  return {
    name: checkpoint.path,
    what: savedAt(checkpoint),
    size: bytes(checkpoint.bytes),
    told: Object.entries(checkpoint.metadata).map(([name, value]) => ({
      name: name.replace(/^ss_/, ''),
      value: toldValue(name, value),
    })),
    saved: checkpoint.saved_at,
    problem: checkpoint.problem ?? null,
    href: `${at}/checkpoints/${checkpoint.path.split('/').map(encodeURIComponent).join('/')}`,
  };
}

/** "epoch 10 · step 600", "final · step 960"; "step 650" in the middle of one, whose epochs before it say nothing. */
function savedAt({ kind, epoch, step }: Pick<StateFacts, 'kind' | 'epoch' | 'step'>): string {
  return [
    kind === 'final' ? 'final' : '',
    epoch !== null && kind === 'epoch' ? `epoch ${count(epoch)}` : '',
    step !== null ? `step ${count(step)}` : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function paths({ session, entries }: SessionModel): NamedValue[] {
  const { output_path: folder } = session;
  const there = (file: string) => (entries.includes(file) ? `${folder}/${file}` : '');
  return [
    { name: 'Session', value: folder },
    { name: 'Final checkpoint', value: session.final_checkpoint ?? '' },
    { name: 'Dataset', value: session.dataset_path ?? '' },
    { name: 'Log', value: there(basename(session.log_path)) },
    { name: 'Settings', value: there('ui_state.json') },
    { name: 'Runnable by hand', value: there('train.sh') },
  ].filter(({ value }) => value);
}

/** sd-scripts writes times as seconds since 1970. */
function toldValue(name: string, value: string): string {
  const seconds = Number(value);
  return name.endsWith('_at') && seconds > 0
    ? new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
    : value;
}
