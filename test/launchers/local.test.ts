import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { local } from '../../sidecar/launchers/local.js';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import {
  cleanUpAfterEach,
  endIn,
  existing,
  launchOf,
  newFolder,
  recordIn,
  rewriteRecord,
  runIn,
  until,
} from './outputFolder.js';

cleanUpAfterEach();

const deaf = ['sh', '-c', 'trap "" TERM; echo; while :; do sleep 0.1; done'];
const jobIn = (folder: string) => ({ attempt: recordIn(folder).id, folder, ref: null });

async function lookAt(folder: string) {
  const job = jobIn(folder);
  return (await local.look([job])).get(job.attempt);
}

test('offers the GPUs of this machine, or says why there are none, and has no queues', async () => {
  const { gpus, missing, queues } = await local.offers();
  expect(gpus.length > 0).toBe(missing === null);
  expect(queues).toEqual([]);
});

test('what was submitted is found by its attempt, and looked at until its end', async () => {
  const folder = newFolder();
  const submitted = await local.submit(launchOf(folder, ['sleep', '60']));
  const job = jobIn(folder);
  const { pid, started_at } = recordIn(folder);
  const ref = { launcher: 'local', attempt: job.attempt, id: String(pid), cluster: null };
  expect(submitted).toEqual({ ok: true, ref });
  expect(await local.find([job, { ...job, attempt: 'another' }])).toEqual([ref]);
  expect(await lookAt(folder)).toEqual({ phase: 'running', hosts: [hostname()], startedAt: started_at, endsAt: null });
  expect((await local.look([{ ...job, attempt: 'another' }])).get('another')).toMatchObject({ phase: 'unknown' });
  expect(await local.cancel(job, 'end')).toBe('gone');
  expect(await lookAt(folder)).toMatchObject({ phase: 'ended', how: 'cancelled', signal: 'SIGTERM', exitCode: null });
  expect(await local.cancel(job, 'end')).toBe('gone');
});

test.each([
  [['sh', '-c', 'exit 3'], { how: 'by itself', exitCode: 3 }],
  [
    ['/no/such/trainer'],
    { how: 'never started', exitCode: 127, words: expect.stringContaining('could not be started') },
  ],
])('an end without a cancel: %j', async (argv, told) => {
  const folder = newFolder();
  await runIn(folder, argv);
  await endIn(folder);
  expect(await lookAt(folder)).toMatchObject({ phase: 'ended', ...told });
});

test('ask tells the runner and waits for nobody; kill leaves the trainer no time', async () => {
  const folder = newFolder();
  await runIn(folder, deaf, { stopGraceSeconds: 60 });
  expect(await local.cancel(jobIn(folder), 'ask')).toBe('told');
  await until(() => recordIn(folder).stop_signal === 'SIGTERM', 'the runner to hear of it');
  expect(await lookAt(folder)).toMatchObject({ phase: 'ending' });
  expect(await local.cancel(jobIn(folder), 'kill')).toBe('gone');
  expect(recordIn(folder)).toMatchObject({ signal: 'SIGKILL', ended_at: expect.any(String) });
});

test('ask reaches nobody where the runner is dead, and nothing is out of reach of the end', async () => {
  const folder = newFolder();
  const runner = existing((await runIn(folder, ['sleep', '60'])).pid);
  signalProcess(runner, 'SIGKILL');
  await until(() => readLiving(runner) === null, 'the runner to be gone');
  expect(await local.cancel(jobIn(folder), 'ask')).toBe('unreachable');
  expect(await local.cancel(jobIn(folder), 'end')).toBe('gone');
  expect(await lookAt(folder)).toMatchObject({ phase: 'ended', how: 'node lost' });
});

test('an attempt of another machine gets no signal: its runner is asked, by a file in its folder', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['sleep', '60']);
  rewriteRecord(folder, { pid_namespace: 'pid:[1]', hostname: 'far' });
  const trainer = existing(record.trainer_pid ?? 0);
  expect(await local.cancel(jobIn(folder), 'ask')).toBe('told');
  expect(readLiving(trainer)).not.toBeNull();
  expect(await local.cancel(jobIn(folder), 'end')).toBe('gone');
  expect(readLiving(trainer)).toBeNull();
  expect(recordIn(folder)).toMatchObject({ stop_signal: null, stop_requested_at: expect.any(String) });
  expect(await lookAt(folder)).toMatchObject({ phase: 'ended', how: 'cancelled' });
});
