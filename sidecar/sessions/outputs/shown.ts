import type { Session } from '../status/session.js';

/**
 * The sessions whose pages are open. These are read whole whenever they change, and their pages are drawn from the very
 * reading that found the change.
 */
export function createShown() {
  const shown = new Map<string, { pages: number; last: { session: Session; at: number } | null }>();
  return {
    has: (name: string): boolean => shown.has(name),
    /** Counts one more page; returns a function that ends it. */
    open(name: string): () => void {
      const present = shown.get(name) ?? { pages: 0, last: null };
      shown.set(name, present);
      present.pages += 1;
      return () => {
        present.pages -= 1;
        if (present.pages === 0) shown.delete(name);
      };
    },
    /** Keeps a reading for the page, until it is drawn. */
    keep(session: Session): void {
      const present = shown.get(session.name);
      if (present) present.last = { session, at: performance.now() };
    },
    /** The last reading, once, if it holds all that was told until `asOf` (`performance.now()`). */
    take(name: string, asOf: number): Session | null {
      const present = shown.get(name);
      const last = present?.last ?? null;
      if (present) present.last = null;
      return last && last.at >= asOf ? last.session : null;
    },
  };
}
