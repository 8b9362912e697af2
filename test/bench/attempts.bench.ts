import { readdirSync, readFileSync } from 'node:fs';
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
 * One training of twenty steps a second, faster than real ones, with a save each ten seconds. In every second window of time
 * sidecar and runner are stopped by SIGSTOP, so that the same process, a moment apart, trains with and without them. Counted
 * is the processor's time that the trainer takes for a step, which other programs change little, and that of sidecar and
 * runner: if all shared one core, the trainer would be slower by so much.
 */
test('being supervised', async () => {
  const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
  const paced = { ...quick, max_train_epochs: 100_000, save_every_n_epochs: 20 };
  await sidecar.send('POST', 'sessions', { ...paced, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 20, 60);
  const { pid: runner, trainer_pid: trainer } = attempt();
  const supervisors = [sidecar.pid, runner];
  const signal = (name: NodeJS.Signals) => {
    for (const pid of supervisors) process.kill(pid, name);
  };
  type Window = { supervised: boolean; from: number; to: number; trained: number; beside: number };
  const windows: Window[] = [];
  try {
    for (let round = 0; round < WINDOWS; round += 1) {
      const supervised = round % 2 === 0;
      signal(supervised ? 'SIGCONT' : 'SIGSTOP');
      // What has piled up meanwhile is caught up with first.
      await pause(300);
      const from = Date.now() / 1000;
      const [before, besideBefore] = [worked(trainer), workedBy(supervisors)];
      await pause(WINDOW_MS);
      const [trained, beside] = [worked(trainer) - before, workedBy(supervisors) - besideBefore];
      windows.push({ supervised, from, to: Date.now() / 1000, trained, beside });
    }
  } finally {
    signal('SIGCONT');
  }
  const points = await sidecar.get<{ tag: string; wall_time: number }[]>('sessions/cat/metrics');
  const steps = points.filter(({ tag }) => tag === 'loss/current').map(({ wall_time }) => wall_time);
  const rates = windows.map(({ from, to, trained }) => {
    const within = steps.filter((at) => at >= from && at <= to);
    // The parts of steps at both ends are counted by the pace of the others.
    const pace = (within.length - 1) / ((within.at(-1) ?? 0) - (within[0] ?? 0));
    return { seconds: trained / (pace * (to - from)) };
  });
  const ratios: number[] = [];
  for (let pair = 0; pair + 1 < rates.length; pair += 2) {
    ratios.push((rates[pair]?.seconds ?? Number.NaN) / (rates[pair + 1]?.seconds ?? Number.NaN));
  }
  const percent = (ratio: number) => `${((ratio - 1) * 100).toFixed(1)} %`;
  const [low, high] = [percentile(ratios, 25), percentile(ratios, 75)].map(percent);
  const found = `${percent(median(ratios))} (median of ${ratios.length} pairs; the middle half ${low} to ${high})`;
  tell('processor that a step of the trainer takes, more by being supervised', '≤ 0.5 %', found);
  const shares = windows
    .filter(({ supervised }) => supervised)
    .map(({ beside, from, to, trained }) => [beside / (to - from), beside / trained] as const);
  const [ofCore, ofTrainer] = [0, 1].map((which) => percent(1 + median(shares.map((share) => share[which] ?? 0))));
  tell('processor of sidecar and runner beside a training', '–', `${ofCore} of a core, ${ofTrainer} of the trainer’s`);
});

/** Seconds on a processor so far, with all threads. */
function worked(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, each) => sum + nanoseconds(`/proc/${pid}/task/${each}/schedstat`), 0) / 1e9;
}

function workedBy(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + worked(pid), 0);
}

function nanoseconds(path: string): number {
  return Number(readFileSync(path, 'utf8').split(' ')[0]);
}

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
