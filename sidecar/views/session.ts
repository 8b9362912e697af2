import { basename } from 'node:path';
import type { PublishFacts } from '../publish/publishFacts.js';
import type { SessionFacts } from '../sessions/facts.js';
import type { Preflight } from '../sessions/preflight/preflight.js';
import type { CheckpointFacts, StateFacts } from '../sessions/savedFacts.js';
import { isAlive } from '../sessions/status/alive.js';
import { isChangeable } from '../sessions/status/queued.js';
import { secondsTrained } from '../sessions/status/secondsTrained.js';
import type { SessionCost } from '../sessions/status/sessionCost.js';
import { type ActionView, checkpointAddress, sessionAddress } from './action.js';
import { attemptsView } from './attempts.js';
import { type CardView, cardView } from './banner.js';
import { stopByHand } from './byHand.js';
import { type CurvePoint, lossView } from './chart.js';
import { checkpointsView } from './checkpoints.js';
import { datasetAddress } from './datasets.js';
import { count, dollars, duration, leftLabel, loss, pace } from './formatting.js';
import { type PodFiles, podFilesView } from './podFiles.js';
import { preflightView } from './preflight.js';
import { publishView } from './publish.js';
import { resumeView } from './resume.js';
import { type SamplesModel, samplesPartView } from './samples.js';
import { settingLabel, settingsView, valueText } from './settings.js';
import { type WhereModel, whereView } from './where.js';

export type SessionModel = SamplesModel & {
  states: StateFacts[];
  checkpoints: CheckpointFacts[];
  /** Of these, the one of the best sample. */
  best?: CheckpointFacts | null;
  /** The end of training.log, each line as it stood last. */
  logTail: string;
  /** `<inode>:<byte offset>` just after `logTail`; the page's stream goes on from there. */
  logPosition: string;
  /** Where its files lie; absent where only regions are drawn anew. */
  files?: PodFiles;
  /** US dollars; null where no price is known. */
  cost: SessionCost | null;
  /** Absolute path of the folder of all datasets. */
  datasets: string;
  /** At most a few thousand points, oldest first. */
  curve: CurvePoint[];
  /** What was found before a start; null where nothing can be started, or it was not looked at. */
  preflight?: Preflight | null;
  /** Where it may run; null without a choice, absent where only regions are drawn anew. */
  where?: WhereModel | null;
  /** What the section “Publish” shows; absent where there is nothing to publish. */
  publish?: PublishFacts | null;
};

/** A section is null where it has nothing to show. */
export type SessionView = ReturnType<typeof sessionView>;

export type HeadView = ReturnType<typeof headView>;

export type FactsView = ReturnType<typeof factsView>;

/** Of what has completed, only what would keep it from being trained further: its notes were read before it was. */
function beforeStart({ session, preflight }: SessionModel): Preflight | null {
  return preflight && session.status === 'completed' ? { ...preflight, warnings: [] } : (preflight ?? null);
}

export function sessionView(model: SessionModel) {
  const { session, root, logTail, logPosition } = model;
  const at = sessionAddress(root, session.name);
  const clearCaches = !isAlive(session.status) && session.reason_code === 'broken_cache';
  const settings = settingsView(session);
  return {
    ...sessionRegions(model),
    session,
    logTail,
    logPosition,
    at,
    before: preflightView(beforeStart(model), root, clearCaches ? `${at}/caches?_method=DELETE` : null),
    settings: {
      title: isChangeable(session) ? 'Settings' : 'Settings as run',
      values: settings.map((each) => ({ ...each, lines: each.value.length > LONG || each.value.includes('\n') })),
      someFixed: settings.some(({ fixed }) => fixed),
      newFrom: newFrom(model),
      /** What a sweep can try values of. */
      sweep: sweepFields(session),
      changes: session.version > 1 ? `${root}compare?changes=${encodeURIComponent(session.name)}` : null,
      where: nextPlaceView(model),
      versions: `${root}compare?lora=${encodeURIComponent(session.lora_name)}`,
    },
    hasNotes: session.description !== '' || session.notes !== '',
    files: model.files ? podFilesView(model.files) : null,
    cleanup: cleanupView(model),
  };
}

/** Characters of a value that does not fit beside its name. */
const LONG = 32;

/** Where the next attempt of what was started runs; null where that is no question. */
function nextPlaceView({ session, where }: SessionModel) {
  if (!where || session.record !== 'whole' || isChangeable(session)) return null;
  const values = Object.entries(session.settings).filter(
    ([name]) => name === 'launcher' || name.startsWith('cluster_'),
  );
  return whereView(
    where,
    { values: Object.fromEntries(values.map(([name, value]) => [name, String(value)])), errors: {} },
    false,
  );
}

export function sessionRegions(model: SessionModel) {
  const { session, root } = model;
  const at = sessionAddress(root, session.name);
  const card = cardView(session, root);
  return {
    head: headView(model, card, at),
    facts: factsView(model, card),
    loss: lossView(model.curve, session, `${at}/charts`),
    samples: samplesPartView(model, at),
    checkpoints: checkpointsView(session, model, at),
    attempts: attemptsView(session, model.states, model.now),
    resume: resumeView(session, model.states, at),
    publish: model.publish ? publishView(model.publish, at, root) : null,
  };
}

