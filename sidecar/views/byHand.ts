import { wordsOfRun } from '../sessions/byHand/runs.js';
import type { HandRunFacts, Status } from '../sessions/facts.js';
import { count, joined } from './formatting.js';

/** A form that says what it does before it does it. */
export type StopByHandView = {
  id: string;
  what: string;
  field: string;
  value: string;
  address: string;
  stopping: boolean;
};

/** `at` is the address of what is ended, `id` is unique on the page. */
export function stopByHand(
  id: string,
  { pid, job }: Pick<HandRunFacts, 'pid' | 'job'>,
  status: Status,
  at: string,
): StopByHandView {
  const own = job ? { what: `job ${job.id}`, field: 'job', value: job.id } : processOf(pid);
  return { id, ...own, address: `${at}?_method=DELETE`, stopping: status === 'stopping' };
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
    id: `by-hand-${job ? `job-${job.id}` : pid}`,
    /** "step 120 of 960 · epoch 2 of 8", or that it is not known. */
    progress: progressWords(progress),
    stop: stopByHand(`stop-${job ? `job-${job.id}` : pid}`, { pid, job }, status, addressOf(root, { pid, job })),
  }));
}

function addressOf(root: string, { pid, job }: Pick<HandRunFacts, 'pid' | 'job'>): string {
  return `${root}by-hand/${job ? `jobs/${job.id}` : pid}`;
}

/** "Also running on this machine", "… on the cluster", or on both. */
export function othersTitle(others: readonly HandRunFacts[]): string {
  const places = [
    others.some(({ job }) => !job) && 'on this machine',
    others.some(({ job }) => job) && 'on the cluster',
  ];
  return `Also running ${places.filter(Boolean).join(' and ')}`;
}

function progressWords({ step, total_steps, epoch, epochs }: HandRunFacts['progress']): string {
  const steps = step !== null && `step ${count(step)} of ${count(total_steps)}`;
  return (
    joined(steps, epoch !== null && epochs !== null && `epoch ${count(epoch)} of ${count(epochs)}`) || 'no progress yet'
  );
}
