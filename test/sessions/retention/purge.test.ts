import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../sidecar/app.js';
import type { Purged, PurgePlan, TrashFacts } from '../../../sidecar/sessions/retention/facts.js';
import { isDue, watchRetention } from '../../../sidecar/sessions/watchers/retention.js';
import { readSettings } from '../../../sidecar/settings.js';
import { createTrackside, type Trackside } from '../../../sidecar/trackside.js';
import { manySessions, trainModel } from '../../bench/manySessions.js';
import { liveAMonth } from '../../faults/month.js';
import { exampleDataset, makeTestSidecars, type TestSidecars } from '../../sidecar.js';

const PATIENCE = 240_000;

let place: TestSidecars;
let model: string;
let outputs: string;
let trackside: Trackside;
let app: Hono;
beforeAll(async () => {
  place = makeTestSidecars();
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  model = await trainModel(place);
  outputs = join(place.folder, 'many');
  mkdirSync(outputs);
  // Of twenty, the last six can be resumed or are drafts.
  manySessions(outputs, model, 20);
  trackside = createTrackside(
    readSettings(
      { login: false },
      { TRACKSIDE_OUTPUTS: outputs, TRACKSIDE_DATASETS: place.datasets, TRACKSIDE_PRIVATE: join(place.folder, 'own') },
    ),
  );
  await trackside.outputs.open();
  app = createApp(trackside);
}, PATIENCE);
afterAll(async () => {
  await trackside.outputs.close();
  await place.leave();
});

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { Host: 'localhost', Accept: 'application/json', 'Content-Type': 'application/json' };
  const answer = await app.request(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return (await answer.json()) as T;
}

const brief = ({ items }: { items: { path: string; files: string[]; bytes: number; reason: string }[] }) =>
  items.map(({ path, files, bytes, reason }) => ({ path, files, bytes, reason }));
const plan = (query: string) => ask<PurgePlan>('GET', `/purge?${query}`);
/** The names of all files of a session, with what is in the small ones. */
const inside = (name: string) => readdirSync(join(outputs, name), { recursive: true }).map(String).sort();

describe('a cleanup', () => {
  test('of one session does exactly what it said, keeps the newest state and all weights, and is undone', async () => {
    const before = inside('lora-00000');
    const said = await plan('session=lora-00000');
    expect(said.items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['state', 'log']));
    expect(said.bytes).toBeGreaterThan(0);
    const done = await ask<Purged>('POST', '/purge', { session: 'lora-00000' });
    expect(brief(done)).toEqual(brief(said));
    expect(done.skipped).toEqual([]);
    expect(inside('lora-00000').filter((path) => /^[^/]+-state$/.test(path))).toEqual(['lora-00000-state']);
    expect(inside('lora-00000').filter((path) => path.endsWith('.safetensors')).length).toBe(
      before.filter((path) => path.endsWith('.safetensors')).length - 1,
    );
    expect((await plan('session=lora-00000')).items).toEqual([]);
    const [entry] = await ask<TrashFacts[]>('GET', '/purge/trash');
    expect(entry).toMatchObject({ entry: done.entry, bytes: done.bytes });
    expect(entry?.paths.sort()).toEqual(
      done.items
        .flatMap(({ path, files }) => (files.length ? files.map((file) => join(path, file)) : [path]))
        .map((path) => path.slice(outputs.length + 1))
        .sort(),
    );
    await ask('POST', `/purge/trash/${done.entry}`);
    expect(inside('lora-00000')).toEqual(before);
    expect(await ask('GET', '/purge/trash')).toEqual([]);
    expect(await ask('POST', `/purge/trash/${done.entry}`)).toMatchObject({ error: { code: 'not_in_trash' } });
  });

  test('touches nothing that can be resumed, was not started, is pinned or is too young', async () => {
    await ask('PATCH', '/sessions/lora-00001', { pinned: true });
    const all = await plan('days=0');
    const touched = new Set(all.items.map(({ of }) => of));
    for (const kept of ['lora-00001', 'lora-00014', 'lora-00017', 'lora-00019'])
      expect([...touched]).not.toContain(kept);
    expect(all.kept).toEqual(
      expect.arrayContaining([
        { session: 'lora-00001', reason: 'It is pinned.' },
        { session: 'lora-00014', reason: 'It can be resumed.' },
      ]),
    );
    expect((await plan('days=36500')).items.filter(({ kind }) => kind !== 'cache')).toEqual([]);
    expect(await plan('days=-1')).toMatchObject({ error: { code: 'bad_purge', field: 'days' } });
    expect(all.items.some(({ path }) => path.endsWith('.safetensors'))).toBe(false);
  });

  test('follows no link: what one leads to stays, whatever its name', async () => {
    const outside = join(place.folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'model.safetensors'), 'mine');
    const state = join(outputs, 'lora-00002', 'lora-00002-000002-state');
    rmSync(state, { recursive: true });
    symlinkSync(outside, state);
    rmSync(join(outputs, 'lora-00002', 'sample'), { recursive: true });
    symlinkSync(outside, join(outputs, 'lora-00002', 'sample'));
    await ask('POST', '/purge', { session: 'lora-00002' });
    expect(readFileSync(join(outside, 'model.safetensors'), 'utf8')).toBe('mine');
    // A trash that leads out takes nothing.
    rmSync(join(outputs, '.cleaned'), { recursive: true, force: true });
    symlinkSync(outside, join(outputs, '.cleaned'));
    const before = inside('lora-00003');
    expect(await ask('POST', '/purge', { session: 'lora-00003' })).toMatchObject({ items: [] });
    expect([inside('lora-00003'), readdirSync(outside)]).toEqual([before, ['model.safetensors']]);
    rmSync(join(outputs, '.cleaned'));
  });

  test('of all does what the dry run said, to the byte', async () => {
    const said = await plan('days=0');
    const done = await ask<Purged>('POST', '/purge', { days: 0 });
    expect(brief(done)).toEqual(expect.arrayContaining(brief(said)));
    expect([done.items.length, done.bytes, done.skipped]).toEqual([said.items.length, said.bytes, []]);
    for (let index = 0; index < 14; index += 1) {
      const name = `lora-${String(index).padStart(5, '0')}`;
      expect(existsSync(join(outputs, name, `${name}.safetensors`)), name).toBe(true);
    }
  });
});

