import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { exampleDataset, makeTestSidecars, quick, type Sidecar, type TestSidecars } from '../sidecar.js';
import { pause, percentile, tell } from './figures.js';

let place: TestSidecars;
let sidecar: Sidecar;
beforeAll(async () => {
  place = makeTestSidecars();
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  sidecar = await place.serve();
});
afterAll(() => place.leave());

const prompt = 'a picture of it --w 256 --h 256 --d 1';
const three = `${prompt}\n${prompt}\n${prompt}`;

/** 1,000 steps; the first samples come after 5 % where there are any. */
test.each([
  ['no samples', {}],
  ['a sample every 200 steps, as the form suggests', { sample_prompts: prompt, sample_every_n_steps: 200 }],
  ['three samples every 100 steps', { sample_prompts: three, sample_every_n_steps: 100 }],
  ['saves every epoch, and three samples every 300 steps', { sample_prompts: three, sample_every_n_steps: 300 }],
])('the end that is told: %s', async (what, settings) => {
  const body = { ...quick, lora_name: 'cat', max_train_epochs: 100, save_every_n_epochs: 10, ...settings, start: true };
  const made = await sidecar.send('POST', 'sessions', body);
  if (made.status !== 201) throw new Error(`not made: ${made.status} ${JSON.stringify(made.body)}`);
  const { name } = made.body as { name: string };
  const told: { at: number; left: number; first: boolean }[] = [];
  for (;;) {
    const { status, progress } = await sidecar.session(name);
    if (status === 'completed') break;
    if (['failed', 'interrupted', 'stopped'].includes(status)) throw new Error(`it is ${status}`);
    const { percent, eta_seconds: left, step } = progress;
    if (percent !== null && percent >= 5 && percent < 100 && left !== null)
      told.push({ at: performance.now(), left, first: (step ?? 0) < (body.sample_every_n_steps || 0) });
    await pause(250);
  }
  const end = performance.now();
  const off = (each: readonly { at: number; left: number }[]) => {
    // In the last seconds a look that is half a second late is a large share.
    const wrong = each
      .filter(({ at }) => end - at > 5000)
      .map(({ at, left }) => Math.abs((left * 1000) / (end - at) - 1));
    return `${(100 * Math.max(0, ...wrong)).toFixed(0)} % (median ${(100 * percentile(wrong, 50)).toFixed(0)} %)`;
  };
  tell(`the end that is told from 5 % on, ${what}: off by`, '≤ 20 %', off(told));
  const first = told.filter((each) => each.first);
  if (first.length > 0) tell('– until its first samples', '≤ 20 %', off(first));
});
