import { log } from '../log.js';

/**
 * A change, announced to the open pages. Pages read everything else from the facts themselves, so a missed event costs
 * nothing: the next snapshot includes it.
 *
 * @example const leave = hub.join((event) => …); hub.tell({ type: 'session', name: 'my-cat' }); leave();
 */
export type LiveEvent =
  /** A session's facts changed: status, progress, files. */
  | { type: 'session'; name: string }
  /** A training started in a terminal, outside the outputs, began, moved on or ended. */
  | { type: 'by-hand' }
  /** Somebody logged out: their streams end. */
  | { type: 'logout' }
  /** A disk became unwritable, or writable again. */
  | { type: 'disk' }
  /** The machine was looked at again; only its own page shows it. */
  | { type: 'machine' }
  /** The download of a model moved on or ended; only the models page shows it. */
  | { type: 'models' }
  /** A notice was put into the outbox, or sent, or not; only the page of notices shows it. */
  | { type: 'outbox' }
  /** The stop of the pod counts down, was cancelled, succeeded or failed; only its own page shows it. */
  | { type: 'pod' }
  /** The publication of a session moved on or ended, or its model card was written; only the session's own page shows it. */
  | { type: 'publication'; name: string }
  /** Bytes were appended to a session's training.log. `offset` is where `text` begins. */
  | { type: 'log'; name: string; inode: number; offset: number; text: string };

export type Hub = ReturnType<typeof createHub>;

export function createHub() {
  const listeners = new Set<(event: LiveEvent) => void>();
  return {
    tell(event: LiveEvent) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          // One listener's error must reach neither the others nor the teller.
          log.error('live', 'A change could not be passed on.', { error });
        }
      }
    },
    join(listener: (event: LiveEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
