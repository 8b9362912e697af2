import type { Session } from '../status/session.js';
import type { ChartPiece } from './chartFacts.js';
import { runsOf } from './chartRuns.js';

/** The shortest time between two looks into the event files: trainers write them every minute or two. */
const LOOK_MS = 2000;
/** More new points than these are read anew, thinned. */
const MOST_POINTS = 5000;

/** Reads what was written into a session's curves since, for one open page; what is there at the first call is known. */
export function createChartReader(read: () => Promise<Session>) {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let known: { attempt: number; lengths: Map<string, number> } | null = null;
  return async (): Promise<ChartPiece | null> => {
    const wait = lookedAt + LOOK_MS - performance.now();
    // Waits rather than skips: the last points come with the last words of the log.
    if (wait > 0 && known) await new Promise((resolve) => setTimeout(resolve, wait).unref());
    lookedAt = performance.now();
    const session = await read();
    const runs = await runsOf(session);
    const run = runs.at(-1);
    const before = known;
    known = {
      attempt: run?.attempt ?? 0,
      lengths: new Map([...(run?.series.curves ?? [])].map(([tag, { length }]) => [tag, length])),
    };
    if (!before || !run) return null;
    const position = `${run.attempt}`;
    if (before.attempt !== run.attempt) return { position, points: {}, anew: true };
    const points: ChartPiece['points'] = {};
    let count = 0;
    for (const [tag, { steps, values, times, length }] of run.series.curves) {
      const from = before.lengths.get(tag) ?? 0;
      if (length <= from) continue;
      count += length - from;
      if (count > MOST_POINTS || !before.lengths.has(tag)) return { position, points: {}, anew: true };
      const offset = session.dialect.metrics.countedBy(tag) === 'own steps' ? run.added : 0;
      points[tag] = Array.from({ length: length - from }, (_, i) => {
        const value = values[from + i] ?? Number.NaN;
        return [(steps[from + i] ?? 0) + offset, Number.isFinite(value) ? value : null, times[from + i] ?? 0];
      });
    }
    return count > 0 ? { position, points } : null;
  };
}
