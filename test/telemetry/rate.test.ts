import { expect, test } from 'vitest';
import { createRate, type PictureElsewhere } from '../../sidecar/telemetry/rate.js';
import type { SamplingPlan } from '../../sidecar/trainers/dialect.js';

type Training = {
  steps: number;
  pace: (step: number) => number;
  pauses: { every: number; seconds: number }[];
  /** Samples that Trackside knows will come: how long they take each time, and a picture of an earlier attempt, or session. */
  samples?: SamplingPlan & { seconds: number; before?: number; elsewhere?: PictureElsewhere };
};

/** What is expected at each step from 5 % on, against what came: the largest share by which it was wrong; and the paces that were shown. */
function foretold({ steps, pace, pauses, samples }: Training): { wrong: number; paces: number[] } {
  const all = samples ? [...pauses, { every: samples.distance, seconds: samples.seconds }] : pauses;
  const times = [0];
  for (let step = 1; step <= steps; step += 1) {
    const pause = all.reduce(
      (sum, { every, seconds }) => sum + ((step - 1) % every === 0 && step > 1 ? seconds : 0),
      0,
    );
    times.push((times.at(-1) ?? 0) + pause + pace(step));
  }
  const end = times.at(-1) ?? 0;
  const rate = createRate(samples, samples);
  const wrong: number[] = [];
  const paces: number[] = [];
  // A look every half second sees the newest step.
  let looked = 0;
  for (let step = 1; step < steps * 0.99; step += 1) {
    const at = times[step] ?? 0;
    const drawsNow = samples !== undefined && step % samples.distance === 0;
    if (at < looked + 0.5 && !drawsNow) continue;
    looked = at;
    rate.add(step, at * 1000);
    if (drawsNow) {
      rate.sampling(at * 1000);
      rate.add(step, (at + samples.seconds) * 1000);
      continue;
    }
    if (step < steps * 0.05) continue;
    const told = rate.timeLeft({ step, total: steps - 1, stepsPerEpoch: null }, null)?.seconds ?? 0;
    wrong.push(Math.abs(told - (end - at)) / (end - at));
    paces.push(rate.secondsPerStep() ?? 0);
  }
  return { wrong: Math.max(...wrong), paces };
}

const samples = (distance: number, seconds: number, asSteps = 30) =>
  ({ every: 'steps', distance, pictures: 1, asSteps, drawnPixels: 8e6, seconds }) as const;

test.each<[string, Training]>([
  ['steady', { steps: 2000, pace: () => 0.4, pauses: [] }],
  [
    'with samples and saves',
    {
      steps: 1600,
      pace: () => 2,
      pauses: [
        { every: 100, seconds: 30 },
        { every: 200, seconds: 10 },
      ],
    },
  ],
  ['uneven', { steps: 3000, pace: (step) => 0.5 + 0.2 * Math.sin(step * 1.7), pauses: [{ every: 50, seconds: 3 }] }],
  [
    'with samples that are a fifth of it, the first after a fifth',
    { steps: 1000, pace: () => 0.1, pauses: [], samples: samples(200, 5) },
  ],
  ['with samples that cost less than expected', { steps: 1000, pace: () => 0.5, pauses: [], samples: samples(100, 8) }],
  [
    'with samples that are half of it, as an earlier attempt told',
    { steps: 1000, pace: () => 0.1, pauses: [], samples: { ...samples(250, 25), before: 24 } },
  ],
  [
    'with samples that are two thirds of it, as another session told',
    {
      steps: 1000,
      pace: () => 0.1,
      pauses: [],
      samples: { ...samples(250, 50), elsewhere: { seconds: 45, pace: null } },
    },
  ],
  [
    'with samples that are two thirds of it, as another session told on a machine half as fast',
    {
      steps: 1000,
      pace: () => 0.1,
      pauses: [],
      samples: { ...samples(250, 50), elsewhere: { seconds: 100, pace: 0.2 } },
    },
  ],
])('the end of a training that is %s is told within a fifth from 5 %% on', (_, training) => {
  const { wrong, paces } = foretold(training);
  expect(wrong).toBeLessThan(0.2);
  // The pace of a step is that of a step, also just after a pause.
  expect(Math.max(...paces)).toBeLessThan(1.5 * Math.max(training.pace(1), training.pace(2), training.pace(4)));
});

test('a training that slows down for good is foretold anew', () => {
  const rate = createRate();
  for (let step = 1; step <= 1000; step += 1) rate.add(step, step * 1000);
  for (let step = 1001; step <= 3000; step += 1) rate.add(step, 1_000_000 + (step - 1000) * 3000);
  expect(rate.secondsPerStep()).toBeCloseTo(3, 1);
  expect(rate.timeLeft({ step: 3000, total: 3001, stepsPerEpoch: null }, null)?.seconds).toBeCloseTo(3, 0);
});

test('samples that are planned and do not come are expected no longer than that', () => {
  const rate = createRate(samples(100, 0));
  const left = (step: number) => rate.timeLeft({ step, total: 1000, stepsPerEpoch: null }, null)?.seconds;
  for (let step = 1; step <= 90; step += 1) rate.add(step, step * 1000);
  expect(left(90)).toBeCloseTo(910 + 10 * 30, 0);
  for (let step = 91; step <= 160; step += 1) rate.add(step, step * 1000);
  expect(left(160)).toBeCloseTo(840, 0);
});

test.each<[string, Parameters<typeof createRate>, boolean]>([
  ['no samples', [null], false],
  ['samples whose time nobody knows', [samples(100, 0)], true],
  ['samples that another session has drawn', [samples(100, 0), { elsewhere: { seconds: 40, pace: 1 } }], true],
  ['samples that an earlier attempt has drawn', [samples(100, 0), { before: 40 }], false],
  ['samples that are less than a tenth of it', [samples(500, 0)], false],
])('the time left of a training with %s is told as a guess, or as known', (_, known, guessed) => {
  const rate = createRate(...known);
  for (let step = 1; step <= 50; step += 1) rate.add(step, step * 1000);
  expect(rate.timeLeft({ step: 50, total: 1000, stepsPerEpoch: null }, null)?.guessed).toBe(guessed);
});

test('the time left is a guess until the first samples are drawn', () => {
  const rate = createRate(samples(100, 0));
  const left = (step: number) => rate.timeLeft({ step, total: 1000, stepsPerEpoch: null }, null);
  for (let step = 1; step <= 100; step += 1) rate.add(step, step * 1000);
  rate.sampling(100_000);
  expect(left(100)?.guessed).toBe(true);
  rate.add(100, 140_000);
  expect(left(100)).toEqual({ seconds: expect.closeTo(900 + 9 * 40, 0), guessed: false });
});
