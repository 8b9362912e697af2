import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountForRest, followAttempt } from '../../sidecar/telemetry/follow.js';
import { readArrivals } from '../../sidecar/telemetry/log/arrivals.js';
import { beginProgress, readProgress } from '../../sidecar/telemetry/progress.js';
import { defaultDialect } from '../../sidecar/trainers/dialects.js';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-follow-'));
  log = join(folder, 'training.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const begun = () =>
  beginProgress({ id: 'a', step: 0, stepOffset: 0, epoch: 0, epochs: 4, before: null, now: new Date() });
const { console: reader, samples: samplesOf } = defaultDialect;
const first = { stepOffset: 0, firstEpoch: 1 };
const followed = () => ({ folder, console: reader, beginning: first, logStart: 0, progress: begun() });
const bar = (step: number) => `\rsteps:  10%|█ | ${step}/40 [00:01<00:09,  2.00it/s, avr_loss=0.5]`;

test('the log of an attempt that has ended is accounted for once: looking again writes nothing', async () => {
  writeFileSync(log, bar(1) + bar(2));
  const progress = await accountForRest(followed());
  expect(progress.step).toBe(2);
  const written = statSync(join(folder, 'progress.json')).ino;
  expect(await accountForRest({ ...followed(), progress })).toEqual(progress);
  expect(statSync(join(folder, 'progress.json')).ino).toBe(written);
  expect(readdirSync(folder).sort()).toEqual(['progress.json', 'training.log']);
});

test('a log that somebody empties while it trains: the steps after it are seen', async () => {
  writeFileSync(log, bar(1).repeat(1000) + bar(7));
  const follower = followAttempt({ ...followed(), onProgress() {}, onText() {} });
  await follower.catchUp();
  expect(follower.progress().step).toBe(7);
  truncateSync(log, 0);
  await follower.catchUp();
  appendFileSync(log, bar(8));
  await follower.catchUp();
  expect(follower.progress().step).toBe(8);
  await follower.close();
});

test('each line tells when it arrived, after a restart too, and none that nobody saw tells a time', async () => {
  const follow = (begunAt?: number) =>
    followAttempt({ ...followed(), ...(begunAt ? { begunAt } : {}), onProgress() {}, onText() {} });
  const write = async (line: string, follower?: ReturnType<typeof follow>) => {
    appendFileSync(log, `${line}\n`);
    await follower?.catchUp();
    return statSync(log).size - 1;
  };
  const begunAt = Date.now();
  const first = follow(begunAt);
  const seen = await write('loading', first);
  appendFileSync(log, 'half');
  await first.catchUp();
  const half = await write(' and whole', first);
  await first.close();
  const unseen = await write('nobody looks');
  const second = follow();
  await second.catchUp();
  const later = await write('somebody looks', second);
  await second.close();
  const arrived = await readArrivals(log);
  for (const end of [seen, half, later]) {
    const at = Date.parse(arrived(end) ?? 'never');
    expect(at).toBeGreaterThan(begunAt - 1000);
    expect(at).toBeLessThanOrEqual(Date.now());
  }
  expect(arrived(unseen)).toBeNull();
  expect(arrived(statSync(log).size)).toBeNull();
});

test('the time that a picture took is measured, and the next attempt knows it', async () => {
  const argv = ['--sample_every_n_steps=2', '--output_name=cat'];
  const samplings = samplesOf.plan?.(argv, 'a cat --s 8\n# none\na dog\n') ?? null;
  expect(samplings).toEqual({
    ...{ every: 'steps', distance: 2, pictures: 2 },
    ...{ drawnPixels: 2 * 38 * 512 * 512, asSteps: (2 * 38) / 3 },
  });
  writeFileSync(log, bar(1));
  const follower = followAttempt({ ...followed(), samplings, onProgress() {}, onText() {} });
  await follower.catchUp();
  appendFileSync(log, `${bar(2)}\ngenerating sample images at step: 2\n`);
  await follower.catchUp();
  const begunAt = performance.now();
  await new Promise((drawn) => setTimeout(drawn, 100));
  const least = (performance.now() - begunAt) / 1000;
  appendFileSync(log, bar(3));
  await follower.catchUp();
  await follower.close();
  const before = follower.progress();
  expect(before.seconds_per_picture).toBeGreaterThanOrEqual(least / 2);
  const next = beginProgress({ id: 'b', step: 0, stepOffset: 0, epoch: 0, epochs: 4, before, now: new Date() });
  expect(next.seconds_per_picture).toBe(before.seconds_per_picture);
});

test('pictures that were added since the last attempt: what was trained keeps its number, and the rest is as long as an epoch is now', async () => {
  const told =
    '  num batches per epoch / 1epoch: 12\n  gradient accumulation steps = 1\n  total optimization steps: 48\n';
  writeFileSync(log, `${told}${bar(3)}`);
  const progress = await accountForRest({ ...followed(), beginning: { stepOffset: 20, firstEpoch: 3 } });
  expect(progress).toMatchObject({ step: 23, total_steps: 44, steps_per_epoch: 12 });
});

test('the step that a resume would go on from is the last whole epoch of the newest state, however much text comes at once', async () => {
  const told =
    '  num batches per epoch / 1epoch: 10\n  gradient accumulation steps = 1\n  total optimization steps: 40\n';
  writeFileSync(log, `${told}${bar(3)}`);
  expect(await accountForRest(followed())).toMatchObject({ step: 3, kept_step: 0 });
  const follower = followAttempt({ ...followed(), onProgress() {}, onText() {} });
  const state =
    '\nSaving current state to out/cat-000002-state\nRandom states saved in out/cat-000002-state/random_states_0.pkl\n';
  appendFileSync(log, `${bar(20)}${state}${bar(35)}`);
  await follower.catchUp();
  expect(follower.progress()).toMatchObject({ step: 35, kept_step: 20 });
  await follower.close();
});

test('progress.json of an earlier Trackside is read on from, also in the middle of a line', async () => {
  const half = bar(3).slice(0, 30);
  writeFileSync(log, half);
  // As it kept what the log had said so far, with sd-scripts' own words beside the facts.
  const console = { phase: 'training', step: 2, total: 40, batchesPerEpoch: 10, accumulation: 1, carry: half };
  const log_position = `1:${Buffer.byteLength(half)}`;
  const { dialect: _, begun: __, ...old } = { ...begun(), step: 2, log_position, console };
  writeFileSync(join(folder, 'progress.json'), JSON.stringify(old));
  const progress = readProgress(folder);
  expect(progress).toMatchObject({ begun: true, step: 2 });
  appendFileSync(log, bar(3).slice(30));
  const now = await accountForRest({ ...followed(), progress: progress ?? begun() });
  expect(now).toMatchObject({ step: 3, steps_per_epoch: 10 });
  expect(JSON.parse(readFileSync(join(folder, 'progress.json'), 'utf8'))).not.toHaveProperty('console');
});
