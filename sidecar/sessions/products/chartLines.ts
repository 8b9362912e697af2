import type { Series } from '../../trainers/series.js';
import type { ChartAxis, ChartCurve, ChartLine } from './chartFacts.js';

/** The points of one start in a curve. */
export type Stretch = {
  series: Series;
  /** Points that no later start trained again. */
  kept: number;
  /** The place of a point on the axis, ascending. */
  x(at: number): number;
  /** Its absolute step. */
  step(at: number): number;
};

type Seen = { axis: ChartAxis; from: number | null; to: number | null; points: number; smooth: number };

const MOST_MARKED = 100;
/** Of more values, every nth is asked for the percentiles. */
const MOST_SORTED = 20_000;

/** Draws a curve in one pass over all of its points: those that are seen become columns. */
export function drawCurve(tag: string, stretches: readonly Stretch[], seen: Seen): ChartCurve {
  const { from, to } = rangeOf(stretches, seen);
  const raw = thinner(from, to, seen.points);
  const smooth = thinner(from, to, seen.points, true);
  const mean = createMean(seen.smooth, isConstant(stretches));
  const odd: number[] = [];
  const sample: number[] = [];
  const high: Point[] = [];
  let [count, oddCount, inside] = [0, 0, 0];
  let best: ChartCurve['best'] = null;
  const every = Math.ceil(stretches.reduce((sum, { kept }) => sum + kept, 0) / MOST_SORTED);
  for (const { series, kept, x, step } of stretches) {
    for (let at = 0; at < kept; at += 1) {
      const value = series.values[at] as number;
      const place = x(at);
      const isHigh = value > 2 * mean.now() && mean.count() > 0 && place >= from && place <= to;
      if (isHigh && high.length < 10 * MOST_MARKED) high.push({ x: place, y: value });
      const smoothed = mean.add(value);
      if (Number.isFinite(smoothed) && mean.count() >= 10 && (!best || smoothed < best.y)) {
        best = { x: place, step: step(at), y: smoothed };
      }
      if (place < from || place > to) continue;
      raw.add(place, value);
      smooth.add(place, smoothed);
      inside += 1;
      if (Number.isFinite(value)) {
        if (inside % every === 0 || every === 1) sample.push(value);
      } else {
        oddCount += 1;
        if (odd.length < MOST_MARKED) odd.push(place);
      }
    }
    count += kept;
    // Nothing was trained between two starts: on the clock there is a gap.
    const end = kept > 0 ? x(kept - 1) : from;
    if (seen.axis === 'wall' && end >= from && end <= to) for (const line of [raw, smooth]) line.gap(end + 1);
  }
  const clip = percentiles(sample);
  return {
    tag,
    count,
    raw: raw.line(),
    smooth: smooth.line(),
    lost: stretches.flatMap((stretch) => lostOf(stretch, from, to, seen.points)),
    odd,
    oddCount,
    spikes: clip ? spikesOf(high, clip) : [],
    best: best && rounded(best),
    clip: clip && { ...clip, outside: inside - oddCount - Math.round((inside - oddCount) * clip.share) },
    mean: mean.state(),
  };
}

function rangeOf(stretches: readonly Stretch[], { from, to }: Seen) {
  const [firsts, lasts] = [stretches.map(({ x }) => x(0)), stretches.map(({ x, series }) => x(series.length - 1))];
  return { from: from ?? Math.min(...firsts), to: to ?? Math.max(...lasts) };
}

/** TensorBoard shows a constant as it is: rounding would make it wave (line_chart_v2/data_transformer.ts). */
function isConstant(stretches: readonly Stretch[]): boolean {
  const first = stretches[0]?.series.values[0];
  return stretches.every(({ series, kept }) => {
    for (let at = 0; at < kept; at += 1) if (series.values[at] !== first) return false;
    return true;
  });
}

