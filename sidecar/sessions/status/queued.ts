import type { QueueFacts, SessionFacts } from '../facts.js';
import type { AttemptEntry, UiState } from '../record/uiState.js';
import { withLatest } from './attempts.js';
import { NEVER_BEGAN } from './settle.js';

/** How often a start may end with the sidecar, before anything ran, until it waits for a person. */
const MOST_LOST_STARTS = 3;

/**
 * The queue's entry of a session at rest; null when it does not wait. Pure. An entry lasts until an attempt has begun: a
 * start that died with its sidecar, before a trainer ran, leaves the session in its place.
 */
export function queueFacts(state: UiState | null, latest: AttemptEntry | null): QueueFacts | null {
  const entry = state?.queue;
  if (!entry) return null;
  const since = withLatest(state.attempts, latest).filter(({ number }) => number > entry.after);
  if (since.some(({ reason_code }) => reason_code !== NEVER_BEGAN)) return null;
  const { position, queued_at, kind, max_train_epochs, held } = entry;
  const lost = since.length < MOST_LOST_STARTS ? null : `Trackside ended ${since.length} times while it started this.`;
  return {
    place: null,
    waits: null,
    position,
    queued_at,
    kind,
    state: entry.state,
    max_train_epochs,
    gpus: entry.gpus ?? state.gpus ?? '',
    held,
    failed: entry.failed ?? lost,
    retry_smaller: state.retry_smaller ?? false,
  };
}

/** Does it wait for its turn, and not for a person? */
export function isWaiting({ queue }: Pick<SessionFacts, 'queue'>): boolean {
  return queue !== null && !queue.held && queue.failed === null;
}

/** All sessions of the queue, in its order. */
export function inQueueOrder(all: readonly SessionFacts[]): (SessionFacts & { queue: QueueFacts })[] {
  return all
    .flatMap((facts) => (facts.queue ? [{ ...facts, queue: facts.queue }] : []))
    .sort(
      (a, b) =>
        a.queue.position - b.queue.position ||
        (a.queue.queued_at ?? '').localeCompare(b.queue.queued_at ?? '') ||
        (a.name < b.name ? -1 : 1),
    );
}

/** Can all of its settings still be changed: it was never begun, and does not run? */
export function isChangeable({ status, queue, attempts }: SessionFacts): boolean {
  return status === 'draft' || (queue !== null && attempts.length === 0);
}
