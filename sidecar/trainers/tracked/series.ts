import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ifUnreadable } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { Lru } from '../../files/lru.js';
import { readAt } from '../../files/readAt.js';
import { openRegular } from '../../files/regularFile.js';
import type { Dialect, MetricValue } from '../dialect.js';
import { addLoss, type LossCurve, newCurve } from '../lossCurve.js';
import { type Alert, addPoint, type Series as Columns, newSeries } from '../series.js';
import { linesOf, lossTag, METRICS_FILE, metricsOf, numberOf, type TrackedLine } from './lines.js';

const BLOCK = 1024 * 1024;

/** The values of a tag, with ascending steps: what a later line repeats is dropped. `runs` are indices of attempts. */
type Series = { steps: number[]; values: number[]; times: number[]; runs: number[] };
type Read = {
  inode: number;
  offset: number;
  rest: string;
  decoder: StringDecoder;
  /** When each attempt began, in seconds since 1970. */
  begun: number[];
  series: Map<string, Series>;
  /** Of each attempt, the first ones of very many. */
  alerts: Alert[][];
};

const MOST_ALERTS = 200;

/** The curves of the last sessions that were looked at; a file only grows, and only what is new is read. */
const known = new Lru<Promise<Read>>(8);

/** The metrics of `metrics.ndjson`: no step is there twice, whatever was trained again. */
export const trackedMetrics: Dialect['metrics'] = {
  async runs(folder) {
    const { begun, series } = await readAll(folder);
    const runs: MetricValue[][] = begun.map(() => []);
    for (const [tag, { steps, values, times, runs: of }] of series) {
      for (const [at, step] of steps.entries())
        runs[of[at] ?? 0]?.push({ tag, step, value: values[at] ?? 0, wallTime: times[at] ?? 0 });
    }
    for (const run of runs) run.sort((a, b) => a.wallTime - b.wallTime || a.step - b.step);
    return runs;
  },
  async losses(folder) {
    const { begun, series } = await readAll(folder);
    const loss = series.get(lossTag([...series.keys()]) ?? '');
    const curves = begun.map(() => newCurve());
    for (const [at, step] of loss?.steps.entries() ?? []) {
      const curve = curves[loss?.runs[at] ?? 0];
      const value = loss?.values[at] ?? Number.NaN;
      if (!curve || !Number.isFinite(value)) continue;
      curve.begunAt ??= loss?.times[at] ?? null;
      addLoss(curve, { step, value });
    }
    return curves as LossCurve[];
  },
  async series(folder) {
    const { begun, series, alerts } = await readAll(folder);
    const runs = begun.map((begunAt, run) => ({
      begunAt,
      curves: new Map<string, Columns>(),
      alerts: alerts[run] ?? [],
    }));
    for (const [tag, { steps, values, times, runs: of }] of series) {
      for (const [at, step] of steps.entries()) {
        const curves = runs[of[at] ?? 0]?.curves;
        const curve = curves?.get(tag) ?? newSeries();
        curves?.set(tag, curve);
        addPoint(curve, step, values[at] ?? Number.NaN, times[at] ?? 0);
      }
    }
    return runs;
  },
  countedBy: () => 'steps',
};

/** One read of a file at a time. */
function readAll(folder: string): Promise<Read> {
  const path = join(folder, METRICS_FILE);
  // silent: its own caller gets the error; this one begins anew.
  const before = known.get(path)?.catch(() => null) ?? Promise.resolve(null);
  const now = before.then((read) => readNew(path, read));
  known.set(path, now);
  return now;
}

const nothing = (): Read => ({
  inode: 0,
  offset: 0,
  rest: '',
  decoder: new StringDecoder('utf8'),
  begun: [],
  series: new Map(),
  alerts: [],
});

async function readNew(path: string, before: Read | null): Promise<Read> {
  return inFile(openRegular(path, 'refused').catch(ifUnreadable(null, 'trainers')), async (file) => {
    if (!file) return nothing();
    const stats = await file.stat();
    const read = before && before.inode === stats.ino && before.offset <= stats.size ? before : nothing();
    read.inode = stats.ino;
    for (;;) {
      const block = await readAt(file, read.offset, BLOCK);
      if (block.length === 0) return read;
      read.offset += block.length;
      const { lines, rest } = linesOf(read.rest + read.decoder.write(block));
      read.rest = rest;
      for (const line of lines) takeLine(read, line);
    }
  });
}

function takeLine(read: Read, line: TrackedLine): void {
  const time = numberOf(line.time) ?? 0;
  if (line.event === 'begin') {
    read.begun.push(time);
    for (const each of read.series.values()) dropFrom(each, numberOf(line.first_step) ?? 0);
    return;
  }
  const step = numberOf(line.step);
  if (line.event === 'alert') addAlert(read, { step, time, title: String(line.title ?? '').slice(0, 200) });
  if (typeof line.event === 'string' || step === null) return;
  if (read.begun.length === 0) read.begun.push(time);
  for (const [tag, value] of metricsOf(line)) {
    const series = read.series.get(tag) ?? { steps: [], values: [], times: [], runs: [] };
    read.series.set(tag, series);
    dropFrom(series, step);
    series.steps.push(step);
    series.values.push(value);
    series.times.push(time);
    series.runs.push(read.begun.length - 1);
  }
}

function addAlert({ begun, alerts }: Read, alert: Alert): void {
  const run = Math.max(0, begun.length - 1);
  const those = alerts[run] ?? [];
  alerts[run] = those;
  if (those.length < MOST_ALERTS) those.push(alert);
}

/** Steps ascend, so all of those are at the end. */
function dropFrom({ steps, values, times, runs }: Series, step: number): void {
  let end = steps.length;
  while (end > 0 && (steps[end - 1] ?? 0) >= step) end -= 1;
  for (const each of [steps, values, times, runs]) each.length = end;
}
