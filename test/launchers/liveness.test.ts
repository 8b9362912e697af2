import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { beatForRunner, SILENT_SECONDS, secondsOfSilence } from '../../sidecar/launchers/heartbeat.js';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { stopAttempt } from '../../sidecar/launchers/stop.js';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import {
  bystander,
  cleanUpAfterEach,
  endIn,
  existing,
  fixture,
  logIn,
  newFolder,
  recordIn,
  rewriteRecord,
  runIn,
  until,
} from './outputFolder.js';

cleanUpAfterEach();

const no = { alive: 'no' };

describe('what is alive', () => {
  test('a training is alive from its start to its end', async () => {
    const folder = newFolder();
    expect(liveness(folder)).toEqual(no);
    const record = await runIn(folder, ['sh', '-c', 'sleep 0.2']);
    expect(liveness(folder)).toEqual({ alive: 'here', pid: record.pid, by: 'runner', attempt: record });
    await endIn(folder);
    expect(liveness(folder)).toEqual(no);
  });

  test('its runner killed, it is alive by its trainer; that one killed too, by whoever is left', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['python3', fixture('escape.py'), 'stay']);
    await until(() => logIn(folder).includes('escaped'), 'the escape');
    const escaped = Number(/escaped (\d+)/.exec(logIn(folder))?.[1]);
    signalProcess(existing(record.pid), 'SIGKILL');
    await until(() => liveness(folder).alive !== 'here' || byOf(folder) !== 'runner', 'the runner to be gone');
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'trainer', pid: record.trainer_pid });
    signalProcess(existing(record.trainer_pid ?? 0), 'SIGKILL');
    await until(() => byOf(folder) !== 'trainer', 'the trainer to be gone');
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'process', pid: escaped });
    signalProcess(existing(escaped), 'SIGKILL');
    await until(() => liveness(folder).alive === 'no', 'the end');
  });

  test.each(['', 'garbage', '1', '-1'])('training.pid spoiled with %j does not end a living training', async (text) => {
    const folder = newFolder();
    await runIn(folder, ['sleep', '60']);
    writeFileSync(join(folder, 'training.pid'), text);
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'runner' });
    rmSync(join(folder, 'training.pid'));
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'runner' });
  });

  test('a moved output folder still holds its training, a copy of it holds none', async () => {
    const folder = newFolder();
    const copy = newFolder();
    const moved = newFolder();
    await runIn(folder, ['sleep', '60']);
    cpSync(folder, copy, { recursive: true });
    expect(liveness(copy)).toEqual(no);
    renameSync(folder, moved);
    expect(liveness(moved)).toMatchObject({ alive: 'here' });
  });
});

describe('a stale training.pid reads as not running, and nobody is signalled', () => {
  /** A folder whose runner and trainer were killed, so that no end was recorded. */
  async function interrupted(): Promise<string> {
    const folder = newFolder();
    const record = await runIn(folder, ['sleep', '60']);
    signalProcess(existing(record.pid), 'SIGKILL');
    signalProcess(existing(record.trainer_pid ?? 0), 'SIGKILL');
    await until(() => liveness(folder).alive === 'no', 'both to be gone');
    expect(recordIn(folder).ended_at).toBeNull();
    return folder;
  }

  test('the PID of a process that is gone', async () => {
    const folder = await interrupted();
    await stopAttempt(folder);
    expect(liveness(folder)).toEqual(no);
  });

  test('the PID of some other living process, with and without a record', async () => {
    const folder = await interrupted();
    const stranger = bystander();
    writeFileSync(join(folder, 'training.pid'), `${stranger.process.pid}\n`);
    expect(liveness(folder)).toEqual(no);
    rewriteRecord(folder, { pid: stranger.process.pid, trainer_pid: stranger.process.pid });
    expect(liveness(folder)).toEqual(no);
    await stopAttempt(folder);
    rmSync(join(folder, 'attempt.json'));
    expect(liveness(folder)).toEqual(no);
    await stopAttempt(folder);
    expect(readLiving(stranger.process)).not.toBeNull();
  });

  test('a pipe that somebody put in the place of attempt.json', () => {
    const folder = newFolder();
    execFileSync('mkfifo', [join(folder, 'attempt.json')]);
    expect(liveness(folder)).toEqual(no);
  });

  test('a zombie', async () => {
    const keeper = newFolder();
    await runIn(keeper, ['python3', fixture('zombie.py')]);
    await until(() => logIn(keeper).includes('zombie'), 'the zombie');
    const zombie = existing(Number(/zombie (\d+)/.exec(logIn(keeper))?.[1]));
    const folder = await interrupted();
    writeFileSync(join(folder, 'training.pid'), `${zombie.pid}\n`);
    rewriteRecord(folder, { pid: zombie.pid, start_ticks: zombie.startTicks });
    expect(liveness(folder)).toEqual(no);
  });

  test.each(['', 'garbage', '-1', '1', '0'])('%j', async (text) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'training.pid'), text);
    expect(liveness(folder)).toEqual(no);
    await stopAttempt(folder);
    writeFileSync(join(folder, 'attempt.json'), 'garbage');
    expect(liveness(folder)).toEqual(no);
    await stopAttempt(folder);
  });
});

