import type { SessionFacts, Status } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { isAlive } from '../sessions/status/alive.js';
import { stalledWords } from '../sessions/status/stall.js';
import { percent } from './formatting.js';

/** How a status is shown: a word, a shape (a symbol of the layout's sprite) and a tone, never one of them alone. */
export type StatusView = { word: string; shape: Shape; tone: Tone };
export type Shape = 'dot' | 'ring' | 'square' | 'check' | 'cross' | 'pencil' | 'clock';
export type Tone = 'run' | 'wait' | 'stop' | 'fail' | 'done' | 'draft';

export function statusView(
  session: Pick<
    SessionFacts,
    'status' | 'queue' | 'interrupted' | 'stopped_by' | 'record' | 'stalled_seconds' | 'by_hand'
  > & {
    progress: Pick<SessionFacts['progress'], 'phase'>;
  },
): StatusView {
  const { status, progress, stalled_seconds: stalled } = session;
  const view = looks[status];
  if (session.record === 'unreadable') return { word: 'Unreadable', shape: 'cross', tone: 'fail' };
  if (session.by_hand) return { ...view, word: `${view.word} · by hand` };
  if (session.record === 'found') return { ...view, word: `${view.word} · found` };
  if (stalled !== null && status !== 'stopping') {
    return { ...view, word: `${view.word} · ${stalledWords(null, stalled)}`, tone: 'wait' };
  }
  if (session.queue) return queuedView(session.queue);
  const phase = progress.phase === 'ended' || progress.phase === status ? null : progress.phase;
  if (isAlive(status) && phase) return { ...view, word: `${view.word} · ${phase}` };
  if (session.interrupted) return { ...view, word: `${view.word} · interrupted` };
  if (session.stopped_by) return { ...view, word: `${view.word} · by ${session.stopped_by}` };
  return view;
}

const looks: Record<Status, StatusView> = {
  draft: { word: 'Draft', shape: 'pencil', tone: 'draft' },
  pending: { word: 'Pending', shape: 'clock', tone: 'wait' },
  starting: { word: 'Starting', shape: 'ring', tone: 'run' },
  running: { word: 'Running', shape: 'dot', tone: 'run' },
  stopping: { word: 'Stopping', shape: 'ring', tone: 'wait' },
  stopped: { word: 'Stopped', shape: 'square', tone: 'stop' },
  completed: { word: 'Completed', shape: 'check', tone: 'done' },
  failed: { word: 'Failed', shape: 'cross', tone: 'fail' },
};

function queuedView({ place, held, failed }: NonNullable<SessionFacts['queue']>): StatusView {
  if (failed !== null) return { word: 'Queued · not started', shape: 'cross', tone: 'fail' };
  if (held) return { word: 'Queued · on hold', shape: 'clock', tone: 'stop' };
  return { word: place === null ? 'Queued' : `Queued · place ${place}`, shape: 'clock', tone: 'wait' };
}

/** "Running" */
export function statusWord(status: Status): string {
  return looks[status].word;
}

/** "(2) " before the title while two trainings run. */
export function activeCount(active: SessionFacts[]): string {
  const alive = active.filter((session) => isAlive(session.status)).length;
  return alive ? `(${alive}) ` : '';
}

/** "my-cat V3" */
export function titleName(session: SessionFacts): string {
  return `${session.lora_name} ${versionName(session)}`;
}

/** "64 % · my-cat V3" while it runs, else "my-cat V3 · Completed". */
export function sessionTitle(session: SessionFacts): string {
  const name = titleName(session);
  if (isAlive(session.status) && session.progress.percent != null)
    return `${percent(session.progress.percent)} · ${name}`;
  return `${name} · ${looks[session.status].word}`;
}
