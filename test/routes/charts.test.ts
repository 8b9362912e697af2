import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readScalars } from '../../sidecar/trainers/sdOutput/scalars.js';
import { readSeries } from '../../sidecar/trainers/sdOutput/series.js';
import { TRACKED } from '../../sidecar/trainers/tracked/trainer.js';
import { record } from '../bench/longTraining.js';
import { appInProcess, type InProcess } from '../inProcess.js';

const LOGS = fileURLToPath(new URL('../fixtures/sd-scripts/full-run/logs', import.meta.url));
/** `record` counts its seconds from here. */
const BEGUN = Date.UTC(2026, 0, 1);

let at: InProcess;
beforeAll(() => {
  at = appInProcess();
});
afterAll(() => at.leave());

type Values = [tag: string, step: number, value: number][];

/** A stopped session with a start for each list of values; the second begins `offset` steps in, at second `later`. */
function trained(name: string, starts: Values[], { offset = 0, later = 1000, epoch = 1 } = {}): string {
  const folder = join(at.settings.outputs, name);
  const iso = (seconds: number) => new Date(BEGUN + seconds * 1000).toISOString();
  starts.forEach((values, i) => {
    const run = join(folder, 'logs', `2026010${i + 1}000000`, 'network_train');
    mkdirSync(run, { recursive: true });
    // A value's time is its step in seconds, in the second start later.
    const records = values.map(([tag, step, value]) => inTime(record(tag, step, value), step + i * later));
    writeFileSync(join(run, 'events.out.tfevents.1.host.1.0'), Buffer.concat(records));
  });
  const told = { outcome: 'stopped', argv: [], log_start: 0, log_end: 0, stop_requested_at: iso(1) };
  const attempts = starts.map((_, i) => ({
    ...told,
    id: `a${i}`,
    number: i + 1,
    kind: i ? 'resume' : 'start',
    started_at: iso(i * later),
    ended_at: iso(i * later + later - 1),
    first_epoch: i ? epoch : 1,
    step_offset: i ? offset : 0,
  }));
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: name, status: 'stopped', attempts }));
  return join(folder, 'logs', `2026010${starts.length}000000`, 'network_train', 'events.out.tfevents.1.host.1.0');
}

/** The time stands behind the record's head and the first field's number. */
function inTime(bytes: Buffer, seconds: number): Buffer {
  bytes.writeDoubleLE(BEGUN / 1000 + seconds, 13);
  return bytes;
}

const losses = (from: number, to: number, value: (step: number) => number): Values =>
  Array.from({ length: to - from + 1 }, (_, i) => ['loss/current', from + i, value(from + i)]);

const charts = async (path: string) =>
  (await at.ask(path, { headers: { Accept: 'application/json' } })).json() as Promise<{
    curves: import('../../sidecar/sessions/products/chartFacts.js').ChartCurve[];
    range: { from: number; to: number; plan: number | null };
    marks: { x: number; kind: string; label: string }[];
    others: { name: string; curves: { tag: string }[] }[];
  }>;

test('read as columns, a run has the very values that are read one by one, also while it grows', async () => {
  const { points } = await readScalars(LOGS);
  const { curves, begunAt } = await readSeries(join(LOGS, '20261122012340'));
  expect(begunAt).toBe(points[0]?.wallTime);
  for (const tag of new Set(points.map((point) => point.tag))) {
    const series = curves.get(tag);
    const own = points.filter((point) => point.tag === tag);
    expect([...(series?.values ?? [])].slice(0, series?.length)).toEqual(own.map(({ value }) => value));
    expect([...(series?.steps ?? [])].slice(0, series?.length)).toEqual(own.map(({ step }) => step));
    expect([...(series?.times ?? [])].slice(0, series?.length)).toEqual(own.map(({ wallTime }) => wallTime));
  }
  const path = trained('grows', [losses(1, 100, () => 1)]);
  expect((await charts('/sessions/grows/charts')).curves[0]?.count).toBe(100);
  appendFileSync(path, record('loss/current', 101, 2).subarray(0, 20));
  expect((await charts('/sessions/grows/charts')).curves[0]?.count).toBe(100);
  appendFileSync(path, record('loss/current', 101, 2).subarray(20));
  expect((await charts('/sessions/grows/charts')).curves[0]).toMatchObject({
    count: 101,
    raw: { x: expect.arrayContaining([101]) },
  });
});

