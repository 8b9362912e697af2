import type { Hub } from './hub.js';

/** A message for everybody that no single session has: shown on top of every page. */
export type Notice = { about: string; message: string; since: string };

export type Notices = ReturnType<typeof createNotices>;

/**
 * What people should know until it is over, or for a while.
 *
 * @example notices.tell('outputs', 'The outputs folder is gone.'); notices.end('outputs')
 */
export function createNotices(hub: Hub) {
  const notices = new Map<string, Notice & { until: number }>();
  const changed = () => hub.tell({ type: 'disk' });

  return {
    /** `about` names the notice: another one of that name takes its place. */
    tell(about: string, message: string, seconds = Number.POSITIVE_INFINITY): void {
      const before = notices.get(about);
      const until = performance.now() + seconds * 1000;
      notices.set(about, { about, message, since: before?.since ?? new Date().toISOString(), until });
      if (before?.message !== message) changed();
    },
    end(about: string): void {
      if (notices.delete(about)) changed();
    },
    list(): Notice[] {
      for (const [about, { until }] of notices) if (until < performance.now()) notices.delete(about);
      return [...notices.values()].map(({ about, message, since }) => ({ about, message, since }));
    },
  };
}