describe('an attempt of another pod', () => {
  const other = { hostname: 'pod-b', pid_namespace: 'pid:[1]', boot_id: 'of another machine' };

  test('is running elsewhere while its heartbeat is fresh, and is never signalled from here', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['sleep', '60']);
    rewriteRecord(folder, other);
    expect(liveness(folder)).toMatchObject({ alive: 'elsewhere', hostname: 'pod-b' });
    expect(await stopAttempt(folder, { how: 'ask' })).toBe('told');
    expect(recordIn(folder)).toMatchObject({ stop_signal: null });
    rmSync(join(folder, '.attempt.json.stop'));
    rewriteRecord(folder, {
      hostname: record.hostname,
      pid_namespace: record.pid_namespace,
      boot_id: record.boot_id,
    });
  });

  test('is not running when nothing was heard of it for a minute, and is again with the next heartbeat', async () => {
    const folder = newFolder();
    await runIn(folder, ['true']);
    await endIn(folder);
    rewriteRecord(folder, { ...other, ended_at: null });
    const touch = (secondsAgo: number) => {
      const time = Date.now() / 1000 - secondsAgo;
      utimesSync(join(folder, 'attempt.json'), time, time);
    };
    touch(61);
    expect(liveness(folder)).toEqual(no);
    // A clock that is an hour behind ours: what counts is that something moved.
    touch(3600);
    expect(liveness(folder)).toMatchObject({ alive: 'elsewhere' });
  });

  test('a container of this machine is gone as soon as nobody holds its lock, whatever its last heartbeat was', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['sleep', '60']);
    rewriteRecord(folder, { hostname: 'pod-b', pid_namespace: 'pid:[1]' });
    expect(liveness(folder)).toMatchObject({ alive: 'elsewhere', hostname: 'pod-b' });
    const second = newFolder();
    const python = join(second, 'python');
    writeFileSync(python, `#!/bin/sh\n[ "$3" = -c ] && echo 3 12 "$0" || exec python3 "$@"\n`, { mode: 0o755 });
    const died = await runIn(second, ['sleep', '60'], { python });
    for (const pid of [died.pid, died.trainer_pid ?? 0]) signalProcess(existing(pid), 'SIGKILL');
    await until(() => liveness(second).alive === 'no', 'both to be gone');
    // Its virtual environment is gone with it.
    rmSync(python);
    rewriteRecord(second, { id: randomUUID(), hostname: 'pod-b', pid_namespace: 'pid:[1]' });
    // A process that was killed holds its lock until the kernel has cleared it away.
    await until(() => liveness(second).alive === 'no', 'the lock to be free');
    expect(secondsOfSilence(second)).toBeLessThan(SILENT_SECONDS);
    rewriteRecord(folder, { hostname: record.hostname, pid_namespace: record.pid_namespace });
  });

  test('a container whose runner died before its trainer is spoken for by its sidecar, and not believed gone', async () => {
    const folder = newFolder();
    const died = await runIn(folder, ['sleep', '60']);
    for (const pid of [died.pid, died.trainer_pid ?? 0]) signalProcess(existing(pid), 'SIGKILL');
    await until(() => liveness(folder).alive === 'no', 'both to be gone');
    beatForRunner(folder);
    rewriteRecord(folder, { id: 'spoken-for', hostname: 'pod-b', pid_namespace: 'pid:[1]' });
    expect(liveness(folder)).toMatchObject({ alive: 'elsewhere' });
  });

  test('a restarted container reuses PIDs: the same numbers in another life of the namespace are others', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['sleep', '60']);
    const minuteAgo = Date.now() / 1000 - 61;
    rewriteRecord(folder, { init_start_ticks: (record.init_start_ticks ?? 0) + 1 });
    utimesSync(join(folder, 'attempt.json'), minuteAgo, minuteAgo);
    expect(liveness(folder)).toEqual(no);
    rewriteRecord(folder, { init_start_ticks: record.init_start_ticks });
    expect(liveness(folder)).toMatchObject({ alive: 'here' });
  });
});

function byOf(folder: string): string | null {
  const life = liveness(folder);
  return life.alive === 'here' ? life.by : null;
}
