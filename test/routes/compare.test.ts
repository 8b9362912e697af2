import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Comparison } from '../../sidecar/sessions/versions/compare/facts.js';
import { addCheckpoint, record } from '../bench/longTraining.js';
import { appInProcess, type InProcess } from '../inProcess.js';
import { exampleDataset } from '../sidecar.js';

const PNG = readFileSync(join(exampleDataset, '01-morning.png'));
const BEGUN = Date.UTC(2026, 0, 1);
const iso = (seconds: number) => new Date(BEGUN + seconds * 1000).toISOString();

let at: InProcess;
beforeAll(async () => {
  at = appInProcess();
  trained('cat', { learning_rate: '8e-4' }, { loss: (step) => 1 / step, seconds: 3600, samples: [10, 20] });
  trained(
    'cat-v2',
    { learning_rate: '4e-4', arguments: { network_alpha: 2 } },
    { loss: (step) => 2 / step, samples: [20] },
  );
  trained('dog', { dataset: { path: '/data/dogs', images: 9, captions: 0, repeats: 1, fingerprint: 'b' } }, {});
  // Nobody scans the folder here: a session is known once it was asked for.
  for (const name of ['cat', 'cat-v2', 'dog']) await at.ask(`/sessions/${name}`);
});
afterAll(() => at.leave());

type Made = { loss?: (step: number) => number; seconds?: number; samples?: number[] };

/** A stopped session of 30 steps; samples of a prompt with seed 7 at these steps. */
function trained(name: string, own: object, { loss = () => 0.5, seconds = 60, samples = [] }: Made): void {
  const folder = join(at.settings.outputs, name);
  const run = join(folder, 'logs', '20260101000000', 'network_train');
  mkdirSync(run, { recursive: true });
  const steps = Array.from({ length: 30 }, (_, i) => i + 1);
  writeFileSync(
    join(run, 'events.out.tfevents.1.host.1.0'),
    Buffer.concat(steps.flatMap((step) => [record('loss/current', step, loss(step)), record('lr/unet', step, 1)])),
  );
  const attempt = { id: 'a', number: 1, kind: 'start', outcome: 'stopped', argv: [], log_start: 0, log_end: 0 };
  const state = {
    ...{ lora_name: name.replace(/-v\d+$/, ''), version: Number(/\d+$/.exec(name)?.[0] ?? 1), status: 'stopped' },
    ...{ trainer: 'practice', seed: 42, learning_rate: '0.0008', sample_prompts: 'a cat --d 7' },
    dataset: { path: '/data/cats', images: 4, captions: 4, repeats: 1, fingerprint: 'a' },
    attempts: [{ ...attempt, started_at: iso(0), ended_at: iso(seconds), stop_requested_at: iso(1) }],
    ...own,
  };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(state));
  mkdirSync(join(folder, 'sample'));
  for (const step of samples) {
    const path = join(folder, 'sample', `${name}_${String(step).padStart(6, '0')}_00_20260101000010_7.png`);
    writeFileSync(path, PNG);
    utimesSync(path, BEGUN / 1000 + 10, BEGUN / 1000 + 10);
  }
  addCheckpoint(folder, name, 1);
}

const compare = async (query: string): Promise<Comparison> =>
  (await at.ask(`/compare?${query}`, { headers: { Accept: 'application/json' } })).json() as Promise<Comparison>;
const page = async (query: string) => (await at.ask(`/compare?${query}`, { headers: { Accept: 'text/html' } })).text();

test('two learning rates beside each other: what differs comes first, however a number is written', async () => {
  const found = await compare('sessions=cat,cat-v2&price=2');
  const differing = found.settings.filter(({ differs }) => differs);
  expect(found.settings.slice(0, differing.length)).toEqual(differing);
  expect(differing).toEqual([
    { name: 'learning_rate', values: ['8e-4', '4e-4'], differs: true },
    { name: 'arguments.network_alpha', values: [null, 2], differs: true },
  ]);
  expect(found.settings).toContainEqual({ name: 'seed', values: [42, 42], differs: false });
  expect(found.sessions[0]).toMatchObject({ name: 'cat', version: 1, duration_seconds: 3600, cost: 2, step: null });
  expect(found.sessions[0]?.checkpoint_bytes).toBeGreaterThan(0);
  expect(await page('sessions=cat,dog')).not.toMatch(/differs from[^.]*Learning rate/);
  const html = await page('sessions=cat,cat-v2');
  expect(html).toContain('cat V2 differs from cat V1 in 2 settings: Learning rate 8e-4 → 4e-4, --network_alpha – → 2.');
});

