import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';
import { median, pause, percentile, tell } from './figures.js';

const CLICKS = 20;
const WINDOWS = 40;
const WINDOW_MS = 2000;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('from the click to the trainer', async () => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 500, start: true });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 12, 60);
  const times: number[] = [];
  for (let round = 0; round < CLICKS; round += 1) {
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    await sidecar.until('cat', ({ status }) => status === 'stopped', 120);
    const clicked = Date.now();
    const { status, body } = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
    if (status !== 201) throw new Error(JSON.stringify(body));
    times.push(startedAt(attempt().trainer_pid) - clicked);
  }
  const found = `${median(times).toFixed(0)} ms, p95 ${percentile(times, 95).toFixed(0)} ms (±10: the kernel counts in ticks)`;
  tell('Resume clicked (POST) → trainer process executing', '≤ 150 ms', found);
});

/**
 * One training; in every second window of time sidecar and runner are stopped by SIGSTOP, so that the same process, a
 * moment apart, trains with and without them. An open page asks all the while.
 */
test('being supervised', async () => {
  const sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 100_000, start: true });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 20, 60);
  const supervisors = [sidecar.pid, attempt().pid as number];
  const signal = (name: NodeJS.Signals) => {
    for (const pid of supervisors) process.kill(pid, name);
  };
  const windows: { supervised: boolean; from: number; to: number }[] = [];
  try {
    for (let round = 0; round < WINDOWS; round += 1) {
      const supervised = round % 2 === 0;
      signal(supervised ? 'SIGCONT' : 'SIGSTOP');
      // What has piled up meanwhile is caught up with first.
      await pause(300);
      const from = Date.now() / 1000;
      await pause(WINDOW_MS);
      windows.push({ supervised, from, to: Date.now() / 1000 });
    }
  } finally {
    signal('SIGCONT');
  }
  const points = await sidecar.get<{ tag: string; wall_time: number }[]>('sessions/cat/metrics');
  const steps = points.filter(({ tag }) => tag === 'loss/current').map(({ wall_time }) => wall_time);
  const rates = windows.map(({ supervised, from, to }) => {
    const within = steps.filter((at) => at >= from && at <= to);
    return { supervised, seconds: ((within.at(-1) ?? 0) - (within[0] ?? 0)) / (within.length - 1) };
  });
  const ratios: number[] = [];
  for (let pair = 0; pair + 1 < rates.length; pair += 2) {
    ratios.push((rates[pair]?.seconds ?? Number.NaN) / (rates[pair + 1]?.seconds ?? Number.NaN));
  }
  const percent = (ratio: number) => `${((ratio - 1) * 100).toFixed(1)} %`;
  const [low, high] = [percentile(ratios, 25), percentile(ratios, 75)].map(percent);
  const found = `${percent(median(ratios))} (median of ${ratios.length} pairs; the middle half ${low} to ${high})`;
  tell('slow-down of the trainer by being supervised', '≤ 0.5 %', found);
});

function attempt(): { pid: number; trainer_pid: number } {
  return JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));
}

/** When a process began, in ms since 1970, to a hundredth of a second. */
function startedAt(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Date.now() - (uptime - ticks / 100) * 1000;
}
