import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { isAlive, makeTestSidecars, quick, type Sidecar, type TestSidecars } from '../sidecar.js';
import { compileClock } from './clockLibrary.js';
import { lacks, measured } from './needs.js';
import { attemptOf } from './pod.js';

const withoutCompiler = lacks('gcc');

let place: TestSidecars;
let clock: string;
beforeEach(() => {
  place = makeTestSidecars();
  mkdirSync(place.folder, { recursive: true });
  clock = join(place.folder, 'clock');
  set(0);
});
afterEach(() => place.leave());

/** Sets the wall clock of everything that was started under it, in seconds; the monotonic one goes on. */
function set(seconds: number): void {
  writeFileSync(clock, `${seconds}\n`);
}

const DAY = 86_400;
let library: ReturnType<typeof compileClock>;
beforeAll(() => {
  if (!withoutCompiler) library = compileClock();
});
afterAll(() => library?.remove());

// The kernel stamps files with the real time: clocks that differ by a day are the harder case.
const faked = () => ({ LD_PRELOAD: library.path, CLOCK_OFFSET: clock, PRACTICE_STEP_SECONDS: '0.05' });

describe.skipIf(withoutCompiler)('the clock jumps a day', () => {
  test.each([
    ['forward', DAY],
    ['back', -DAY],
  ])('%s while it trains: 0 changes of status, 0 restarts, and a Stop that ends', async (way, offset) => {
    const sidecar = await place.serve(faked());
    await train(sidecar, 'done', 1);
    await sidecar.until('done', (facts) => facts.status === 'completed');
    await train(sidecar, 'cat', 200);
    await sidecar.until('cat', (facts) => facts.status === 'running' && (facts.progress.step ?? 0) > 5);
    const { trainer_pid } = attemptOf(place, 'cat');
    const before = await statuses(sidecar);
    let looks = 0;
    for (const now of [offset, 0, offset]) {
      set(now);
      for (const until = performance.now() + 7000; performance.now() < until; looks += 1) {
        expect(await statuses(sidecar)).toEqual(before);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const told = JSON.parse(readFileSync(join(place.outputs, 'cat', 'progress.json'), 'utf8'));
    const facts = await sidecar.session('cat');
    // progress.json is still written twice a second, and the rate is that of the monotonic clock.
    expect((facts.progress.step ?? 0) - told.step).toBeLessThan(40);
    expect(facts.progress.seconds_per_step).toBeGreaterThan(0.02);
    expect(facts.progress.seconds_per_step).toBeLessThan(1);
    expect(attemptOf(place, 'cat').trainer_pid).toBe(trainer_pid);
    expect(isAlive(trainer_pid)).toBe(true);
    expect(facts.attempts).toHaveLength(1);

    // A sidecar that begins in the other time tells the same.
    await sidecar.kill('SIGKILL');
    const next = await place.serve(faked());
    expect(await statuses(next)).toEqual(before);
    const begun = performance.now();
    await next.send('DELETE', 'sessions/cat/attempts/current');
    await next.until('cat', (now) => now.status === 'stopped' && !now.interrupted, 45);
    const seconds = (performance.now() - begun) / 1000;
    measured(
      21,
      `clock a day ${way}, three jumps: ${looks} looks, 0 changes of status, 0 restarts; Stop in ${seconds.toFixed(1)} s`,
    );
  });

  test.each([
    ['back', 0, -DAY],
    ['forward', -DAY, 0],
  ])(
    '%s between two attempts: the newest state is still the newest, and the epochs add up',
    async (_, first, second) => {
      // Here the files shall carry the time of their attempt: those of the later clock are stamped so by hand below.
      set(first);
      const sidecar = await place.serve(faked());
      await train(sidecar, 'cat', 6);
      await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 22);
      kill(attemptOf(place, 'cat'));
      const dead = await sidecar.until('cat', (facts) => facts.status === 'stopped' && facts.interrupted);
      expect(dead.resume).toMatchObject({ epoch: 2, step: 20 });
      stampAll('cat', first);

      set(second);
      await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
      await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 42);
      kill(attemptOf(place, 'cat'));
      await sidecar.until('cat', (facts) => facts.status === 'stopped' && facts.interrupted);
      stampAll('cat', second, ['cat-000003', 'cat-000004']);
      const again = await sidecar.until('cat', (facts) => facts.resume !== null);
      expect(again.resume).toMatchObject({ state: 'cat-000004-state', epoch: 4, step: 40, first_epoch: 5 });

      const third = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
      expect(third).toMatchObject({ status: 201, body: { first_epoch: 5, step_offset: 40 } });
      const done = await sidecar.until('cat', (facts) => facts.status === 'completed', 40);
      expect(done.progress).toMatchObject({ step: 60, total_steps: 60, epoch: 6 });
      const log = readFileSync(join(place.outputs, 'cat', 'training.log'), 'utf8');
      expect([...log.matchAll(/^epoch (\d+)\/6$/gm)].map(([, epoch]) => Number(epoch))).toEqual([
        1, 2, 3, 3, 4, 5, 5, 6,
      ]);
      measured(21, `clock set ${_} a day between attempts: resumed from the newest state, 6 of 6 epochs`);
    },
  );
});

test.skipIf(withoutCompiler)(
  'a sidecar is killed while it holds a session, and the clock goes back a day: the next one is busy for seconds, not for a day',
  async () => {
    const sidecar = await place.serve(faked());
    await train(sidecar, 'cat', 1);
    await sidecar.until('cat', (facts) => facts.status === 'completed');
    await sidecar.kill('SIGKILL');
    // As the killed one leaves it.
    mkdirSync(join(place.outputs, 'cat', 'ui_state.json.lock'));
    set(-DAY);
    const next = await place.serve(faked());
    const begun = performance.now();
    expect(await next.send('PATCH', 'sessions/cat', { notes: 'mine' })).toMatchObject({ status: 200 });
    const resumed = await next.send('POST', 'sessions/cat/attempts', { kind: 'resume', max_train_epochs: 2 });
    expect(resumed).toMatchObject({ status: 201 });
    const seconds = (performance.now() - begun) / 1000;
    expect(seconds).toBeLessThan(10);
    measured(21, `the lock of a dead sidecar, the clock set back a day: taken over in ${seconds.toFixed(1)} s`);
    await next.until('cat', (facts) => facts.status === 'completed', 40);
  },
);

async function train(sidecar: Sidecar, name: string, epochs: number): Promise<void> {
  const settings = { ...quick, lora_name: name, max_train_epochs: epochs, start: true };
  expect(await sidecar.send('POST', 'sessions', settings)).toMatchObject({ status: 201 });
}

async function statuses(sidecar: Sidecar): Promise<Record<string, unknown>> {
  const sessions = await sidecar.get<SessionFacts[]>('sessions');
  return Object.fromEntries(sessions.map(({ name, status, interrupted }) => [name, { status, interrupted }]));
}

function kill({ pid, trainer_pid }: { pid: number; trainer_pid: number }): void {
  for (const each of [pid, trainer_pid]) process.kill(each, 'SIGKILL');
}

/** Gives state folders the times that a machine with that clock would have given them. */
function stampAll(name: string, offset: number, only: string[] = ['']): void {
  const folder = join(place.outputs, name);
  for (const entry of readdirSync(folder)) {
    if (!entry.endsWith('-state') || !only.some((prefix) => entry.startsWith(prefix))) continue;
    for (const file of ['.', ...readdirSync(join(folder, entry))]) {
      const path = join(folder, entry, file);
      const time = statSync(path).mtimeMs / 1000 + offset;
      utimesSync(path, time, time);
    }
  }
}
