import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { stopAttempt } from '../../sidecar/launchers/stop.js';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import { cleanUpAfterEach, existing, newFolder, rewriteRecord, runIn, until } from '../launchers/outputFolder.js';
import { bundled } from './bundled.js';
import { lacks, measured } from './needs.js';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

cleanUpAfterEach();

test('10,000 records whose PIDs belong to others by now: not running, and nobody gets a signal', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['sleep', '60']);
  for (const pid of [record.pid, record.trainer_pid ?? 0]) signalProcess(existing(pid), 'SIGKILL');
  await until(() => liveness(folder).alive === 'no', 'both to be gone');
  const log = join(folder, 'signals');
  writeFileSync(log, '');
  const strangers = Array.from({ length: 20 }, () => witness(log));
  await until(() => readFileSync(log, 'utf8').split('ready').length > 20, 'the strangers');

  let slowest = 0;
  for (let round = 0; round < 10_000; round += 1) {
    const [runner, trainer] = [strangers[round % 20], strangers[(round * 7 + 3) % 20]];
    rewriteRecord(folder, {
      id: `attempt ${round}`,
      pid: runner?.pid,
      trainer_pid: trainer?.pid,
      // Half of them are off by as little as can be: the tick before, and the tick after.
      start_ticks: round % 2 ? (runner?.startTicks ?? 0) + (round % 4 === 1 ? 1 : -1) : record.start_ticks,
      trainer_start_ticks: record.trainer_start_ticks,
    });
    const begun = performance.now();
    const life = liveness(folder);
    slowest = Math.max(slowest, performance.now() - begun);
    if (life.alive !== 'no') throw new Error(`round ${round}: alive as ${JSON.stringify(life)}`);
    if (round % 100 === 0) await stopAttempt(folder, { graceSeconds: 0.1 });
  }
  expect(readFileSync(log, 'utf8').replaceAll('ready\n', '')).toBe('');
  for (const stranger of strangers) expect(readLiving(stranger)).not.toBeNull();
  expect(slowest).toBeLessThan(2000);
  measured(4, `10,000 reused PIDs: 0 signals to 20 strangers, read as not running in ${slowest.toFixed(0)} ms at most`);
  for (const stranger of strangers) signalProcess(stranger, 'SIGKILL');
}, 300_000);

/** Twenty stops at once through the folder of a record that names strangers are part of the loop; this one is by kernel. */
describe.skipIf(lacks('PID namespaces (root)'))('PIDs that the kernel has really given to others', () => {
  test('runner and trainer killed, strangers started under their very numbers: not running, 0 signals', async () => {
    const rounds = 30;
    const folder = newFolder();
    const printed = execFileSync(
      'unshare',
      [
        '-pf',
        '--mount-proc',
        'sh',
        '-c',
        '"$@"; exit $?',
        'init',
        process.execPath,
        await bundled('reuse', folder),
        folder,
        String(rounds),
        fixture('witness.py'),
      ],
      { encoding: 'utf8', timeout: 240_000 },
    );
    const result = JSON.parse(printed.trim().split('\n').at(-1) ?? '{}');
    expect(result).toMatchObject({ rounds, reused: rounds * 2, alive: 0, signals: 0 });
    expect(result.slowestMs).toBeLessThan(2000);
    measured(
      4,
      `${result.reused} PIDs reused by the kernel (ns_last_pid): 0 signals, not running in ${result.slowestMs} ms at most`,
    );
  });
});

/** A stranger that writes down every signal it gets. */
function witness(log: string) {
  const child = spawn('python3', ['-I', '-S', fixture('witness.py'), log], { stdio: 'ignore', detached: true });
  child.unref();
  return existing(child.pid ?? 0);
}
