import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { canFreeze, freeze } from '../launchers/freeze.js';
import { isAlive, makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { lacks, measured } from './needs.js';
import { attemptOf, marked } from './pod.js';

const slow = { PRACTICE_STEP_SECONDS: '0.05' };

let place: TestSidecars;
let slowest: number;
beforeEach(() => {
  place = makeTestSidecars();
  slowest = 0;
});
afterEach(() => place.leave());

test.skipIf(!canFreeze)(
  'a trainer that hangs in the kernel: the page names it, and says what to do',
  async () => {
    const sidecar = await place.serve(slow);
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 100, start: true });
    await sidecar.until('cat', (facts) => facts.status === 'running');
    const { trainer_pid: trainer } = attemptOf(place, 'cat');
    const thaw = await freeze(trainer);
    try {
      await sidecar.send('DELETE', 'sessions/cat/attempts/current');
      const told = await sidecar.until('cat', (facts) => facts.reason !== null, 180);
      expect(told).toMatchObject({ status: 'stopping', attempts: [{ alive: true }] });
      expect(told.reason).toMatch(`Process ${trainer} can't be killed`);
    } finally {
      thaw();
    }
    await sidecar.until('cat', (facts) => facts.status === 'stopped' && facts.reason === 'Stopped by you.');
  },
  300_000,
);

type Who = 'trainer' | 'runner' | 'sidecar';

/** What is to be shown, by what was killed while which others lived. */
const ORDERS: [Who[], Partial<SessionFacts>][] = [
  [['trainer'], { status: 'failed', interrupted: false }],
  [['trainer', 'sidecar'], { status: 'failed', interrupted: false }],
  [['sidecar', 'trainer'], { status: 'failed', interrupted: false }],
  [['runner', 'trainer'], { status: 'stopped', interrupted: true }],
  [['runner', 'trainer', 'sidecar'], { status: 'stopped', interrupted: true }],
  [['runner', 'sidecar', 'trainer'], { status: 'stopped', interrupted: true }],
  [['sidecar', 'runner', 'trainer'], { status: 'stopped', interrupted: true }],
  [['sidecar', 'trainer', 'runner'], { status: 'failed', interrupted: false }],
  [['trainer', 'sidecar', 'runner'], { status: 'failed', interrupted: false }],
  [['trainer', 'runner', 'sidecar'], { status: 'failed', interrupted: false }],
];

test('trainer, runner and sidecar killed in every order: the end is shown within 3 s', async () => {
  let sidecar = await place.serve(slow);
  for (const [index, [order, shown]] of ORDERS.entries()) {
    const name = `cat-${index}`;
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: name, max_train_epochs: 100, start: true });
    await sidecar.until(name, (facts) => facts.status === 'running');
    const { pid, trainer_pid } = attemptOf(place, name);
    let down = false;
    for (const who of order) {
      if (who === 'sidecar') {
        await sidecar.kill('SIGKILL');
        down = true;
      } else {
        killNow(who === 'runner' ? pid : trainer_pid);
        await until(
          () => (who === 'trainer' ? isAlive(trainer_pid) : isAlive(pid)),
          (alive) => !alive,
        );
        // A runner that lives writes down at once what it saw.
        const written = () => attemptOf(place, name).signal;
        if (who === 'trainer' && isAlive(pid)) await until(written, (signal) => signal !== null);
      }
    }
    const begun = performance.now();
    if (down) sidecar = await place.serve(slow);
    const facts = await sidecar.until(name, (now) => now.status === 'failed' || now.status === 'stopped', 5);
    slowest = Math.max(slowest, (performance.now() - begun) / 1000);
    expect({ order, ...facts }).toMatchObject(shown);
    if (shown.status === 'failed') {
      expect(facts.attempts[0]).toMatchObject({ signal: 'SIGKILL', exit_code: null });
      expect(facts.reason).toContain('SIGKILL');
    }
    expect(marked(attemptOf(place, name).id)).toEqual([]);
  }
  expect(slowest).toBeLessThan(3);
  measured(
    15,
    `trainer, runner and sidecar killed in ${ORDERS.length} orders: shown truly after ${slowest.toFixed(1)} s at most`,
  );
});

test('an exit code is shown within 3 s, also when the sidecar was down at the time', async () => {
  const first = await place.serve(slow);
  await started(first, 'up');
  await started(first, 'down');
  const up = attemptOf(place, 'up');
  const begun = performance.now();
  process.kill(up.trainer_pid, 'SIGINT');
  const facts = await first.until('up', (now) => now.status === 'failed', 5);
  const seconds = (performance.now() - begun) / 1000;
  expect(seconds).toBeLessThan(3);
  expect(facts.attempts[0]?.exit_code ?? facts.attempts[0]?.signal).not.toBeNull();
  await first.kill('SIGKILL');
  const down = attemptOf(place, 'down');
  process.kill(down.trainer_pid, 'SIGSEGV');
  await until(
    () => attemptOf(place, 'down').ended_at,
    (ended) => ended !== null,
  );
  const second = await place.serve(slow);
  const later = await second.until('down', (now) => now.status === 'failed', 3);
  expect(later.attempts[0]).toMatchObject({ signal: 'SIGSEGV' });
  expect(later.reason).toContain('SIGSEGV');
  measured(15, `SIGINT shown ${seconds.toFixed(1)} s after it; SIGSEGV with the sidecar down: shown by the next one`);
});