describe('a disk that is nearly full', () => {
  const notice = () => trackside.notices.list().find(({ about }) => about === 'nearly full disk')?.message ?? null;
  /** The watcher, by a clock and a disk of its own. */
  const watch = (disk: { free_bytes: number }) =>
    watchRetention(trackside, { now: () => new Date(), disk: async () => ({ ...disk, total_bytes: 100 }) });

  test('empties the trash though the file that remembers the last cleanup is broken or can’t be written', async () => {
    const night = join(outputs, '.trackside-purge.json');
    const entries = () => readdirSync(join(outputs, '.cleaned'));
    expect(entries()).not.toEqual([]);
    writeFileSync(night, '{"last_ni');
    await watch({ free_bytes: 1 }).look();
    expect(entries()).toEqual([]);
    expect(notice()).toMatch(/^The disk is nearly full\. /);
    await watch({ free_bytes: 99 }).look();
    expect(notice()).toBeNull();
    // No file takes the place of a folder, as none is written on a full disk.
    rmSync(night);
    mkdirSync(night);
    await watch({ free_bytes: 1 }).look();
    expect(notice()).not.toBeNull();
    rmSync(night, { recursive: true });
  });

  test('is told again when it fills up soon after it had space', async () => {
    const disk = { free_bytes: 1 };
    const watcher = watch(disk);
    for (const [free, told] of [
      [1, true],
      [99, false],
      [1, true],
      [99, false],
    ] as const) {
      disk.free_bytes = free;
      await watcher.look();
      expect(notice() !== null, `${free} free`).toBe(told);
    }
  });
});

test(
  'a month on a disk that fills: all weights stay, what can be resumed can, and each removal is in the record',
  async () => {
    // With 300 sessions it is among the faults: month.fault.ts.
    const { fullest, limit } = await liveAMonth(place, model, 1);
    expect(fullest).toBeLessThan(limit);
  },
  PATIENCE,
);

test.each([
  ['the night before', '2026-11-22T03:10', '2026-11-23T03:05', true],
  ['this night already', '2026-11-23T03:01', '2026-11-23T12:00', false],
  ['before the hour', '2026-11-22T12:00', '2026-11-23T02:59', false],
  ['nights ago, the pod slept', '2026-11-10T03:00', '2026-11-23T01:00', true],
])('cleaned up %s: due is %s', (_, last, now, expected) => {
  expect(isDue(new Date(last), new Date(now), 3)).toBe(expected);
});
