import { wordsOfRun } from '../sessions/byHand/runs.js';
import type { HandJobFacts, HandRunFacts } from '../sessions/byHandFacts.js';
import type { Status } from '../sessions/facts.js';
import { count, joined } from './formatting.js';

/** A form that says what it does before it does it. */
export type StopByHandView = {
  id: string;
  what: string;
  field: string;
  value: string;
  address: string;
  stopping: boolean;
  /** It has not begun. */
  waits: boolean;
};

/** `at` is the address of what is ended, `id` is unique on the page. */
export function stopByHand(
  id: string,
  { pid, job }: Pick<HandRunFacts, 'pid' | 'job'>,
  status: Status,
  at: string,
): StopByHandView {
  const own = job ? { what: `job ${job.id}`, field: 'job', value: job.id } : processOf(pid);
  const waits = job?.waits != null;
  return { id, ...own, address: `${at}?_method=DELETE`, stopping: status === 'stopping', waits };
}

function processOf(pid: number | null) {
  return { what: `process ${pid}`, field: 'process', value: String(pid) };
}

export type OtherView = ReturnType<typeof othersView>[number];

/** What runs beside the sessions. */
export function othersView(others: readonly HandRunFacts[], root: string) {
  return others.map(({ pid, job, status, progress, ...run }) => ({
    ...run,
    /** "process 77", "job 12 on n3". */
    what: wordsOfRun({ pid, job }),
    /** Trackside began it, and its folder is not where it was. */
    lost: run.attempt !== null,
    id: `by-hand-${keyOf(pid, job)}`,
    /** "started", "submitted" */
    begun: job?.waits ? 'submitted' : 'started',
    /** "step 120 of 960 · epoch 2 of 8", or that it is not known; why it waits. */
    progress: job?.waits ? waitWords(job.waits) : progressWords(progress),
    stop: stopByHand(`stop-${keyOf(pid, job)}`, { pid, job }, status, addressOf(root, { pid, job })),
  }));
}

/** For an id on the page. */
function keyOf(pid: number | null, job: HandJobFacts | null): string {
  return job ? `job-${job.id.replace(/\W/g, '-')}` : String(pid);
}

function waitWords({ place, reason }: NonNullable<HandJobFacts['waits']>): string {
  return joined(place === null ? 'waits' : `number ${place} in the queue`, reason);
}

function addressOf(root: string, { pid, job }: Pick<HandRunFacts, 'pid' | 'job'>): string {
  return `${root}by-hand/${job ? `jobs/${encodeURIComponent(job.id)}` : pid}`;
}

/** "Also running on this machine", "… on the cluster", or on both; "Also waiting …". */
export function othersTitle(others: readonly HandRunFacts[]): string {
  const places = [
    others.some(({ job }) => !job) && 'on this machine',
    others.some(({ job }) => job) && 'on the cluster',
  ];
  const waiting = others.filter(({ job }) => job?.waits).length;
  const doing = waiting === 0 ? 'running' : waiting === others.length ? 'waiting' : 'running or waiting';
  return `Also ${doing} ${places.filter(Boolean).join(' and ')}`;
}

function progressWords({ step, total_steps, epoch, epochs }: HandRunFacts['progress']): string {
  const steps = step !== null && `step ${count(step)} of ${count(total_steps)}`;
  return (
    joined(steps, epoch !== null && epochs !== null && `epoch ${count(epoch)} of ${count(epochs)}`) || 'no progress yet'
  );
}
