import { expect, test } from 'vitest';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { stopAttempt } from '../../sidecar/launchers/stop.js';
import { processesOf } from '../../sidecar/launchers/sweep.js';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import { canFreeze, freeze } from './freeze.js';
import {
  bystander,
  cleanUpAfterEach,
  existing,
  fixture,
  logIn,
  newFolder,
  recordIn,
  runIn,
  until,
} from './outputFolder.js';

cleanUpAfterEach();

const shell = (script: string) => ['sh', '-c', script];

test('stop ends a training, and the record says how', async () => {
  const folder = newFolder();
  const record = await runIn(folder, shell('sleep 60 & sleep 60'));
  const stranger = bystander();
  expect(await stopAttempt(folder)).toBe('gone');
  expect(processesOf(record)).toEqual([]);
  expect(recordIn(folder)).toMatchObject({ stop_signal: 'SIGTERM', signal: 'SIGTERM', ended_at: expect.any(String) });
  expect(existing(stranger.process.pid).startTicks).toBe(stranger.process.startTicks);
});

test('the trainer hears SIGTERM once', async () => {
  const folder = newFolder();
  await runIn(folder, shell('trap "echo told; n=x$n" TERM; echo ready; while [ "$n" != xx ]; do sleep 0.05; done'));
  await until(() => logIn(folder).includes('ready'), 'the trainer');
  await stopAttempt(folder, { graceSeconds: 1 });
  expect(logIn(folder).match(/told/g)).toHaveLength(1);
});

test('stop twice is one stop, and stop of nothing is done at once', async () => {
  const folder = newFolder();
  await stopAttempt(folder);
  await runIn(folder, ['sleep', '60']);
  const first = stopAttempt(folder);
  expect(stopAttempt(folder)).toBe(first);
  await first;
  expect(liveness(folder)).toEqual({ alive: 'no' });
  await stopAttempt(folder);
});

test('children, double forks and setsid escapees that ignore SIGTERM are gone after the grace', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['python3', fixture('escape.py'), 'stay'], { stopGraceSeconds: 60 });
  await until(() => logIn(folder).includes('escaped'), 'the escape');
  expect(processesOf(record)).toHaveLength(3);
  await stopAttempt(folder, { graceSeconds: 0.3 });
  expect(processesOf(record)).toEqual([]);
  expect(recordIn(folder)).toMatchObject({ signal: 'SIGKILL', ended_at: expect.any(String) });
});

test('the runner dead, stop reaches the trainer and what escaped from it', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['python3', fixture('escape.py'), 'stay']);
  await until(() => logIn(folder).includes('escaped'), 'the escape');
  signalProcess(existing(record.pid), 'SIGKILL');
  await until(() => processesOf(record).length === 2, 'the runner to be gone');
  await stopAttempt(folder, { graceSeconds: 0.3 });
  expect(processesOf(record)).toEqual([]);
});

test('the launcher dead, its workers are found though they hide their environment', async () => {
  const folder = newFolder();
  const record = await runIn(folder, shell('env -i sleep 60 & env -i sleep 61 & wait'), { lingerSeconds: 60 });
  await until(() => processesOf(record).length === 4, 'the workers');
  signalProcess(existing(record.trainer_pid ?? 0), 'SIGKILL');
  await until(() => processesOf(record).length === 3, 'the launcher to be gone');
  await stopAttempt(folder);
  expect(processesOf(record)).toEqual([]);
});

test('who was seen when the stop began is followed, when everybody who could vouch for it has died', async () => {
  const folder = newFolder();
  const deaf = 'import signal, time; signal.signal(15, signal.SIG_IGN); print("deaf", flush=True); time.sleep(60)';
  const record = await runIn(folder, shell(`setsid env -i "$(command -v python3)" -c '${deaf}' & wait`));
  await until(() => logIn(folder).includes('deaf'), 'the worker');
  const worker = processesOf(record).find((one) => one.pgid !== record.pid);
  signalProcess(existing(record.pid), 'SIGKILL');
  await until(() => processesOf(record).length === 2, 'the runner to be gone');
  await stopAttempt(folder, { graceSeconds: 0.3 });
  expect(worker && readLiving(worker)).toBeNull();
});

test.each([
  ['prints into the log', '&'],
  ['prints nowhere', '>/dev/null 2>&1 </dev/null &'],
])(
  'runner and trainer dead before anyone looked, who left session and environment behind and %s is found',
  async (_, to) => {
    const folder = newFolder();
    const record = await runIn(folder, shell(`env -i setsid "$(command -v sleep)" 60 ${to} sleep 61`));
    await until(() => processesOf(record).length === 4, 'the worker');
    const worker = processesOf(record).find((one) => one.pgid === one.pid && one.pid !== record.pid);
    for (const pid of [record.pid, record.trainer_pid ?? 0]) signalProcess(existing(pid), 'SIGKILL');
    expect(worker).toBeDefined();
    await until(() => byOf(folder) === 'process', 'both to be gone');
    const reader = bystander(['tail', '-f', `${folder}/training.log`]);
    const lister = bystander(['sh', '-c', 'exec sleep 60 3<"$0"', folder]);
    await stopAttempt(folder, { graceSeconds: 0.3 });
    expect(worker && readLiving(worker)).toBeNull();
    expect(liveness(folder)).toEqual({ alive: 'no' });
    for (const { process } of [reader, lister]) expect(readLiving(process)).not.toBeNull();
  },
);

test('a runner that is frozen does not keep its training alive', async () => {
  const folder = newFolder();
  const record = await runIn(folder, ['sleep', '60']);
  signalProcess(existing(record.pid), 'SIGSTOP');
  await until(() => existing(record.pid).state === 'T', 'the runner to freeze');
  await stopAttempt(folder, { graceSeconds: 0.2, recordSeconds: 0.2 });
  expect(processesOf(record)).toEqual([]);
  expect(liveness(folder)).toEqual({ alive: 'no' });
});

test.skipIf(!canFreeze)('who survives SIGKILL is named, and the runner that only waits for it is not', async () => {
  const folder = newFolder();
  const { pid, trainer_pid: trainer } = await runIn(folder, ['sleep', '60']);
  const thaw = await freeze(trainer ?? 0);
  try {
    const times = { graceSeconds: 0.2, recordSeconds: 0.2, giveUpSeconds: 0.5 };
    expect(await stopAttempt(folder, times)).toEqual({ remain: [trainer] });
    expect(liveness(folder)).toMatchObject({ alive: 'here', pid });
  } finally {
    thaw();
  }
  expect(await stopAttempt(folder)).toBe('gone');
});

function byOf(folder: string): string | null {
  const life = liveness(folder);
  return life.alive === 'here' ? life.by : null;
}