test('of very many values the least and greatest are seen, a spike and what is no number are told, and a zoom shows all', async () => {
  const value = (step: number) => (step === 7777 ? 50 : step === 12_000 ? Number.NaN : 1 + (step % 10) / 100);
  trained('many', [losses(1, 20_000, value)]);
  const { curves } = await charts('/sessions/many/charts?points=100&smooth=0.5');
  const [curve] = curves;
  expect(curve?.raw.x.length).toBeLessThan(220);
  expect(curve?.raw.y[curve.raw.x.indexOf(7777)]).toBe(50);
  expect(curve).toMatchObject({ count: 20_000, odd: [12_000], oddCount: 1, spikes: [{ x: 7777, y: 50 }] });
  expect(curve?.raw.y).toContain(null);
  expect(curve?.clip?.low).toBeCloseTo(1, 5);
  expect(curve?.clip?.high).toBeCloseTo(1.09, 5);
  const near = (await charts('/sessions/many/charts?points=100&from=7770&to=7790')).curves[0];
  expect(near?.raw.x).toEqual(Array.from({ length: 21 }, (_, i) => 7770 + i));
});

test('the smoothed curve is TensorBoard’s, from the first value on and unmoved by a zoom', async () => {
  trained('smooth', [losses(1, 50, (step) => (step === 3 ? Number.NaN : step % 2 ? 1 : 3))]);
  // line_chart_v2/data_transformer.ts, by hand.
  const expected: (number | null)[] = [];
  for (let step = 1, last = 0, count = 0; step <= 50; step += 1) {
    if (step === 3) {
      expected.push(null);
      continue;
    }
    count += 1;
    last = last * 0.6 + 0.4 * (step % 2 ? 1 : 3);
    expected.push(Number((last / (1 - 0.6 ** count)).toPrecision(7)));
  }
  const all = (await charts('/sessions/smooth/charts?smooth=0.6')).curves[0];
  expect(all?.smooth.y).toEqual(expected);
  const part = (await charts('/sessions/smooth/charts?smooth=0.6&from=40&to=50')).curves[0];
  expect(part?.smooth.y).toEqual(expected.slice(39));
  expect((await charts('/sessions/smooth/charts?smooth=0')).curves[0]?.smooth.y).toEqual(
    expect.arrayContaining([1, 3]),
  );
});

test('steps that were trained again are told as such, by every axis, with a numbered mark and its reason', async () => {
  trained('resumed', [losses(1, 60, () => 1), losses(1, 60, () => 2)], { offset: 40, later: 1000 });
  const { curves, marks, range } = await charts('/sessions/resumed/charts');
  expect(curves[0]).toMatchObject({ count: 100, lost: [{ x: Array.from({ length: 21 }, (_, i) => 40 + i) }] });
  expect(range).toMatchObject({ from: 1, to: 100 });
  expect(marks).toEqual([
    { x: 40, kind: 'attempt', label: expect.stringContaining('Attempt 2 (resume) from step 40') },
  ]);
  expect((await charts('/sessions/resumed/charts?axis=wall')).range).toMatchObject({ from: 0, to: 1059 });
  // Nothing was trained between them: a gap on the clock.
  const { raw, odd } = (await charts('/sessions/resumed/charts?axis=wall')).curves[0] ?? {};
  expect(raw?.y.filter((value) => value === null).length).toBe(2);
  expect(odd).toEqual([]);
  expect((await charts('/sessions/resumed/charts?axis=process')).range).toMatchObject({ from: 0, to: 118 });
  const csv = await (await at.ask('/sessions/resumed/curves.csv?from=60&to=60')).text();
  expect(csv.trim().split('\n')).toEqual([
    'curve,step,value,time,attempt,trained again later',
    'loss/current,60,1,2026-01-01T00:01:00.000Z,1,1',
    'loss/current,60,2,2026-01-01T00:17:00.000Z,2,0',
  ]);
  // The same part as is seen, on any axis, and of several sessions.
  trained('other', [losses(1, 3, () => 3)]);
  const seen = await at.ask('/sessions/resumed/curves.csv?axis=process&from=117&to=200&with=other&with=gone');
  expect((await seen.text()).trim().split('\n')).toEqual([
    'session,curve,step,value,time,attempt,trained again later',
    'resumed,loss/current,99,2,2026-01-01T00:17:39.000Z,2,0',
    'resumed,loss/current,100,2,2026-01-01T00:17:40.000Z,2,0',
  ]);
});

