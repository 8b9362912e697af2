import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { attemptOf } from '../faults/pod.js';
import { makeTestSidecars, quick, type Sidecar, until } from '../sidecar.js';

// Another host is an edited attempt.json here; test/faults/pods.fault.ts has real namespaces.
const place = makeTestSidecars();
let sidecar: Sidecar;
beforeAll(async () => {
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
});
afterAll(() => place.leave());

const slow = { ...quick, max_train_epochs: 200, enable_checkpointing: true };
const inFolder = (name: string, file: string) => join(place.outputs, name, file);
const stateOf = (name: string) => JSON.parse(readFileSync(inFolder(name, 'ui_state.json'), 'utf8'));

async function trainOnPodB(name: string): Promise<void> {
  await sidecar.send('POST', 'sessions', { ...slow, lora_name: name, start: true });
  await sidecar.until(name, ({ progress }) => (progress.step ?? 0) > 2);
  moveToPodB(name);
  await sidecar.until(name, ({ reason }) => reason?.includes('running on pod-b') ?? false);
}

function moveToPodB(name: string): void {
  const there = { ...attemptOf(place, name), boot_id: 'another', pid_namespace: 'pid:[1]', hostname: 'pod-b' };
  writeFileSync(inFolder(name, 'attempt.json'), JSON.stringify(there));
}

test.concurrent('Stop reaches a training on another host through its folder, and it is stopped by you', async () => {
  await trainOnPodB('far');
  const stopping = await sidecar.send('DELETE', 'sessions/far/attempts/current');
  expect(stopping).toMatchObject({ status: 202, body: { status: 'stopping' } });
  const stopped = await sidecar.until('far', ({ status }) => status === 'stopped', 25);
  expect(stopped).toMatchObject({ interrupted: false, stopped_by: 'you', reason: 'Stopped by you.' });
  expect(attemptOf(place, 'far')).toMatchObject({ stop_signal: null, stop_requested_at: expect.any(String) });
  expect(stateOf('far')).toMatchObject({ status: 'stopped', attempts: [{ outcome: 'stopped' }] });
});

test.concurrent('a training on another host can be stopped after its next checkpoint', async () => {
  await trainOnPodB('later');
  const asked = await sidecar.send('DELETE', 'sessions/later/attempts/current?when=after-save');
  expect(asked.status).toBe(202);
  const stopped = await sidecar.until('later', ({ status }) => status === 'stopped', 25);
  expect(stopped).toMatchObject({ stopped_by: 'you', resume: { lost_steps: expect.any(Number) } });
  expect(stopped.resume?.lost_steps).toBeLessThan(60);
});

test.concurrent('a request for another attempt, a broken one and a folder in its place stop nothing', async () => {
  await sidecar.send('POST', 'sessions', { ...slow, lora_name: 'going on', start: true });
  const { id } = attemptOf(place, 'going-on');
  const file = inFolder('going-on', '.attempt.json.stop');
  for (const request of ['{"attempt":"another"}', `{"attempt":"${id}`, `["${id}"]`, 'null', '[['.repeat(50_000)]) {
    writeFileSync(file, request);
    await nextBeat('going-on');
    expect(attemptOf(place, 'going-on')).toMatchObject({ stop_requested_at: null, ended_at: null });
  }
  await sidecar.send('DELETE', 'sessions/going-on/attempts/current');
  await sidecar.until('going-on', ({ status }) => status === 'stopped');
});

async function nextBeat(name: string): Promise<void> {
  const beat = () => statSync(inFolder(name, 'attempt.json')).mtimeMs;
  const before = beat();
  await until(beat, (now) => now > before, 10);
}

test.concurrent('SIGTERM from a cluster’s daemon is an interruption, not a stop by hand', async () => {
  await sidecar.send('POST', 'sessions', { ...slow, lora_name: 'job', start: true });
  await sidecar.until('job', ({ progress }) => (progress.step ?? 0) > 12);
  const daemon = join(place.folder, 'slurmstepd');
  writeFileSync(daemon, '#!/bin/bash\nkill "$1"\nsleep 1\n', { mode: 0o755 });
  execFileSync(daemon, [String(attemptOf(place, 'job').pid)]);
  const ended = await sidecar.until('job', ({ status }) => status === 'stopped', 25);
  expect(ended).toMatchObject({ interrupted: true, stopped_by: null, reason_code: 'ended_by_daemon', next: 'resume' });
  expect(ended.reason).toContain('SIGTERM came from slurmstepd');
});

test.concurrent('what trains on a host without a sidecar is written down here: that it runs, and how it ended', async () => {
  const folder = join(place.outputs, 'node');
  mkdirSync(folder);
  writeFileSync(inFolder('node', 'ui_state.json'), JSON.stringify({ lora_name: 'node', status: 'draft' }));
  const argv = ['--output', folder, '--attempt', 'of-a-job', '--number', '1', '--kind', 'start', '--cwd', folder];
  spawn('python3', ['-I', '-S', bridge.runner, ...argv, '--', 'sh', '-c', 'sleep 6; exit 3']);
  await until(
    () => sidecar.get<unknown[]>('sessions'),
    () => attemptThere(folder),
  );
  moveToPodB('node');
  await until(
    () => stateOf('node'),
    ({ status }) => status === 'running',
    10,
  );
  const ended = await sidecar.until('node', ({ status }) => status === 'failed', 20);
  expect(ended.attempts).toMatchObject([{ number: 1, exit_code: 3, alive: false }]);
  await until(
    () => stateOf('node'),
    ({ status }) => status === 'failed',
  );
  expect(stateOf('node').attempts).toMatchObject([{ id: 'of-a-job', outcome: 'failed', exit_code: 3 }]);
});

function attemptThere(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'attempt.json'), 'utf8')).trainer_pid !== null;
  } catch {
    return false;
  }
}

test.concurrent('an attempt number that no attempt ever had holds nothing up: the next one is a small one', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'absurd', max_train_epochs: 1, start: true });
  await sidecar.until('absurd', ({ status }) => status === 'completed', 30);
  for (const number of [Number.MAX_SAFE_INTEGER, -4, 1e300]) {
    const record = { ...attemptOf(place, 'absurd'), number, log_start: number, log_end: -number };
    writeFileSync(inFolder('absurd', 'attempt.json'), JSON.stringify(record));
    const state = stateOf('absurd');
    state.attempts[0].number = number;
    writeFileSync(inFolder('absurd', 'ui_state.json'), JSON.stringify(state));
    for (const path of ['sessions/absurd', 'sessions', 'sessions/absurd/log', 'sessions/absurd/states', '']) {
      expect((await sidecar.send('GET', path)).status, path).toBeLessThan(500);
    }
    const again = await sidecar.send('POST', 'sessions/absurd/attempts', { kind: 'relaunch' });
    expect([201, 409, 422], JSON.stringify(again.body)).toContain(again.status);
    if (again.status === 201) {
      expect(again.body.number).toBeLessThan(10);
      await sidecar.until('absurd', ({ status }) => status === 'completed', 30);
    }
  }
});