test.skipIf(lacks('mounting (root)'))(
  'killed where no counter can be read: memory stays the first suspect',
  async () => {
    const folder = join(place.outputs, 'cat');
    mkdirSync(folder, { recursive: true });
    const runner = join(process.cwd(), 'trainer-bridge', 'trackside', 'runner.py');
    const start = `mount -t tmpfs none /sys/fs/cgroup; exec python3 -I -S ${runner} --output ${folder} --attempt cat --number 1 --kind start --cwd / -- sh -c 'kill -9 $$'`;
    execFileSync('unshare', ['-m', 'sh', '-c', start], { env: { ...process.env, TRACKSIDE_ATTEMPT: 'cat' } });
    expect(attemptOf(place, 'cat')).toMatchObject({ signal: 'SIGKILL', oom_killed: false, oom_kills: null });
    const sidecar = await place.serve(slow);
    const { reason } = await sidecar.until('cat', (now) => now.status === 'failed', 5);
    expect(reason).toContain('most likely the pod ran out of memory');
  },
);

test.skipIf(lacks('a writable memory control group'))('out of memory, killed by the kernel: said so', async () => {
  const root = existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
  const limit = root.endsWith('memory') ? 'memory.limit_in_bytes' : 'memory.max';
  const group = join(root, `trackside-test-${process.pid}`);
  mkdirSync(group);
  try {
    writeFileSync(join(group, limit), String(120 * 2 ** 20));
    const folder = join(place.outputs, 'hungry');
    mkdirSync(folder, { recursive: true });
    const runner = join(process.cwd(), 'trainer-bridge', 'trackside', 'runner.py');
    const eat = 'import time\nfood = []\nwhile True: food.append(bytearray(b"x") * 2**22)';
    const start = `echo $$ > ${group}/cgroup.procs; exec python3 -I -S ${runner} --output ${folder} --attempt hungry --number 1 --kind start --cwd / -- python3 -c '${eat}'`;
    execFileSync('sh', ['-c', start], { env: { ...process.env, TRACKSIDE_ATTEMPT: 'hungry' }, timeout: 60_000 });
    expect(attemptOf(place, 'hungry')).toMatchObject({ signal: 'SIGKILL', oom_killed: true, exit_code: null });
    const sidecar = await place.serve(slow);
    const facts = await sidecar.until('hungry', (now) => now.status === 'failed', 5);
    expect(facts.reason).toContain('ran out of memory');
    measured(15, `killed by the kernel for memory in a real control group: "${facts.reason}"`);
  } finally {
    await until(
      () => {
        try {
          execFileSync('rmdir', [group], { stdio: 'ignore' });
        } catch {
          // Its last process is still leaving.
        }
        return existsSync(group);
      },
      (there) => !there,
    );
  }
});

describe.skipIf(lacks('mounting (root)'))('a full disk at the end', () => {
  test('how the attempt ended is written all the same, and shown within 3 s', async () => {
    mkdirSync(place.outputs, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', place.outputs]);
    try {
      const sidecar = await place.serve(slow);
      await started(sidecar, 'cat');
      const { trainer_pid } = attemptOf(place, 'cat');
      try {
        writeFileSync(join(place.outputs, 'filler'), Buffer.alloc(16 * 2 ** 20));
      } catch {
        // Full, as meant.
      }
      const begun = performance.now();
      process.kill(trainer_pid, 'SIGKILL');
      const facts = await sidecar.until('cat', (now) => now.status === 'failed', 20);
      const seconds = (performance.now() - begun) / 1000;
      expect(facts.attempts[0]).toMatchObject({ signal: 'SIGKILL', alive: false });
      expect(JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'))).toMatchObject({
        signal: 'SIGKILL',
        ended_at: expect.any(String),
      });
      expect(seconds).toBeLessThan(3);
      measured(15, `on a full disk: shown after ${seconds.toFixed(1)} s, and written down`);
      await sidecar.kill('SIGKILL');
    } finally {
      execFileSync('umount', ['-l', place.outputs]);
    }
  });
});

/** The runner may have ended by itself, its trainer being dead. */
function killNow(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

test.skipIf(lacks('chattr'))(
  'a folder that takes no writes at the end: said so, and how it ended as soon as it does',
  async () => {
    const sidecar = await place.serve(slow);
    await started(sidecar, 'cat');
    const folder = join(place.outputs, 'cat');
    execFileSync('chattr', ['+i', folder]);
    try {
      const begun = performance.now();
      process.kill(attemptOf(place, 'cat').trainer_pid, 'SIGKILL');
      const ended = await sidecar.until('cat', (facts) => facts.reason !== null, 5);
      expect(ended.reason).toContain('trainer has ended');
      expect((performance.now() - begun) / 1000).toBeLessThan(3);
    } finally {
      execFileSync('chattr', ['-i', folder]);
    }
    const begun = performance.now();
    const facts = await sidecar.until('cat', (now) => now.status === 'failed', 20);
    expect(facts.attempts[0]).toMatchObject({ signal: 'SIGKILL' });
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    measured(
      15,
      `no writes taken: that it ended was said within 3 s, how it ended ${seconds} s after writes were taken again`,
    );
  },
);

async function started(sidecar: Sidecar, name: string): Promise<void> {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: name, max_train_epochs: 100, start: true });
  await sidecar.until(name, (facts) => facts.status === 'running');
}
