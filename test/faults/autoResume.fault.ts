import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { crashingAfterSaves } from '../fakePython.js';
import { makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';
import { compileClock } from './clockLibrary.js';
import { lacks, measured } from './needs.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

const switchedOn = { ...quick, lora_name: 'cat', enable_monitoring: true, start: true };

test('a trainer that keeps crashing is resumed after 10, 20 and 40 s, and then left to its owner', async () => {
  const sidecar = await place.serve({ TRACKSIDE_PYTHON: crashingAfterSaves(place, 'other') });
  await sidecar.send('POST', 'sessions', switchedOn);
  const given = await sidecar.until('cat', (facts) => facts.auto_resume.reason !== null, 150);
  expect(given.attempts.map(({ automatic }) => automatic)).toEqual([false, true, true, true]);
  const waits = given.attempts.slice(1).map(({ started_at }, index) => {
    return (Date.parse(started_at) - Date.parse(given.attempts[index]?.ended_at ?? '')) / 1000;
  });
  for (const [index, seconds] of [10, 20, 40].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(seconds);
    expect(waits[index]).toBeLessThan(seconds + 4);
  }
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  expect((await sidecar.session('cat')).attempts).toHaveLength(4);
  measured(
    17,
    `3 automatic resumes of a crashing trainer, ${waits.map((wait) => wait.toFixed(1)).join(', ')} s after its ends; then “${given.auto_resume.reason}”, and none in the next minute`,
  );
});

const withoutCompiler = lacks('gcc');
let library: ReturnType<typeof compileClock>;
beforeAll(() => {
  if (!withoutCompiler) library = compileClock();
});
afterAll(() => library?.remove());

test.skipIf(withoutCompiler)(
  'a clock that jumps a day shortens no wait, ends nothing, and begins nothing',
  async () => {
    mkdirSync(place.folder, { recursive: true });
    const clock = join(place.folder, 'clock');
    const set = (seconds: number) => writeFileSync(clock, `${seconds}\n`);
    set(0);
    const faked = { LD_PRELOAD: library.path, CLOCK_OFFSET: clock, PRACTICE_STEP_SECONDS: '0.05' };
    const sidecar = await place.serve({ ...faked, TRACKSIDE_AUTO_RESUME_DELAYS: '8', TRACKSIDE_STALL_SCALE: '0.02' });
    for (const lora_name of ['cat', 'dog']) {
      await sidecar.send('POST', 'sessions', { ...switchedOn, lora_name, max_train_epochs: 100 });
      await sidecar.until(lora_name, ({ progress }) => (progress.step ?? 0) > 12);
    }
    const record = JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));
    for (const pid of [record.pid, record.trainer_pid]) process.kill(pid, 'SIGKILL');
    await sidecar.until('cat', (facts) => facts.auto_resume.in_seconds !== null);
    const begun = performance.now();
    for (const offset of [86_400, -86_400, 86_400]) {
      set(offset);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      expect((await sidecar.session('cat')).attempts).toHaveLength(1);
      expect(await sidecar.session('dog')).toMatchObject({ stalled_seconds: null, attempts: [{ alive: true }] });
    }
    await sidecar.until('cat', (facts) => facts.attempts.length === 2);
    const seconds = (performance.now() - begun) / 1000;
    expect(seconds).toBeGreaterThan(7);
    expect((await sidecar.session('dog')).attempts).toHaveLength(1);
    measured(
      21,
      `three jumps of a day while a resume waited 8 s: it came after ${seconds.toFixed(1)} s; nothing else began or ended`,
    );
  },
);