test('without a script there is a picture and a table of each curve, and another session beside it in its own colour', async () => {
  trained('left', [losses(1, 30, (step) => 1 / step)]);
  trained('right', [losses(1, 30, (step) => 2 / step)]);
  const html = await (
    await at.ask('/sessions/left/charts?with=right&log=1&clip=1', { headers: { Accept: 'text/html' } })
  ).text();
  expect(html).toMatch(/<path class="smooth" d="M0 /);
  expect(html).toMatch(/<path class="other other-\d" d="M/);
  expect(html).toContain('right V1');
  expect(html).toMatch(/<td>step 30<\/td><td class="n">0.033<\/td>/);
  expect(html).toContain('clipped to the middle 90 %');
  const both = await charts('/sessions/left/charts?with=right,gone');
  expect(both.others.map(({ name, curves }) => [name, curves.length])).toEqual([['right', 1]]);
  await at.draft({ lora_name: 'fresh' });
  const draft = await (await at.ask('/sessions/fresh/charts', { headers: { Accept: 'text/html' } })).text();
  expect(draft).toContain('Not started yet.');
});

test('the page of charts loads 55 kB of scripts and styles at most, compressed', async () => {
  const html = await (await at.ask('/sessions/left/charts', { headers: { Accept: 'text/html' } })).text();
  const waiting = [...html.matchAll(/(?:src|href)="[./]*(assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) =>
    String(path),
  );
  const loaded = new Map<string, number>();
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    const text = await (await at.ask(`/${path}`)).text();
    loaded.set(path, gzipSync(text, { level: 9 }).length);
    waiting.push(...[...text.matchAll(/^import [^'\n]*'\.\/([^']+)'/gm)].map(([, file]) => `assets/${file}`));
  }
  expect([...loaded.keys()].some((path) => path.includes('uplot'))).toBe(true);
  const sum = [...loaded.values()].reduce((bytes, each) => bytes + each, 0);
  console.log(`The page of charts loads ${sum} bytes in ${loaded.size} files.`);
  expect(sum).toBeLessThanOrEqual(55_000);
});

test('with gradient accumulation, batches of a step that was trained again are told once', async () => {
  const at8: Values = [
    ['loss/current', 7, 7],
    ['loss/current', 7, 7.3],
    ['loss/current', 8, 8],
    // The first batches of step 9, which is never whole here.
    ['loss/current', 8, 8.3],
    ['loss/current', 8, 8.6],
  ];
  const nothingWhole: Values = [['loss/current', 8, 8.3]];
  const on: Values = [
    ['loss/current', 8, 8.3],
    ['loss/current', 8, 8.6],
    ['loss/current', 9, 9],
  ];
  trained('together', [at8, nothingWhole, on].map(stepsFromOwnStart), { offset: 8 });
  const points = await (await at.ask('/sessions/together/metrics')).json();
  const kept = (points as { value: number }[]).map(({ value }) => Math.round(value * 10) / 10);
  expect(kept).toEqual([7, 7.3, 8, 8.3, 8.6, 9]);
  const { curves } = await charts('/sessions/together/charts');
  expect(curves[0]?.count).toBe(6);
});

/** Later starts count from 0 again. */
function stepsFromOwnStart(values: Values, start: number): Values {
  return values.map(([tag, step, value]) => [tag, start ? step - 8 : step, value]);
}

test('what a script called attention to is marked where it happened, by steps and by time', async () => {
  const folder = join(at.settings.outputs, 'alerting');
  mkdirSync(folder, { recursive: true });
  const record = { lora_name: 'alerting', status: 'stopped', trainer: TRACKED, attempts: [] };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  const lines = [
    { event: 'begin', time: 1000, first_step: 0 },
    { step: 1, time: 1001, loss: 0.5 },
    { step: 2, time: 1002, loss: 0.25 },
    { event: 'alert', time: 1003, step: 2, title: 'Loss exploded', text: '', level: 'error' },
    { step: 3, time: 1004, loss: 9 },
  ];
  writeFileSync(join(folder, 'metrics.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const mark = { kind: 'alert', label: 'Alert at step 2: Loss exploded' };
  expect((await charts('/sessions/alerting/charts')).marks).toContainEqual({ ...mark, x: 2 });
  expect((await charts('/sessions/alerting/charts?axis=wall')).marks).toContainEqual({ ...mark, x: 3 });
  const page = await (await at.ask('/sessions/alerting/charts', { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('<li class="mark">Alert at step 2: Loss exploded</li>');
});
