import { expect, test } from 'vitest';
import { createRate } from '../../sidecar/telemetry/rate.js';

type Training = { steps: number; pace: (step: number) => number; pauses: { every: number; seconds: number }[] };

/** What is expected at each step from 5 % on, against what came: the largest share by which it was wrong; and the paces that were shown. */
function foretold({ steps, pace, pauses }: Training): { wrong: number; paces: number[] } {
  const times = [0];
  for (let step = 1; step <= steps; step += 1) {
    const pause = pauses.reduce((sum, { every, seconds }) => sum + (step % every === 0 ? seconds : 0), 0);
    times.push((times.at(-1) ?? 0) + pace(step) + (step === steps ? 0 : pause));
  }
  const end = times.at(-1) ?? 0;
  const rate = createRate();
  const wrong: number[] = [];
  const paces: number[] = [];
  // A look every half second sees the newest step.
  let looked = 0;
  for (let step = 1; step < steps * 0.99; step += 1) {
    const at = times[step] ?? 0;
    if (at < looked + 0.5) continue;
    looked = at;
    rate.add(step, at * 1000);
    if (step < steps * 0.05) continue;
    const told = (rate.secondsPerStepInAll() ?? 0) * (steps - step);
    wrong.push(Math.abs(told - (end - at)) / (end - at));
    paces.push(rate.secondsPerStep() ?? 0);
  }
  return { wrong: Math.max(...wrong), paces };
}

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
  expect(rate.secondsPerStepInAll()).toBeCloseTo(3, 0);
});