/**
 * TensorBoard's mean: an exponential one from 0, divided by 1 − weight^n; what is no number passes through and is not counted
 * (line_chart_v2/data_transformer.ts).
 */
function createMean(weight: number, constant: boolean) {
  let sum = 0;
  let count = 0;
  return {
    add(value: number): number {
      if (!Number.isFinite(value)) return value;
      count += 1;
      sum = sum * weight + (1 - weight) * value;
      return constant || weight === 0 ? value : sum / (1 - weight ** count);
    },
    count: () => count,
    now: () => sum / (1 - weight ** count),
    state: () => ({ sum, count }),
  };
}

/**
 * Keeps of each stretch of the axis its least and greatest value in their order, or the last one alone; what is no number
 * leaves a gap.
 */
function thinner(from: number, to: number, points: number, lastOnly = false) {
  const x: number[] = [];
  const y: (number | null)[] = [];
  const width = (to - from) / points || 1;
  let bucket = -1;
  // Numbers rather than points: there may be millions of them. NaN stands for none.
  let [leastX, least, greatestX, greatest, lastX, last, gap] = Array<number>(7).fill(Number.NaN) as Seven;
  const put = (place: number, value: number | null) => {
    x.push(short(place));
    y.push(value === null ? null : short(value));
  };
  const flush = () => {
    if (!Number.isNaN(gap)) put(gap, null);
    if (lastOnly) {
      if (!Number.isNaN(lastX)) put(lastX, last);
    } else if (!Number.isNaN(leastX)) {
      const isLeastFirst = leastX <= greatestX;
      if (leastX !== greatestX) put(isLeastFirst ? leastX : greatestX, isLeastFirst ? least : greatest);
      put(isLeastFirst ? greatestX : leastX, isLeastFirst ? greatest : least);
    }
    leastX = greatestX = lastX = gap = Number.NaN;
  };
  return {
    add(place: number, value: number): void {
      const now = Math.floor((place - from) / width);
      if (now !== bucket) flush();
      bucket = now;
      if (!Number.isFinite(value)) {
        gap = place;
        return;
      }
      lastX = place;
      last = value;
      if (Number.isNaN(leastX) || value < least) {
        leastX = place;
        least = value;
      }
      if (Number.isNaN(greatestX) || value > greatest) {
        greatestX = place;
        greatest = value;
      }
    },
    gap(place: number): void {
      flush();
      put(place, null);
    },
    line(): ChartLine {
      flush();
      return { x, y };
    },
  };
}

type Seven = [number, number, number, number, number, number, number];
type Point = { x: number; y: number };

function lostOf({ series, kept, x }: Stretch, from: number, to: number, points: number): ChartLine[] {
  if (kept >= series.length) return [];
  const thin = thinner(from, to, points);
  // It begins where it leaves what is kept.
  for (let at = Math.max(0, kept - 1); at < series.length; at += 1) {
    const place = x(at);
    if (place >= from && place <= to) thin.add(place, series.values[at] as number);
  }
  const line = thin.line();
  return line.x.length > 0 ? [line] : [];
}

function percentiles(values: number[]): { low: number; high: number; share: number } | null {
  if (values.length < 2) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  const [low, high] = [at(0.05), at(0.95)];
  const inside = values.reduce((sum, value) => sum + (value >= low && value <= high ? 1 : 0), 0);
  return { low, high, share: inside / values.length };
}

/** Of what stands out against the mean before it, what stands out against all. */
function spikesOf(high: readonly Point[], { low, high: most }: { low: number; high: number }): Point[] {
  const limit = most + 3 * (most - low);
  const found = high.filter(({ y }) => most > low && y > limit);
  return found.slice(0, MOST_MARKED).map(({ x, y }) => ({ x: short(x), y: short(y) }));
}

function rounded({ x, step, y }: { x: number; step: number; y: number }) {
  return { x: short(x), step, y: short(y) };
}

/** Seven digits are what a float holds. */
function short(value: number): number {
  return Number(value.toPrecision(7));
}
