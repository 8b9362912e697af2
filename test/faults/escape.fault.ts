import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AttemptRecord } from '../../sidecar/launchers/attemptFile.js';
import { launchRunner } from '../../sidecar/launchers/launch.js';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { stopAttempt } from '../../sidecar/launchers/stop.js';
import { processesOf } from '../../sidecar/launchers/sweep.js';
import { readLiving, readProcess } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import {
  bystander,
  cleanUpAfterEach,
  existing,
  launchOf,
  logIn,
  newFolder,
  recordIn,
  runIn,
  until,
} from '../launchers/outputFolder.js';
import { until as eventually, makeTestSidecars, quick } from '../sidecar.js';
import { lacks, measured } from './needs.js';
import { marked } from './pod.js';

const getaway = fileURLToPath(new URL('fixtures/getaway.py', import.meta.url));
const seconds = (since: number) => (performance.now() - since) / 1000;

cleanUpAfterEach();

describe('a trainer written to escape: 45 s after Stop nobody of it is left', () => {
  test.each([
    ['all alive', []],
    ['the launcher killed before', ['trainer']],
    ['the runner killed before', ['runner']],
    ['runner and launcher killed before', ['runner', 'trainer']],
  ] as const)('%s', async (_, killed) => {
    const { folder, record, pids } = await escaping('stay');
    const stranger = bystander();
    if ((killed as readonly string[]).includes('runner')) kill(record.pid);
    if ((killed as readonly string[]).includes('trainer')) kill(record.trainer_pid ?? 0);
    const begun = performance.now();
    await stopAttempt(folder);
    const took = seconds(begun);
    expect(leftOf(pids())).toEqual([]);
    expect(processesOf(record)).toEqual([]);
    expect(liveness(folder)).toEqual({ alive: 'no' });
    expect(readLiving(stranger.process)).not.toBeNull();
    expect(took).toBeLessThan(45);
    measured(11, `${pids().length} processes in 8 ways out, ${_}: 0 left ${took.toFixed(1)} s after Stop`);
  });

  test('its launcher dies by itself: what it left is ended too, without a Stop', async () => {
    const { folder, pids } = await escaping('die');
    const begun = performance.now();
    await until(() => recordIn(folder).ended_at !== null, 'the end', 45);
    expect(leftOf(pids())).toEqual([]);
    expect(recordIn(folder)).toMatchObject({ exit_code: 0 });
    measured(11, `launcher ended by itself: 0 of ${pids().length} left ${seconds(begun).toFixed(1)} s later`);
  });
});

describe('through a sidecar', () => {
  const place = { now: makeTestSidecars() };
  beforeEach(() => {
    place.now = makeTestSidecars();
  });
  afterEach(() => place.now.leave());

  test.each([
    ['no ps at all', null],
    ['a BusyBox ps', 'busybox'],
  ])('%s in PATH changes nothing', async (_, box) => {
    if (box && lacks('busybox')) return;
    const path = join(place.now.folder, 'bin');
    mkdirSync(path);
    const where = (name: string) => execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    symlinkSync(python, join(path, 'python3'));
    if (box) {
      writeFileSync(join(path, 'ps'), `#!/bin/sh\nexec ${where('busybox')} ps "$@"\n`);
      chmodSync(join(path, 'ps'), 0o755);
    }
    const sidecar = await place.now.serve({ PATH: path, PRACTICE_STEP_SECONDS: '0.05' });
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 60, start: true });
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 2);
    const { id } = JSON.parse(readFileSync(join(place.now.outputs, 'cat', 'attempt.json'), 'utf8'));
    const begun = performance.now();
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    await sidecar.until('cat', (facts) => facts.status === 'stopped', 45);
    expect(marked(id)).toEqual([]);
    measured(11, `${_} in PATH: stopped in ${seconds(begun).toFixed(1)} s`);
  });

  test('a save that takes long is let through, and 120 s after Stop nobody is left', async () => {
    const sidecar = await place.now.serve({ PRACTICE_STEP_SECONDS: '0.02', PRACTICE_SAVE_SECONDS: '10' });
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
    const { id } = await eventually(
      () => JSON.parse(readFileSync(join(place.now.outputs, 'cat', 'attempt.json'), 'utf8')),
      (record) => record.trainer_pid !== null,
    );
    await sidecar.until('cat', (facts) => facts.progress.phase === 'saving', 30);
    const begun = performance.now();
    await sidecar.send('DELETE', 'sessions/cat/attempts/current');
    const stopped = await sidecar.until('cat', (facts) => facts.status === 'stopped', 120);
    expect(marked(id)).toEqual([]);
    expect(stopped.resume).toMatchObject({ epoch: 1 });
    measured(11, `Stop in the middle of a save of 10 s: saved, and 0 left ${seconds(begun).toFixed(1)} s later`);
  });
});

async function escaping(end: 'stay' | 'die') {
  const folder = newFolder();
  const file = join(folder, 'pids');
  const argv = ['python3', '-I', '-S', getaway, file, end];
  const more = { stopGraceSeconds: 15, lingerSeconds: 10 };
  if (end === 'stay') await runIn(folder, argv, more);
  else await launchRunner(launchOf(folder, argv, more));
  await until(() => logIn(folder).includes('ready'), 'the escape', 30);
  const first = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  const identities = first.flatMap((pid) => readProcess(pid) ?? []);
  return { folder, record: recordIn(folder) as AttemptRecord, pids: () => identities };
}

function leftOf(identities: { pid: number; startTicks: number }[]): number[] {
  return identities.flatMap((one) => (readLiving(one) ? [one.pid] : []));
}

function kill(pid: number): void {
  signalProcess(existing(pid), 'SIGKILL');
}