test('losses of all sessions lie over each other, with the last and the best of each, and are not other curves', async () => {
  const found = await compare('sessions=cat,cat-v2,dog&smooth=0');
  expect(found.curves.map(({ tag }) => tag)).toEqual(['loss/current']);
  expect(found.curves[0]?.raw.y.at(-1)).toBeCloseTo(1 / 30, 5);
  expect(found.others.map(({ name, colour }) => [name, colour])).toEqual([
    ['cat-v2', 0],
    ['dog', 1],
  ]);
  expect(found.others[0]?.curves[0]?.smooth.y.at(-1)).toBeCloseTo(2 / 30, 5);
  expect(found.sessions.map(({ loss }) => loss?.best_step)).toEqual([30, 30, 10]);
  expect(found.sessions[1]?.loss?.last).toBeCloseTo(2 / 30, 5);
  const zoomed = await compare('sessions=cat,cat-v2&smooth=0&from=1&to=5');
  expect(zoomed.sessions[0]?.loss?.last).toBeCloseTo(1 / 30, 5);
  expect(await page('sessions=cat,cat-v2')).toMatch(/<path class="other other-0" d="M/);
});

test('the baseline that was picked is what others are held against, and leads the curves', async () => {
  const found = await compare('sessions=cat,cat-v2,dog&baseline=dog');
  expect([found.baseline, found.leads]).toEqual(['dog', 'dog']);
  expect(found.settings[0]).toEqual({ name: 'dataset', values: ['cats', 'cats', 'dogs'], differs: true });
  expect(found.settings.filter(({ differs }) => differs).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['dataset.images', 'dataset.captions', 'dataset.fingerprint']),
  );
});

test('samples of the same prompt and seed stand side by side, the newest or those up to a step', async () => {
  const newest = await compare('sessions=cat,cat-v2,dog');
  expect(newest.samples).toEqual([
    {
      prompt: 'a cat',
      seed: '7',
      pictures: [expect.objectContaining({ step: 20 }), expect.objectContaining({ step: 20 }), null],
    },
  ]);
  expect(newest.sample_steps).toEqual([10, 20]);
  const earlier = await compare('sessions=cat,cat-v2&step=15');
  expect(earlier.samples[0]?.pictures).toEqual([expect.objectContaining({ step: 10 }), null]);
  const html = await page('sessions=cat,cat-v2');
  expect(html).toMatch(/src="sessions\/cat-v2\/samples\/[^"]+\?size=thumb"/);
});

test('a session is read again once its record or its samples change; a cut picture gives way to the one before', async () => {
  trained('fox', {}, { samples: [10, 20] });
  await at.ask('/sessions/fox');
  expect((await compare('sessions=cat,fox')).samples[0]?.pictures[1]).toMatchObject({ step: 20 });
  const folder = join(at.settings.outputs, 'fox');
  const state = JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8'));
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ ...state, learning_rate: '1e-4', seed: 7 }));
  const sample = (step: number) =>
    join(folder, 'sample', `fox_${String(step).padStart(6, '0')}_00_20260101000010_7.png`);
  writeFileSync(sample(25), PNG);
  writeFileSync(sample(30), PNG.subarray(0, PNG.length - 20));
  const found = await compare('sessions=cat,fox');
  expect(found.settings).toContainEqual({ name: 'learning_rate', values: ['8e-4', '1e-4'], differs: true });
  expect(found.samples[0]?.pictures[1]).toMatchObject({ step: 25 });
});

test('a session that is gone is named and left out, and an address of none says what to do', async () => {
  expect(await compare('sessions=cat,gone&baseline=gone')).toMatchObject({ baseline: 'cat', missing: ['gone'] });
  expect(await page('sessions=cat,gone')).toContain('No longer here, so left out: gone.');
  expect(await compare('sessions=cat,cat-v2&baseline=cat&without=cat')).toMatchObject({
    baseline: 'cat-v2',
    missing: [],
  });
  expect(await compare('sessions=../../etc')).toMatchObject({ baseline: null, sessions: [] });
  expect(await page('')).toContain('Choose sessions in');
});

test('all versions of a LoRA, and a version beside the one before it, are one address each', async () => {
  expect((await compare('lora=cat')).sessions.map(({ name }) => name)).toEqual(['cat', 'cat-v2']);
  trained('bird', { lora_name: 'My Bird' }, {});
  trained('bird-v2', { lora_name: 'my bird!' }, {});
  for (const name of ['bird', 'bird-v2']) await at.ask(`/sessions/${name}`);
  expect((await compare('lora=My+Bird')).sessions.map(({ name }) => name)).toEqual(['bird', 'bird-v2']);
  const birds = await at.ask('/compare?changes=bird-v2', { headers: { Accept: 'text/html' } });
  expect(birds.headers.get('location')).toBe('compare?sessions=bird&sessions=bird-v2');
  const to = await at.ask('/compare?changes=cat-v2', { headers: { Accept: 'text/html' } });
  expect([to.status, to.headers.get('location')]).toEqual([303, 'compare?sessions=cat&sessions=cat-v2']);
  const html = await (await at.ask('/sessions/cat-v2', { headers: { Accept: 'text/html' } })).text();
  expect(html).toContain('href="../compare?changes=cat-v2"');
  expect(await (await at.ask('/', { headers: { Accept: 'text/html' } })).text()).toContain(
    'name="sessions" value="cat"',
  );
});
