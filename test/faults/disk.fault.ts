import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, makeTestSidecars, projectRoot, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { fill } from './fill.js';
import { lacks, measured } from './needs.js';

type Disk = { writable: boolean; troubles: { path: string; code: string; message: string; unsaved: string[] }[] };

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
  mkdirSync(place.outputs);
});
afterEach(async () => {
  // Trainers first: they hold the disk.
  await place.leave().catch(() => {});
  execFileSync('sh', ['-c', 'umount -l "$0" 2>/dev/null; umount -l "$0" 2>/dev/null; true', place.outputs]);
  await place.leave();
});

const skip = lacks('mounting (root)');
// A trainer that writes files of its own, as its events, meets the full disk itself: so it writes few meanwhile.
const slow = { PRACTICE_STEP_SECONDS: '0.5' };
const read = (name: string) => JSON.parse(readFileSync(join(place.outputs, 'cat', name), 'utf8'));

test.skipIf(skip)(
  'a full disk: the trainer lives, every page says so, and saving goes on once there is space',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place.outputs]);
    const sidecar = await place.serve(slow);
    await startTraining(sidecar);
    const { trainer_pid: trainer } = read('attempt.json');
    const banner = await sees(sidecar, 'The disk is full', () => fill(join(place.outputs, 'filler')));
    const saved = read('progress.json').step;

    const { step } = (await sidecar.session('cat')).progress;
    const note = await sidecar.send('PATCH', 'sessions/cat', { notes: 'x'.repeat(50_000) });
    expect(note).toMatchObject({ status: 507, body: { error: { code: 'disk_full' } } });
    expect((await sidecar.send('GET', 'healthz')).body.status).toBe('ok');

    rmSync(join(place.outputs, 'filler'));
    const freed = performance.now();
    await until(
      () => read('progress.json').step,
      (now) => now > Math.max(saved, step ?? 0) || now > saved + 3,
      12,
    );
    const saving = (performance.now() - freed) / 1000;
    await until(
      () => sidecar.get<Disk>('disk'),
      (disk) => disk.writable,
      10,
    );
    expect(await page(sidecar, '')).not.toContain('The disk is full');
    expect((await sidecar.send('PATCH', 'sessions/cat', { notes: 'saved' })).status).toBe(200);
    expect(isAlive(trainer)).toBe(true);
    expect(isAlive(sidecar.pid)).toBe(true);
    measured(
      14,
      `full disk: banner after ${banner} s, saving again ${saving.toFixed(1)} s after there was space, 0 restarts`,
    );
  },
);

test.skipIf(skip)('what a trainer prints finds room on a full disk: it does not die of its next line', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place.outputs]);
  const LINES = 200;
  const script = `import time\nfor i in range(${LINES}):\n  print('line', i, 'x' * 200, flush=True)\n  time.sleep(0.02)`;
  const folder = join(place.outputs, 'cat');
  mkdirSync(folder);
  const runner = spawn(
    'python3',
    [
      ...['-I', '-S', join(projectRoot, 'trainer-bridge', 'trackside', 'runner.py'), '--output', folder],
      ...['--attempt', 'a', '--number', '1', '--kind', 'start', '--cwd', folder, '--', 'python3', '-c', script],
    ],
    { stdio: 'ignore' },
  );
  const log = () => readFileSync(join(folder, 'training.log'), 'utf8');
  await until(
    () => existsSync(join(folder, 'training.log')) && log(),
    (text) => String(text).includes('line 5 '),
  );
  fill(join(place.outputs, 'filler'));
  const from = log().length;
  await until(log, (text) => text.includes(`line ${LINES - 1} `), 20);
  measured(14, `full disk: ${log().length - from} bytes more of a trainer's output were taken, and it ended by itself`);
  rmSync(join(place.outputs, 'filler'));
  await until(
    () => runner.exitCode,
    (code) => code !== null,
    90,
  );
  expect(read('attempt.json')).toMatchObject({ exit_code: 0, signal: null });
  // What was set aside is given back.
  expect(statSync(join(folder, 'training.log')).blocks * 512).toBeLessThan(200_000);
});

test.skipIf(skip)(
  'a disk that becomes read-only: the same, and what ended meanwhile is settled afterwards',
  async () => {
    const sidecar = await place.serve(slow);
    await startTraining(sidecar);
    const { trainer_pid: trainer, pid } = read('attempt.json');
    const banner = await sees(sidecar, 'The disk is read-only', () => {
      // Over the present one, in which the trainer's log is open for writing: no kernel makes that read-only.
      execFileSync('mount', ['--bind', place.outputs, place.outputs]);
      remount('ro');
    });
    expect(isAlive(trainer)).toBe(true);
    // Stop works although nothing can be written down.
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    await until(
      () => isAlive(trainer) || isAlive(pid),
      (alive) => !alive,
      30,
    ).catch(() => {});
    expect(isAlive(trainer)).toBe(false);

    remount('rw');
    const freed = performance.now();
    await until(
      () => read('ui_state.json').status,
      (status) => status === 'stopped',
      15,
    );
    const saving = (performance.now() - freed) / 1000;
    await until(
      () => sidecar.get<Disk>('disk'),
      (disk) => disk.writable,
      10,
    );
    expect(isAlive(sidecar.pid)).toBe(true);
    measured(14, `read-only disk: banner after ${banner} s, settled ${saving.toFixed(1)} s after it could be written`);
  },
);

test.skipIf(skip)(
  'a disk that is read-only when nothing runs is told within 10 s, too; and a start over it serves',
  async () => {
    execFileSync('mount', ['--bind', place.outputs, place.outputs]);
    const sidecar = await place.serve();
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat' });
    const banner = await sees(sidecar, 'The disk is read-only', () => remount('ro'));
    measured(14, `read-only disk, idle: banner after ${banner} s`);
    const second = await place.serve();
    expect(await second.session('cat')).toMatchObject({ name: 'cat', status: 'draft' });
  },
);

async function startTraining(sidecar: Sidecar): Promise<void> {
  const asked = { ...quick, lora_name: 'cat', max_train_epochs: 200, save_every_n_epochs: 100, start: true };
  await sidecar.send('POST', 'sessions', asked);
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) >= 3);
}

/** Seconds until every page and the API say it. */
async function sees(sidecar: Sidecar, words: string, fault: () => void): Promise<string> {
  fault();
  const started = performance.now();
  for (const address of ['', 'sessions/cat', 'new', 'datasets', 'sessions/cat/history']) {
    await until(
      () => page(sidecar, address),
      (html) => html.includes(words),
      10,
    );
  }
  const { troubles, writable } = await sidecar.get<Disk>('disk');
  expect(writable).toBe(false);
  expect(troubles[0]?.message).toContain(words);
  expect(troubles[0]?.path).toContain(place.outputs);
  const seconds = (performance.now() - started) / 1000;
  expect(seconds).toBeLessThan(10);
  return seconds.toFixed(1);
}

async function page(sidecar: Sidecar, address: string): Promise<string> {
  return (await fetch(new URL(address, sidecar.url), { headers: { Accept: 'text/html' } })).text();
}

function remount(how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how},bind`, place.outputs]);
}
