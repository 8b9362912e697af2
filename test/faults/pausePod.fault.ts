import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { exampleDataset, makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { fill } from './fill.js';
import { lacks, measured } from './needs.js';
import { startPod } from './pod.js';

/** Exact pause where it may not end: a pod that leaves it ten seconds, as Docker does, and a disk without room. */
let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
  cpSync(exampleDataset, join(place.datasets, 'example'), { recursive: true });
  mkdirSync(place.outputs);
});
afterEach(async () => {
  // Trainers first: they hold the disk.
  await place.leave().catch(() => {});
  execFileSync('sh', ['-c', 'umount -l "$0" 2>/dev/null; true', place.outputs]);
  await place.leave();
});

const TO_SIGKILL_MS = 10_000;
const exact = { TRACKSIDE_EXACT_PAUSE: 'on', PRACTICE_STEP_SECONDS: '0.15' };
const ended = ({ status }: SessionFacts) => ['stopped', 'completed', 'failed'].includes(status);

test.skipIf(lacks('PID namespaces (root)')).each([
  [1, 'its step'],
  [5, 'its step'],
  [10, 'the state before'],
])('a pod that is shut down while its state takes %i s to write goes on exactly from %s', async (seconds, from) => {
  const slow = await startPod(place, 'pod-a', { ...exact, PRACTICE_SAVE_SECONDS: String(seconds) });
  await train(slow, 'cat');
  // The state of epoch 2 is whole.
  await slow.until('cat', ({ progress }) => (progress.step ?? 0) >= 23, 300);
  const init = readFileSync(`/proc/${slow.pid}/task/${slow.pid}/children`, 'utf8').trim();
  execFileSync('nsenter', ['-t', init, '-p', '-m', 'sh', '-c', 'kill -TERM -1'], { stdio: 'ignore' });
  await sleep(TO_SIGKILL_MS);
  await slow.kill();
  const half = readdirSync(join(place.outputs, 'cat')).filter((name) => name.endsWith('.making'));

  const pod = await startPod(place, 'pod-a', exact);
  const dead = await pod.until('cat', ended);
  const step = dead.resume?.step ?? 0;
  if (from === 'its step') {
    expect(dead).toMatchObject({ resume: { exact: true, lost_steps: 0 } });
    expect(step).toBeGreaterThanOrEqual(23);
    expect(half).toEqual([]);
  } else {
    expect(dead).toMatchObject({ resume: { exact: true, step: 20, state: 'cat-000002-state' } });
    expect(half).toHaveLength(1);
  }
  await goesOnAsIfNothingHadBeen(pod, 4);
  expect(readdirSync(join(place.outputs, 'cat')).filter((name) => name.endsWith('.making'))).toEqual([]);
  measured(8, `a state of ${seconds} s, killed 10 s after SIGTERM: ${dead.reason} Resumed exactly at step ${step}.`);
  await pod.kill();
});

const skip = lacks('mounting (root)');

test.skipIf(skip)('a full disk: a pause is told as failed, the training goes on, and the next one works', async () => {
  const sidecar = await onSmallDisk();
  await train(sidecar, 'cat', 40, 100);
  await sidecar.until('cat', ({ exact_pause, progress }) => exact_pause !== null && (progress.step ?? 0) >= 3);
  fillBut(28_000);
  const asked = await sidecar.send('POST', 'sessions/cat/attempts/current/pause');
  expect(asked.status).toBe(202);
  const told = await sidecar.until('cat', ({ reason, pausing }) => /could not pause/.test(reason ?? '') && !pausing);
  expect(told).toMatchObject({ status: 'running', reason: expect.stringContaining('No space left on device') });
  const { step } = told.progress;
  await sidecar.until('cat', ({ progress }) => (progress.step ?? 0) > (step ?? 0) + 5);
  empty();
  await until(
    () => sidecar.send('POST', 'sessions/cat/attempts/current/pause'),
    ({ status }) => status === 202,
  );
  const paused = await sidecar.until('cat', ended);
  expect(paused).toMatchObject({ reason_code: 'paused', resume: { exact: true, lost_steps: 0 } });
  measured(14, `a pause on a full disk: ${told.reason}`);
});

test.skipIf(skip)('SIGTERM on a full disk asks again: it pauses once there is room, and loses nothing', async () => {
  const sidecar = await onSmallDisk();
  await train(sidecar, 'cat', 40, 100);
  await sidecar.until('cat', ({ exact_pause, progress }) => exact_pause !== null && (progress.step ?? 0) >= 3);
  fillBut(28_000);
  process.kill(Number(readFileSync(join(place.outputs, 'cat', 'training.pid'), 'utf8')));
  const log = () => readFileSync(join(place.outputs, 'cat', 'training.log'), 'utf8');
  await until(log, (text) => text.includes('could not pause'));
  empty();
  const paused = await sidecar.until('cat', ended);
  expect(paused).toMatchObject({
    reason: expect.stringContaining('nothing is lost'),
    resume: { exact: true, lost_steps: 0 },
  });
  expect(log().match(/could not pause/g)).toHaveLength(1);
});

test.skipIf(skip)(
  'SIGTERM on a disk that stays full ends it after its grace; it goes on exactly from the state before',
  async () => {
    const sidecar = await onSmallDisk();
    await train(sidecar, 'cat', 8);
    await sidecar.until('cat', ({ progress }) => (progress.step ?? 0) >= 23, 60);
    fillBut(0);
    process.kill(Number(readFileSync(join(place.outputs, 'cat', 'training.pid'), 'utf8')));
    await sidecar.until('cat', ended, 60);
    empty();
    const dead = await sidecar.until('cat', ({ resume }) => resume !== null);
    expect(dead).toMatchObject({ status: 'stopped', resume: { exact: true, step: 20 } });
    await goesOnAsIfNothingHadBeen(sidecar, 8);
  },
);

/** Resumes it, and compares its final weights with those of a run that nobody disturbed. */
async function goesOnAsIfNothingHadBeen(sidecar: Sidecar, epochs: number): Promise<void> {
  expect(await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
  await train(sidecar, 'alone', epochs);
  for (const name of ['cat', 'alone']) {
    expect(await sidecar.until(name, ended, 300)).toMatchObject({
      status: 'completed',
      progress: { step: epochs * 10 },
    });
  }
  expect(weightsOf('cat').equals(weightsOf('alone'))).toBe(true);
}

async function onSmallDisk(): Promise<Sidecar> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', place.outputs]);
  return place.serve({ ...exact, PRACTICE_STEP_SECONDS: '0.3' });
}

async function train(sidecar: Sidecar, name: string, epochs = 4, save_every_n_epochs = 2): Promise<void> {
  const asked = {
    ...quick,
    network_dim: 128,
    lora_name: name,
    max_train_epochs: epochs,
    save_every_n_epochs,
    start: true,
  };
  expect(await sidecar.send('POST', 'sessions', asked)).toMatchObject({ status: 201 });
}

/** Leaves room for so many bytes: for a request and a trainer's own log, and not for a state. */
function fillBut(leave: number): void {
  const path = join(place.outputs, 'filler');
  fill(path);
  execFileSync('truncate', ['-s', `-${leave}`, path]);
}

function empty(): void {
  rmSync(join(place.outputs, 'filler'));
}

/** The bytes of all tensors: what is before them holds times, too. */
function weightsOf(name: string): Buffer {
  const bytes = readFileSync(join(place.outputs, name, `${name}.safetensors`));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
}
