import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import type { AskedCharts } from '../sessions/products/chart.js';
import type { ChartCurve, ChartLine, ChartMark, Charts, ToldCurve } from '../sessions/products/chartFacts.js';
import type { Comparison } from '../sessions/versions/compare/facts.js';
import { sessionAddress } from './action.js';
import { cardView } from './banner.js';
import { count, duration, joined, loss, plural } from './formatting.js';
import type { PageModel } from './frame.js';

/** What of the charts is shown, as the address says. */
export type ShownCharts = AskedCharts & { log: boolean; clip: boolean; plan: boolean; with: string[] };

/** `colour`: one of eight, of the classes `other-0` to `other-7`. */
export type OtherCharts = Comparison['others'][number];

export type ChartsModel = PageModel & {
  session: SessionFacts;
  shown: ShownCharts;
  charts: DrawnCharts;
};

export type DrawnCharts = Charts & { others: OtherCharts[] };
/** The form above charts: what is shown of them. */
export type ShownView = ReturnType<typeof shownView>;

export type ChartsView = ReturnType<typeof chartsView>;
export type CurveView = ChartsView['curves'][number];

/** A picture without a script is 600 × 200. */
const [WIDTH, HEIGHT] = [600, 200];
const TABLE_ROWS = 20;
/** Colours of other sessions: the classes `other-0` to `other-7`. */
const COLOURS = 8;

export function chartsView(model: ChartsModel) {
  const { session, root, shown, charts } = model;
  const at = sessionAddress(root, session.name);
  const { lora, version, status } = cardView(session, root);
  return {
    at,
    lora,
    version,
    status,
    form: shownView(shown, charts, {
      address: 'charts',
      hidden: shown.with.length > 0 ? [['with', shown.with.join(',')]] : [],
      csv: csvAddress(at, shown),
    }),
    compare: `${root}compare?sessions=${[session.name, ...shown.with].map(encodeURIComponent).join(',')}`,
    curves: charts.curves.map((curve) => curveView(curve, shown, charts)),
    none: session.status === 'draft' ? 'Not started yet.' : 'No values yet. Trainers write them every minute or two.',
    hasLost: charts.curves.some(({ lost }) => lost.length > 0),
    marks: toldMarks(charts.marks)
      .filter(isTold)
      .map(({ label }) => label),
    ticks: TICKS.filter(({ kind }) => charts.marks.some((mark) => mark.kind === kind)),
    others: charts.others.map(({ lora, colour, ...other }) => ({ label: `${lora} ${versionName(other)}`, colour })),
  };
}

/** Marks with thin spaces in the steps that they name. */
export function toldMarks(marks: readonly ChartMark[]): ChartMark[] {
  const spaced = (label: string) => label.replace(/(?<=\bstep )\d{1,15}/g, (step) => count(Number(step)));
  return marks.map((mark) => ({ ...mark, label: spaced(mark.label) }));
}

/** The curves with what the page says of them, for its script. */
export function toldCurves(curves: readonly ChartCurve[], shown: ShownCharts): ToldCurve[] {
  return curves.map((curve) => ({ ...curve, notes: notesOf(curve, shown), told: toldOf(curve) }));
}

/** Short lines at the foot of a chart. */
const TICKS = [
  { kind: 'checkpoint', label: 'checkpoint' },
  { kind: 'sample', label: 'samples' },
] as const;

/** @param more where the form leads, what else it sends along, and where all points are as a table */
export function shownView(
  shown: ShownCharts,
  { range }: Charts,
  more: { address: string; hidden: [name: string, value: string][]; csv: string | null },
) {
  return {
    ...more,
    axes: AXES.map(({ value, label }) => ({ value, label, chosen: value === shown.axis })),
    smooth: String(shown.smooth),
    log: shown.log,
    clip: shown.clip,
    plan: shown.plan,
    hasPlan: range.plan !== null,
    zoomed: shown.from !== null || shown.to !== null,
    from: shown.from === null ? '' : String(shown.from),
    to: shown.to === null ? '' : String(shown.to),
    whole: `${more.address}${more.hidden.length > 0 ? `?${new URLSearchParams(more.hidden)}` : ''}`,
  };
}

/** Where all points of what is seen are as a table, of `shown.with`, too. `at` is the address of the session that leads. */
export function csvAddress(at: string, { axis, from, to, tags, with: others }: ShownCharts): string {
  const asked: [string, string][] = [
    ...others.map((name): [string, string] => ['with', name]),
    ...(tags ? [['tags', tags.join(',')] as [string, string]] : []),
    ['axis', axis],
    ...(from === null ? [] : [['from', String(from)] as [string, string]]),
    ...(to === null ? [] : [['to', String(to)] as [string, string]]),
  ];
  return `${at}/curves.csv?${new URLSearchParams(asked)}`;
}

const AXES = [
  { value: 'step', label: 'Steps' },
  { value: 'epoch', label: 'Epochs' },
  { value: 'wall', label: 'Time' },
  { value: 'process', label: 'Time of training' },
] as const;

/** The same for the same name, on every page and every day. */
export function colourOf(name: string): number {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % COLOURS;
}

