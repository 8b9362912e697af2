import { joinNeighbours, type LossCurve } from '../../trainers/lossCurve.js';
import { unknownWriter, writerByTime } from '../lineage/writer.js';
import { type AttemptEntry, stepsAdded } from '../record/uiState.js';
import type { Session } from '../status/session.js';

/** One value that a run reported: `step` absolute over the attempts, `wall_time` in seconds since 1970. */
export type MetricPoint = { tag: string; step: number; value: number; attempt: number; wall_time: number };

/**
 * Values that the session's runs reported, oldest first. Steps are absolute; repeated ones replace the lost ones. Of several
 * at the step that a run began after, the first belongs to it: with gradient accumulation, the first batches of the next step
 * are told with the same number (sd-scripts train_network.py:1517).
 */
export async function readMetrics(session: Session): Promise<MetricPoint[]> {
  let metrics: MetricPoint[] = [];
  const begunAfter = new Map<number, number>();
  const writtenUntil = new Map<number, number>();
  const { runs, countedBy } = session.dialect.metrics;
  for (const points of await runs(session.folder)) {
    const begun = points[0]?.wallTime;
    if (begun === undefined) continue;
    const firstStep = points.reduce((least, { step }) => Math.min(least, step), Number.POSITIVE_INFINITY);
    const writer = writerOf(session, begun) ?? unknownWriter(firstStep);
    const { number: attempt, first_epoch: firstEpoch, step_offset: offset } = writer;
    const told = new Set<string>();
    const until = writtenUntil.get(attempt) ?? 0;
    writtenUntil.set(
      attempt,
      points.reduce((latest, { wallTime }) => Math.max(latest, wallTime), until),
    );
    metrics = metrics.filter(({ tag, step, attempt: of }) => {
      // Folders that were written at the same time are one start.
      if (of === attempt && begun <= until) return true;
      if (countedBy(tag) === 'epochs') return step < firstEpoch;
      if (step !== offset || told.has(tag)) return step < offset;
      told.add(tag);
      return begunAfter.get(of) !== offset;
    });
    begunAfter.set(attempt, offset);
    for (const { tag, step, value, wallTime } of points) {
      const absolute = countedBy(tag) === 'own steps' ? step + stepsAdded(writer) : step;
      metrics.push({ tag, step: absolute, value, attempt, wall_time: wallTime });
    }
  }
  return metrics;
}

/** An attempt's loss at an absolute step, and the mean of the losses around it. */
export type LossPoint = { step: number; loss: number; mean: number; attempt: number };

/** Groups of losses in a curve, over all attempts: two points each. */
const MOST_GROUPS = 200;

/**
 * The losses of all attempts, oldest first; steps that were trained again appear twice. Long curves are thinned to the
 * least and greatest of neighbours, and each attempt's first and last.
 */
export async function readLosses(session: Session): Promise<LossPoint[]> {
  const curves = await session.dialect.metrics.losses(session.folder);
  const total = curves.reduce((sum, { groups }) => sum + groups.length, 0);
  const areSingle = curves.every(({ groups }) => groups.every(({ count }) => count === 1));
  // Twice as many single losses are no more points.
  const size = areSingle && total <= 2 * MOST_GROUPS ? 1 : Math.ceil(total / MOST_GROUPS);
  return curves.flatMap((curve) => pointsOf(curve, size, session));
}

function pointsOf({ begunAt, groups, first, last }: LossCurve, size: number, session: Session): LossPoint[] {
  if (begunAt === null || !first || !last) return [];
  const writer = writerOf(session, begunAt) ?? unknownWriter(1);
  const { number: attempt } = writer;
  const offset = session.dialect.metrics.countedBy('loss') === 'own steps' ? stepsAdded(writer) : 0;
  const joined = joinNeighbours(groups, size);
  return joined.flatMap(({ count, sum, least, greatest }, at) => {
    const ends = [...(at === 0 ? [first] : []), ...(at === joined.length - 1 ? [last] : [])];
    const losses = [...new Set([least, greatest, ...ends])].sort((a, b) => a.step - b.step);
    return losses.map(({ step, value }) => ({ step: step + offset, loss: value, mean: sum / count, attempt }));
  });
}

function writerOf({ state }: Session, begunAt: number): AttemptEntry | null {
  return writerByTime(state?.attempts ?? [], begunAt * 1000);
}
