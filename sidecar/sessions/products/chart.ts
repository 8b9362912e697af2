import type { Series } from '../../trainers/series.js';
import type { Session } from '../status/session.js';
import type { ChartAxis, ChartCurve, Charts } from './chartFacts.js';
import { drawCurve, type Stretch } from './chartLines.js';
import { marksOf } from './chartMarks.js';
import { type Run, runsOf } from './chartRuns.js';

export type AskedCharts = {
  /** Curves in this order; null for all. */
  tags: readonly string[] | null;
  axis: ChartAxis;
  /** What is seen of the axis; null for all of it. */
  from: number | null;
  to: number | null;
  /** Stretches of the axis of which least and greatest value are kept. */
  points: number;
  /** 0 to 0.999, as in TensorBoard. */
  smooth: number;
};

/** The curves of a session's runs, thinned from all of their points to what is seen, and what happened meanwhile. */
export async function readCharts(session: Session, asked: AskedCharts): Promise<Charts> {
  const runs = await runsOf(session);
  const charts = await readCurves(session, runs, asked);
  return { ...charts, marks: await marksOf(session, runs, { axis: asked.axis, ...placeOf(session, runs) }) };
}

/** The same without marks, from runs that were read already. */
export async function readCurves(session: Session, runs: readonly Run[], asked: AskedCharts): Promise<Charts> {
  const { perEpoch, begun } = placeOf(session, runs);
  const last = runs.at(-1);
  const names = asked.tags ?? tagsOf(runs);
  const place = { axis: asked.axis, perEpoch, begun, countedBy: session.dialect.metrics.countedBy };
  const curves: ChartCurve[] = [];
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const tag of names) {
    const stretches = runs.flatMap((run) => stretchOf(run, tag, place) ?? []);
    if (stretches.length === 0) continue;
    for (const { x, series } of stretches) {
      from = Math.min(from, x(0));
      to = Math.max(to, x(series.length - 1));
    }
    curves.push(drawCurve(tag, stretches, asked));
    // A million points take some ten ms each.
    await new Promise(setImmediate);
  }
  const total = session.facts.progress.total_steps;
  const plan =
    total === null
      ? null
      : asked.axis === 'step'
        ? total
        : asked.axis === 'epoch' && perEpoch
          ? total / perEpoch
          : null;
  return {
    curves,
    range: { from: Number.isFinite(from) ? from : 0, to: Number.isFinite(to) ? to : 0, plan },
    marks: [],
    axis: { stepsPerEpoch: perEpoch, begun, attemptBegun: last?.begun ?? 0, before: last?.before ?? 0 },
  };
}

export function placeOf({ progress }: Session, runs: readonly Run[]) {
  return { perEpoch: progress?.steps_per_epoch ?? null, begun: runs[0]?.begun ?? 0 };
}

/** Losses first, then what was validated, then the others by name. */
export function tagsOf(runs: readonly Run[]): string[] {
  const names = new Set(runs.flatMap(({ series }) => [...series.curves.keys()]));
  const rank = (tag: string) => FIRST.findIndex((pattern) => pattern.test(tag));
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const FIRST = [/^loss\/current$/, /^loss\/average$/, /^loss$/, /\bval/i, /loss/i, /^lr/i, /./];

export type Place = {
  axis: ChartAxis;
  perEpoch: number | null;
  begun: number;
  countedBy: Session['dialect']['metrics']['countedBy'];
};

/** The points of a curve that one start wrote; null where it wrote none. */
export function stretchOf(run: Run, tag: string, place: Place): Stretch | null {
  const series = run.series.curves.get(tag);
  if (!series || series.length === 0) return null;
  const counted = place.countedBy(tag);
  const offset = counted === 'own steps' ? run.added : 0;
  const lastKept = counted === 'epochs' ? run.lastEpoch : run.lastStep;
  return {
    series,
    kept: keptOf(series, lastKept - offset, counted !== 'epochs' && run.offset === run.lastStep),
    x: xOf(series, run, place, counted === 'epochs', offset),
    step: xOf(series, run, { ...place, axis: 'step' }, counted === 'epochs', offset),
  };
}

/**
 * The number of points up to a step, and of several there the first: the others are the first batches of the next one, all of
 * them where the start `beganThere`. Steps ascend within a start.
 */
function keptOf({ steps, length }: Series, last: number, beganThere: boolean): number {
  if (last === Number.POSITIVE_INFINITY) return length;
  let kept = length;
  while (kept > 0 && (steps[kept - 1] ?? 0) > last) kept -= 1;
  const upTo = kept;
  while (kept > 0 && steps[kept - 1] === last) kept -= 1;
  return beganThere || kept === upTo ? kept : kept + 1;
}

function xOf(series: Series, run: Run, { axis, perEpoch, begun }: Place, epochs: boolean, offset: number) {
  const { steps, times } = series;
  switch (axis) {
    case 'step':
      return epochs ? (at: number) => (steps[at] ?? 0) * (perEpoch ?? 1) : (at: number) => (steps[at] ?? 0) + offset;
    case 'epoch':
      return epochs ? (at: number) => steps[at] ?? 0 : (at: number) => ((steps[at] ?? 0) + offset) / (perEpoch ?? 1);
    case 'wall':
      return (at: number) => (times[at] ?? 0) - begun;
    case 'process':
      return (at: number) => (times[at] ?? 0) - run.begun + run.before;
  }
}
