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

let count = 0;
/** A test that is tried again begins with a session of its own. */
const own = (name: string) => `${name}-${++count}`;

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
  const name = own('far');
  await trainOnPodB(name);
  const stopping = await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  expect(stopping).toMatchObject({ status: 202, body: { status: 'stopping' } });
  const stopped = await sidecar.until(name, ({ status }) => status === 'stopped', 25);
  expect(stopped).toMatchObject({ interrupted: false, stopped_by: 'you', reason: 'Stopped by you.' });
  expect(attemptOf(place, name)).toMatchObject({ stop_signal: null, stop_requested_at: expect.any(String) });
  expect(stateOf(name)).toMatchObject({ status: 'stopped', attempts: [{ outcome: 'stopped' }] });
});

test.concurrent('a training on another host can be stopped after its next checkpoint', async () => {
  const name = own('later');
  await trainOnPodB(name);
  const asked = await sidecar.send('DELETE', `sessions/${name}/attempts/current?when=after-save`);
  expect(asked.status).toBe(202);
  const stopped = await sidecar.until(name, ({ status }) => status === 'stopped', 25);
  expect(stopped).toMatchObject({ stopped_by: 'you', resume: { lost_steps: expect.any(Number) } });
  expect(stopped.resume?.lost_steps).toBeLessThan(60);
});

test.concurrent('a request for another attempt, a broken one and a folder in its place stop nothing', async () => {
  const name = own('going-on');
  await sidecar.send('POST', 'sessions', { ...slow, lora_name: name, start: true });
  const { id } = attemptOf(place, name);
  const file = inFolder(name, '.attempt.json.stop');
  for (const request of ['{"attempt":"another"}', `{"attempt":"${id}`, `["${id}"]`, 'null', '[['.repeat(50_000)]) {
    writeFileSync(file, request);
    await nextBeat(name);
    expect(attemptOf(place, name)).toMatchObject({ stop_requested_at: null, ended_at: null });
  }
  await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  await sidecar.until(name, ({ status }) => status === 'stopped');
});

async function nextBeat(name: string): Promise<void> {
  const beat = () => statSync(inFolder(name, 'attempt.json')).mtimeMs;
  const before = beat();
  await until(beat, (now) => now > before, 10);
}

test.concurrent('SIGTERM from a cluster’s daemon is an interruption, not a stop by hand', async () => {
  const name = own('job');
  await sidecar.send('POST', 'sessions', { ...slow, lora_name: name, start: true });
  await sidecar.until(name, ({ progress }) => (progress.step ?? 0) > 12);
  const daemon = join(place.folder, 'slurmstepd');
  writeFileSync(daemon, '#!/bin/bash\nkill "$1"\nsleep 1\n', { mode: 0o755 });
  execFileSync(daemon, [String(attemptOf(place, name).pid)]);
  const ended = await sidecar.until(name, ({ status }) => status === 'stopped', 25);
  expect(ended).toMatchObject({ interrupted: true, stopped_by: null, reason_code: 'ended_by_daemon', next: 'resume' });
  expect(ended.reason).toContain('SIGTERM came from slurmstepd');
});

test.concurrent('what trains on a host without a sidecar is written down here: that it runs, and how it ended', async () => {
  const name = own('node');
  const folder = join(place.outputs, name);
  mkdirSync(folder);
  writeFileSync(inFolder(name, 'ui_state.json'), JSON.stringify({ lora_name: name, status: 'draft' }));
  const argv = ['--output', folder, '--attempt', 'of-a-job', '--number', '1', '--kind', 'start', '--cwd', folder];
  spawn('python3', ['-I', '-S', bridge.runner, ...argv, '--', 'sh', '-c', 'sleep 6; exit 3']);
  await until(
    () => sidecar.get<unknown[]>('sessions'),
    () => attemptThere(folder),
  );
  moveToPodB(name);
  await until(
    () => stateOf(name),
    ({ status }) => status === 'running',
    10,
  );
  const ended = await sidecar.until(name, ({ status }) => status === 'failed', 20);
  expect(ended.attempts).toMatchObject([{ number: 1, exit_code: 3, alive: false }]);
  await until(
    () => stateOf(name),
    ({ status }) => status === 'failed',
  );
  expect(stateOf(name).attempts).toMatchObject([{ id: 'of-a-job', outcome: 'failed', exit_code: 3 }]);
});

function attemptThere(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, 'attempt.json'), 'utf8')).trainer_pid !== null;
  } catch {
    return false;
  }
}

test.concurrent('an attempt number that no attempt ever had holds nothing up: the next one is a small one', async () => {
  const name = own('absurd');
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: name, max_train_epochs: 1, start: true });
  await sidecar.until(name, ({ status }) => status === 'completed', 30);
  for (const number of [Number.MAX_SAFE_INTEGER, -4, 1e300]) {
    const record = { ...attemptOf(place, name), number, log_start: number, log_end: -number };
    writeFileSync(inFolder(name, 'attempt.json'), JSON.stringify(record));
    const state = stateOf(name);
    state.attempts[0].number = number;
    writeFileSync(inFolder(name, 'ui_state.json'), JSON.stringify(state));
    for (const path of [`sessions/${name}`, 'sessions', `sessions/${name}/log`, `sessions/${name}/states`, '']) {
      expect((await sidecar.send('GET', path)).status, path).toBeLessThan(500);
    }
    const again = await sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'relaunch' });
    expect([201, 409, 422], JSON.stringify(again.body)).toContain(again.status);
    if (again.status === 201) {
      expect(again.body.number).toBeLessThan(10);
      await sidecar.until(name, ({ status }) => status === 'completed', 30);
    }
  }
});
