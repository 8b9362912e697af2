import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { launchRunner, trainerEnvironment } from '../../sidecar/launchers/launch.js';
import { liveness } from '../../sidecar/launchers/liveness.js';
import {
  cleanUpAfterEach,
  endIn,
  existing,
  fixture,
  launchOf,
  logIn,
  newFolder,
  pidIn,
  recordIn,
  until,
} from './outputFolder.js';

cleanUpAfterEach();

test('a launched training runs in a session of its own, under the PID that is answered', async () => {
  const folder = newFolder();
  const launched = await launchRunner(launchOf(folder, ['sleep', '60']));
  expect(launched).toEqual({
    ok: true,
    ref: { launcher: 'local', attempt: recordIn(folder).id, id: String(pidIn(folder)), cluster: null },
  });
  expect(recordIn(folder)).toMatchObject({ pid: pidIn(folder), trainer_pid: expect.any(Number) });
  const [runner, trainer] = [existing(recordIn(folder).pid), existing(recordIn(folder).trainer_pid ?? 0)];
  expect([runner.pgid, trainer.pgid, trainer.ppid]).toEqual([runner.pid, runner.pid, runner.pid]);
});

test('a second launch is told who holds the folder, and leaves the log alone', async () => {
  const folder = newFolder();
  await launchRunner(launchOf(folder, ['sleep', '60']));
  const before = logIn(folder);
  expect(await launchRunner(launchOf(folder, ['sleep', '60']))).toEqual({
    ok: false,
    code: 'held',
    message: expect.stringMatching(`^Attempt 1 is using this folder: PID ${pidIn(folder)} on `),
  });
  expect(logIn(folder)).toBe(before);
});

test('what keeps a training from starting is told', async () => {
  const folder = newFolder();
  const launch = launchOf(folder, ['true']);
  expect(await launchRunner({ ...launch, python: 'no-such-python' })).toEqual({
    ok: false,
    code: 'no_python',
    message: 'no-such-python is not a working Python: no such program.',
  });
  expect(await launchRunner({ ...launch, python: 'false' })).toMatchObject({ ok: false, code: 'no_python' });
  const python = join(folder, 'python');
  writeFileSync(python, `#!/bin/sh\n[ "$3" = -c ] && echo 3 12 "$0" || { echo "no $3" >&2; exit 2; }\n`, {
    mode: 0o755,
  });
  expect(await launchRunner({ ...launch, python })).toEqual({
    ok: false,
    code: 'failed',
    message: `The runner ended immediately (status 2). no ${bridge.runner}`,
  });
  rmSync(python);
  expect(await launchRunner({ ...launch, python })).toEqual({
    ok: false,
    code: 'no_python',
    message: `${python} is not a working Python: no such program.`,
  });
  expect(await launchRunner({ ...launch, folder: '/no/such' })).toMatchObject({ code: 'unwritable' });
  mkdirSync(join(folder, 'training.log'));
  expect(await launchRunner(launch)).toMatchObject({ ok: false, code: 'unwritable' });
});

test('a trainer gets an environment that keeps its log readable, and none of our secrets', async () => {
  const ours = { PATH: process.env.PATH, TQDM_ASCII: '1', FORCE_COLOR: '3', TRACKSIDE_TOKEN: 'secret', HF_HOME: '/hf' };
  expect(trainerEnvironment(ours)).toEqual({
    PATH: process.env.PATH,
    HF_HOME: '/hf',
    PYTHONUNBUFFERED: '1',
    COLUMNS: '500',
    PYTHONIOENCODING: 'utf-8',
  });
  const folder = newFolder();
  await launchRunner(launchOf(folder, ['env'], { environment: ours }));
  const { id } = await endIn(folder);
  expect(logIn(folder)).toContain(`TRACKSIDE_ATTEMPT=${id}\n`);
  expect(logIn(folder)).not.toMatch(/TQDM|secret|FORCE_COLOR/);
});

test('a PYTHONPATH that breaks Python does not break the runner', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'json.py'), 'raise SystemExit("broken")');
  const environment = { ...process.env, PYTHONPATH: folder, PYTHONHOME: '/nowhere' };
  expect(await launchRunner(launchOf(folder, ['true'], { environment }))).toMatchObject({ ok: true });
  expect(await endIn(folder)).toMatchObject({ exit_code: 0 });
});

test('the starter killed, the trainer keeps its PID and not one line of its log is lost', async () => {
  const folder = newFolder();
  const script = 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i"; done; sleep 0.2; echo last; sleep 60';
  const runner = ['-I', '-S', bridge.runner, '--output', folder, '--attempt', `s${Date.now()}`];
  const rest = ['--number', '1', '--kind', 'start', '--cwd', folder, '--', 'sh', '-c', script];
  const starter = spawn('node', [fixture('starter.mjs'), ...runner, ...rest], { stdio: 'ignore' });
  await until(() => liveness(folder).alive === 'here' && recordIn(folder).trainer_pid !== null, 'the training');
  starter.kill('SIGKILL');
  const trainer = existing(recordIn(folder).trainer_pid ?? 0);
  await until(() => logIn(folder).endsWith('last\n'), 'the last line');
  expect(existing(trainer.pid).startTicks).toBe(trainer.startTicks);
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index + 1}`);
  expect(logIn(folder).split('\n').slice(1, -2)).toEqual(lines);
});

test('of sixty launches at once one trains, and every other is told so', async () => {
  const folder = newFolder();
  const launches = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const launched = await launchRunner(launchOf(folder, ['sleep', '60']));
      return { launched, attempt: recordIn(folder).id };
    }),
  );
  expect(launches.filter(({ launched }) => launched.ok)).toHaveLength(1);
  for (const { launched } of launches) if (!launched.ok) expect(launched.code).toBe('held');
  expect(new Set(launches.map(({ attempt }) => attempt)).size).toBe(1);
});
