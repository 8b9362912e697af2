import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { joinNeighbours } from '../../../sidecar/trainers/lossCurve.js';
import { readLossCurve } from '../../../sidecar/trainers/sdOutput/lossCurve.js';
import { readScalars } from '../../../sidecar/trainers/sdOutput/scalars.js';
import { addSteps, longTraining } from '../../bench/longTraining.js';

const RUN = fileURLToPath(
  new URL('../../fixtures/sd-scripts/full-run/logs/20261122012340/network_train', import.meta.url),
);
const FILE = 'events.out.tfevents.1795310633.vm.16098.0';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trackside-events-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function losses() {
  const { points } = await readScalars(RUN);
  return points.filter(({ tag }) => tag === 'loss/current').map(({ step, value }) => ({ step, value }));
}

test('a run that is still being written is read on, and every loss is there once', async () => {
  const bytes = await readFile(join(RUN, FILE));
  const path = join(folder, FILE);
  await writeFile(path, bytes.subarray(0, 3000));
  expect((await readLossCurve(folder)).groups.length).toBeLessThan((await losses()).length);
  await appendFile(path, bytes.subarray(3000));
  const { groups, first, last } = await readLossCurve(folder);
  expect(groups.map(({ least }) => least)).toEqual(await losses());
  expect([first?.step, last?.step]).toEqual([1, 24]);
});

test('two pages that ask at the same moment do not count a loss twice', async () => {
  await writeFile(join(folder, FILE), await readFile(join(RUN, FILE)));
  const [first, second] = await Promise.all([readLossCurve(folder), readLossCurve(folder)]);
  expect(first.groups).toHaveLength((await losses()).length);
  expect(second.groups).toHaveLength(first.groups.length);
});

test('a long training has a bounded curve, in which its minima, maxima and mean are kept', async () => {
  const session = longTraining(folder, 'long', 5000);
  const events = join(session, 'logs', '20260101000000', 'network_train');
  await readLossCurve(events);
  addSteps(session, 5001, 7000);
  const { groups, last } = await readLossCurve(events);
  const { points } = await readScalars(events);
  const values = points.filter(({ tag }) => tag === 'loss/current').map(({ value }) => value);
  const [all] = joinNeighbours(groups, groups.length);
  expect(groups.length).toBeLessThanOrEqual(512);
  expect([all?.count, last?.step]).toEqual([7000, 7000]);
  expect([all?.least.value, all?.greatest.value]).toEqual([Math.min(...values), Math.max(...values)]);
  expect(all?.sum).toBeCloseTo(values.reduce((sum, value) => sum + value));
});
