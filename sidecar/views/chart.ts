import type { SessionFacts } from '../sessions/facts.js';
import { isAlive } from '../sessions/status/alive.js';
import { isChangeable } from '../sessions/status/queued.js';
import { joined, loss, plural } from './formatting.js';

/** One loss as reported at an absolute step, by the attempt of that number; `mean` where it stands for its neighbours too. */
export type CurvePoint = { step: number; loss: number; attempt: number; mean?: number };

/** What the section "Loss" shows. */
export type LossView = NonNullable<ReturnType<typeof lossView>>;

/** @param all the address of all charts */
export function lossView(curve: CurvePoint[], session: SessionFacts, all: string) {
  const { status, attempts } = session;
  const chart = lossChart(curve);
  if (isChangeable(session) && !chart) return null;
  return {
    /** Said where there is no curve. */
    none: isAlive(status) ? 'Waiting for the first steps…' : 'No loss was recorded.',
    /** "2 attempts · peaks cut off", or empty. */
    about: joined(attempts.length > 1 && plural(attempts.length, 'attempt'), chart?.isCut === true && 'peaks cut off'),
    /** Where all charts are; null where there is nothing to draw yet. */
    all: chart && all,
    chart: chart && {
      ...chart,
      labels: [loss(chart.high), loss(chart.middle), loss(chart.low)],
      marks: chart.marks.map(({ x, attempt, step }) => ({ x, title: `attempt ${attempt}, from step ${step}` })),
    },
  };
}

export type LossChart = {
  /** One line an attempt, as reported; `lost` for the end of an attempt that a later one trained again. */
  lines: { points: string; lost: boolean }[];
  /** The smoothed curve over all attempts. */
  smooth: string;
  /** Where attempts after the first begin, as x in the box of 600 × 190. */
  marks: { x: number; attempt: number; step: number }[];
  high: number;
  middle: number;
  low: number;
  /** Some losses lie far above `high`. */
  isCut: boolean;
  lastStep: number;
};

const width = 600;
const height = 190;

/**
 * The loss over the absolute step, in a box of 600 × 190. Where an attempt went back to an earlier state, what came
 * after that state in the attempt before is drawn faint: it is no part of the training any more. The curve takes all of the
 * width from its beginning on; the page's bar shows how far the training is.
 */
export function lossChart(curve: CurvePoint[]): LossChart | null {
  const points = curve.filter(({ loss }) => Number.isFinite(loss));
  if (points.length < 2) return null;
  const lastStep = Math.max(...points.map(({ step }) => step));
  const [low, high, isCut] = range(points.map(({ loss }) => loss));
  const x = (step: number) => round((step / Math.max(1, lastStep)) * width);
  const y = (loss: number) => round(6 + (1 - (loss - low) / (high - low)) * (height - 12));
  const draw = (some: { step: number; loss: number }[]) =>
    some.map(({ step, loss }) => `${x(step)},${y(loss)}`).join(' ');

  const attempts = [...byAttempt(points)].sort(([a], [b]) => a - b);
  const lines: LossChart['lines'] = [];
  const marks: LossChart['marks'] = [];
  const kept: CurvePoint[] = [];
  attempts.forEach(([number, own], i) => {
    const nextStart = Math.min(
      Number.POSITIVE_INFINITY,
      ...attempts.slice(i + 1).map(([, later]) => later[0]?.step ?? 0),
    );
    const first = own[0]?.step ?? 0;
    if (i > 0) marks.push({ x: x(first), attempt: number, step: first });
    const stays = own.filter(({ step }) => step < nextStart);
    const lost = own.slice(Math.max(0, stays.length - 1));
    kept.push(...stays);
    if (stays.length > 1) lines.push({ points: draw(stays), lost: false });
    if (lost.length > 1) lines.push({ points: draw(lost), lost: true });
  });
  return { lines, smooth: draw(smoothed(kept)), marks, high, middle: (high + low) / 2, low, isCut, lastStep };
}

/** Exponential mean over about a twelfth of the curve, unbiased at its beginning (as TensorBoard smooths). */
function smoothed(points: CurvePoint[]): CurvePoint[] {
  const weight = 1 - 1 / Math.max(5, points.length / 12);
  let sum = 0;
  let weights = 0;
  return points.map((point) => {
    sum = sum * weight + (point.mean ?? point.loss);
    weights = weights * weight + 1;
    return { ...point, loss: sum / weights };
  });
}

function byAttempt(points: CurvePoint[]): Map<number, CurvePoint[]> {
  const groups = new Map<number, CurvePoint[]>();
  for (const point of points) {
    const own = groups.get(point.attempt);
    if (own) own.push(point);
    else groups.set(point.attempt, [point]);
  }
  return groups;
}

/** Of all losses; where a few of many are far above the others, those go beyond the box, and do not press the rest flat. */
function range(values: number[]): [low: number, high: number, isCut: boolean] {
  const ascending = [...values].sort((a, b) => a - b);
  const [low = 0, high = 0] = [ascending[0], ascending.at(-1)];
  const most = ascending[Math.floor(0.98 * (ascending.length - 1))] ?? high;
  if (values.length >= MANY && high - low > FAR * (most - low) && most > low) {
    return [low, low + 1.2 * (most - low), true];
  }
  return high > low
    ? [low, high, false]
    : [low - Math.max(0.001, Math.abs(low) / 10), high + Math.max(0.001, Math.abs(high) / 10), false];
}

const MANY = 100;
const FAR = 3;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