function headView(model: SessionModel, { lora, version, status, ...card }: CardView, at: string) {
  const { session, checkpoints } = model;
  const alive = isAlive(session.status);
  const final = session.all_trained ? checkpoints.find(({ kind, problem }) => kind === 'final' && !problem) : undefined;
  const byHand = session.by_hand && stopByHand('by-hand', session.by_hand, session.status, `${at}/attempts/current`);
  const action: ActionView | null = byHand ? null : card.action;
  return {
    lora,
    version,
    status,
    about: aboutView(model),
    action,
    callOff: card.callOff,
    at,
    alive,
    /** What else leads on from here: to edit the draft, or to use its settings. */
    link: linkView(model),
    /** The finished LoRA. */
    download: final ? checkpointAddress(at, final.path) : null,
    canKeepTraining: session.stops_after_save,
    /** The form that stops what was started by hand; null where nothing was. */
    stopByHand: byHand,
  };
}

/** Its trainer, and its pictures, with their page where they are among the datasets. */
function aboutView({ session: { trainer, dataset_path: path }, datasets, root }: SessionModel) {
  const name = path === null ? null : basename(path);
  const among = name !== null && path === `${datasets}/${name}`;
  return { trainer: trainer ?? 'unknown trainer', dataset: name, href: among ? datasetAddress(root, name) : null };
}

function linkView(model: SessionModel) {
  const { session, root } = model;
  if (isChangeable(session)) return { href: `${root}new?draft=${encodeURIComponent(session.name)}`, label: 'Edit' };
  return isAlive(session.status) ? null : { href: newFrom(model), label: 'Duplicate' };
}

/** Numbers first: most sweeps are of the learning rate and the rank. */
function sweepFields({ settings, trainer }: SessionFacts): { name: string; label: string; value: string }[] {
  if (!trainer || trainer === 'tracked' || trainer.startsWith('script/')) return [];
  const { arguments: flags, ...own } = settings;
  const numbers = SWEPT.filter((name) => own[name] !== undefined).map((name): [string, unknown] => [name, own[name]]);
  const further = Object.entries(flags ?? {}).filter(
    ([, value]) => typeof value !== 'boolean' && typeof value !== 'object',
  );
  return [...numbers, ...further.map(([flag, value]): [string, unknown] => [`arguments.${flag}`, value])].map(
    ([name, value]) => ({
      name,
      label: settingLabel(name),
      value: valueText(value),
    }),
  );
}

const SWEPT = [
  'learning_rate',
  'network_dim',
  'max_train_epochs',
  'num_repeats',
  'resolution',
  'seed',
  'timestep_sampling',
  'guidance_scale',
];

function newFrom({ session, root }: SessionModel): string {
  return `${root}new?from=${encodeURIComponent(session.name)}`;
}

/** `numbers`: the row of large numbers; `ends` is when it will have ended. */
function factsView({ session, now, cost }: SessionModel, { status, percent, percentText, why }: CardView) {
  const hasBar = !isChangeable(session);
  return { tone: status.tone, percent, percentText, why, hasBar, numbers: hasBar ? numbersOf(session, now, cost) : [] };
}

/** A hundred years: a date further away is none. */
const LONGEST_SECONDS = 3.2e9;

function numbersOf(session: SessionFacts, now: Date, cost: SessionCost | null) {
  const { progress, status } = session;
  const { step, total_steps: total, epoch, epochs, eta_seconds: eta, eta_guessed: guessed } = progress;
  const numbers: [string, string][] = [
    [count(step), total === null ? 'steps' : `of ${count(total)} steps`],
    [count(epoch), epochs === null ? 'epochs' : `of ${count(epochs)} epochs`],
    [loss(progress.loss), 'loss (avg)'],
    isAlive(status)
      ? [pace(progress.seconds_per_step), 'per step']
      : [duration(secondsTrained(session, now)), 'training time'],
  ];
  const ends =
    eta === null || guessed || eta > LONGEST_SECONDS ? null : new Date(now.getTime() + eta * 1000).toISOString();
  return [
    ...numbers.map(([value, label]) => ({ value, label, ends: null })),
    ...(isAlive(status) ? [{ value: duration(eta), label: leftLabel(guessed), ends }] : []),
    ...(cost && session.attempts.length > 0
      ? [{ value: dollars(cost.so_far), label: costLabel(cost), ends: null }]
      : []),
  ];
}

function costLabel({ so_far, to_end, to_end_guessed }: SessionCost): string {
  if (to_end === null) return 'cost';
  return `so far, ${dollars(so_far + to_end)} at its end${to_end_guessed ? ', a guess' : ''}`;
}

/** Null while it runs, waits or has not begun. */
function cleanupView({ session, root }: SessionModel) {
  if (session.attempts.length === 0 || isAlive(session.status) || session.queue) return null;
  return { href: `${root}purge?session=${encodeURIComponent(session.name)}` };
}