export function curveView(curve: ChartCurve, shown: ShownCharts, charts: DrawnCharts) {
  const to = shown.plan && charts.range.plan !== null ? charts.range.plan : charts.range.to;
  const range = { from: shown.from ?? charts.range.from, to: shown.to ?? to };
  const others = charts.others.flatMap(({ colour, curves }) => {
    const same = curves.find(({ tag }) => tag === curve.tag);
    return same ? [{ line: same.smooth, look: `other other-${colour}` }] : [];
  });
  const lines = [
    ...curve.lost.map((line) => ({ line, look: 'lost' })),
    { line: curve.raw, look: 'raw' },
    { line: curve.smooth, look: 'smooth' },
    ...others,
  ];
  const scale = scaleOf(
    lines.map(({ line }) => line),
    shown,
    curve,
  );
  const x = (value: number) => place((value - range.from) / (range.to - range.from || 1), WIDTH);
  return {
    tag: curve.tag,
    id: `chart-${curve.tag.replace(/[^a-zA-Z0-9]/g, '-')}`,
    label: `${curve.tag}: ${sentenceOf(curve)}`,
    told: toldOf(curve),
    notes: notesOf(curve, shown),
    labels: [loss(scale.value(1)), loss(scale.value(0.5)), loss(scale.value(0))],
    ends: [axisValue(range.from, shown), axisValue(range.to, shown)],
    lines: lines.map(({ line, look }) => ({ look, path: pathOf(line, x, scale.place) })).filter(({ path }) => path),
    marks: charts.marks
      .filter((mark) => isTold(mark) && mark.x >= range.from && mark.x <= range.to)
      .map((mark) => ({ x: x(mark.x), label: mark.label })),
    rows: rowsOf(curve, shown),
  };
}

/** Those that stand in the legend, and in a picture without a script. */
function isTold({ kind }: ChartMark): boolean {
  return kind === 'attempt' || kind === 'alert';
}

function scaleOf(lines: readonly ChartLine[], { log, clip }: ShownCharts, curve: ChartCurve) {
  const values = lines.flatMap(({ y }) => y.filter((value) => value !== null && (!log || value > 0)) as number[]);
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const [from, to] =
    clip && curve.clip && curve.clip.high > curve.clip.low ? [curve.clip.low, curve.clip.high] : [low, high];
  const isLog = log && from > 0;
  const of = (value: number) => (isLog ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value);
  const [a, b] = [of(from), of(to)];
  const span = b - a || 1;
  return {
    place: (value: number) => place(1 - (of(value) - a) / span, HEIGHT),
    value: (share: number) => (isLog ? 10 ** (a + share * span) : a + share * span),
  };
}

/** Within the picture. */
function place(share: number, size: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * size * 10) / 10;
}

/** The path of a line, with a gap where a value is no number. */
function pathOf({ x, y }: ChartLine, placeX: (x: number) => number, placeY: (y: number) => number): string {
  let path = '';
  let pen = 'M';
  x.forEach((each, at) => {
    const value = y[at];
    if (value == null) {
      pen = 'M';
      return;
    }
    path += `${pen}${placeX(each)} ${placeY(value)}`;
    pen = 'L';
  });
  return path;
}

function sentenceOf({ count: points, smooth, best }: ChartCurve): string {
  const last = smooth.y.findLast((value) => value !== null);
  const words = [plural(points, 'value'), last == null ? '' : `now ${loss(last)}`];
  if (best) words.push(`least ${loss(best.y)} at step ${count(best.step)}`);
  return words.filter(Boolean).join(', ');
}

/** What stands below a chart until somebody points at it. */
function toldOf({ tag, count: points, best }: ChartCurve): string {
  const least = best && tag.includes('loss') ? `● least smoothed ${loss(best.y)} at step ${count(best.step)}` : '';
  return least || plural(points, 'value');
}

/** What the picture leaves out or a reader should not miss. */
function notesOf({ oddCount, odd, spikes, clip, lost }: ChartCurve, shown: ShownCharts): string {
  return joined(
    oddCount > 0 && `× ${plural(oddCount, 'value')} not a number, first at ${axisValue(odd[0] ?? 0, shown)}`,
    spikes.length > 0 && `○ ${plural(spikes.length, 'spike')}`,
    shown.clip && clip !== null && `clipped to the middle 90 %: ${plural(clip.outside, 'value')} outside`,
    lost.length > 0 && 'grey: trained again later',
  );
}

function axisValue(value: number, { axis }: ShownCharts): string {
  if (axis === 'wall' || axis === 'process') return duration(value);
  return axis === 'epoch' ? `epoch ${Math.round(value * 10) / 10}` : `step ${count(value)}`;
}

function rowsOf({ raw, smooth }: ChartCurve, shown: ShownCharts) {
  const every = Math.max(1, Math.ceil(smooth.x.length / TABLE_ROWS));
  return smooth.x.flatMap((x, at) => {
    if (at % every !== 0 && at !== smooth.x.length - 1) return [];
    const near = raw.x.findIndex((each) => each >= x);
    return [
      { x: axisValue(x, shown), value: loss(raw.y[near] ?? Number.NaN), smooth: loss(smooth.y[at] ?? Number.NaN) },
    ];
  });
}
