/**
 * What changed, told to whoever has a page open. Everything else about a change is read from the facts themselves, so
 * an event that is missed costs nothing: the next snapshot has it.
 *
 * @example const leave = hub.join((event) => …); hub.tell({ type: 'session', name: 'my-cat' }); leave();
 */
export type LiveEvent =
  /** A session's facts changed: status, progress, files. */
  | { type: 'session'; name: string }
  /** A training that somebody started in a terminal, outside the outputs, began, moved on or ended. */
  | { type: 'by-hand' }
  /** Somebody logged out: a stream that was theirs ends. */
  | { type: 'logout' }
  /** A disk can't be written any more, or can again. */
  | { type: 'disk' }
  /** A download of a model moved on or ended; only the page of the models shows it. */
  | { type: 'models' }
  /** The publication of a session moved on or ended; only the session's own page shows it. */
  | { type: 'publication'; name: string }
  /** Bytes were appended to a session's training.log. `offset` is where `text` begins. */
  | { type: 'log'; name: string; inode: number; offset: number; text: string };

export type Hub = {
  tell(event: LiveEvent): void;
  join(listener: (event: LiveEvent) => void): () => void;
};

export function createHub(): Hub {
  const listeners = new Set<(event: LiveEvent) => void>();
  return {
    tell(event) {
      for (const listener of listeners) listener(event);
    },
    join(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
