import { appendFile, cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readScalars } from '../../../sidecar/trainers/sdOutput/scalars.js';

const LOGS = fileURLToPath(new URL('../../fixtures/sd-scripts/full-run/logs', import.meta.url));
const RUN = '20261122012340/network_train';
const FILE = `${RUN}/events.out.tfevents.1795310633.vm.16098.0`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trackside-scalars-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a run of sd-scripts: one loss a step, one mean an epoch', async () => {
  const { points } = await readScalars(LOGS);
  const steps = (tag: string) => points.filter((point) => point.tag === tag).map(({ step }) => step);
  expect(steps('loss/current')).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  expect(steps('loss/average')).toHaveLength(24);
  expect(steps('loss/epoch_average')).toEqual([1, 2, 3]);
  expect(new Set(steps('lr/unet')).size).toBe(24);
  const first = points.find((point) => point.tag === 'loss/current');
  // The bar says avr_loss=1.03 there.
  expect(first?.value).toBeCloseTo(1.03, 2);
  expect(new Date((first?.wallTime ?? 0) * 1000).getUTCFullYear()).toBe(2026);
});

test('read while it grows, byte by byte, it gives every point once', async () => {
  const bytes = await readFile(join(LOGS, FILE));
  const all = await readScalars(LOGS);
  const path = join(folder, 'events.out.tfevents.1.host.2.0');
  await writeFile(path, '');
  const points = [];
  let offsets = {};
  for (let at = 0; at < bytes.length; at += 61) {
    await appendFile(path, bytes.subarray(at, at + 61));
    const read = await readScalars(folder, offsets);
    points.push(...read.points);
    offsets = read.offsets;
  }
  expect(points).toEqual(all.points);
  expect(offsets).toEqual({ [path]: bytes.length });
});

test('a record cut off by a kill is left out, and the next run has a file of its own', async () => {
  await cp(LOGS, folder, { recursive: true });
  await truncate(join(folder, FILE), 3000);
  const first = await readScalars(folder);
  expect(first.points.length).toBeGreaterThan(10);
  await mkdir(join(folder, '20261122020000/network_train'), { recursive: true });
  await cp(join(LOGS, FILE), join(folder, '20261122020000/network_train/events.out.tfevents.9.vm.1.0'));
  const second = await readScalars(folder, first.offsets);
  expect(second.points).toEqual((await readScalars(LOGS)).points);
});

test('damage ends a file, and nothing else', async () => {
  await writeFile(join(folder, 'events.out.tfevents.1.host.2.0'), Buffer.alloc(1_000_000, 0xff));
  expect((await readScalars(folder)).points).toEqual([]);
  expect(await readScalars(join(folder, 'nowhere'))).toEqual({ points: [], offsets: {} });
});
