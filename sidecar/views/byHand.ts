import type { HandRunFacts, Status } from '../sessions/facts.js';
import { count, joined } from './formatting.js';

/** A form that says what it does before it does it. */
export type StopByHandView = { id: string; pid: number; address: string; stopping: boolean };

/** `at` is the address of what is ended, `id` is unique on the page. */
export function stopByHand(id: string, pid: number, status: Status, at: string): StopByHandView {
  return { id, pid, address: `${at}?_method=DELETE`, stopping: status === 'stopping' };
}

export type OtherView = ReturnType<typeof othersView>[number];

/** "Also running on this machine". */
export function othersView(others: readonly HandRunFacts[], root: string) {
  return others.map(({ pid, status, progress, ...run }) => ({
    ...run,
    pid,
    /** Trackside began it, and its folder is not where it was. */
    lost: run.attempt !== null,
    id: `by-hand-${pid}`,
    /** "step 120 of 960 · epoch 2 of 8", or that it is not known. */
    progress: progressWords(progress),
    stop: stopByHand(`stop-${pid}`, pid, status, `${root}by-hand/${pid}`),
  }));
}

function progressWords({ step, total_steps, epoch, epochs }: HandRunFacts['progress']): string {
  const steps = step !== null && `step ${count(step)} of ${count(total_steps)}`;
  return joined(steps, epoch !== null && `epoch ${count(epoch)} of ${count(epochs)}`) || 'no progress yet';
}
