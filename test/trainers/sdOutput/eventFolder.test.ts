import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEventFolder } from '../../../sidecar/trainers/sdOutput/eventFolder.js';
import { readScalars } from '../../../sidecar/trainers/sdOutput/scalars.js';

const RUN = fileURLToPath(
  new URL('../../fixtures/sd-scripts/full-run/logs/20261122012340/network_train', import.meta.url),
);
const FILE = 'events.out.tfevents.1795310633.vm.16098.0';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trackside-events-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a run that is still being written is read on, and every point is there once', async () => {
  const bytes = await readFile(join(RUN, FILE));
  const { points } = await readScalars(RUN);
  const path = join(folder, FILE);
  await writeFile(path, bytes.subarray(0, 3000));
  expect((await readEventFolder(folder)).steps.length).toBeLessThan(points.length);
  await appendFile(path, bytes.subarray(3000));
  const { tags, steps, values, wallTimes } = await readEventFolder(folder);
  expect(tags.map((tag, at) => ({ tag, step: steps[at], value: values[at], wallTime: wallTimes[at] }))).toEqual(points);
});

test('two pages that ask at the same moment do not count a point twice', async () => {
  await writeFile(join(folder, FILE), await readFile(join(RUN, FILE)));
  const [first, second] = await Promise.all([readEventFolder(folder), readEventFolder(folder)]);
  expect(first.steps).toHaveLength((await readScalars(RUN)).points.length);
  expect(second.steps).toHaveLength(first.steps.length);
});
