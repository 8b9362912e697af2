import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { readAttempt } from '../../sidecar/launchers/attemptFile.js';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import { BUSY } from '../busy.js';
import {
  cleanUpAfterEach,
  endIn,
  existing,
  fixture,
  logIn,
  newFolder,
  pidIn,
  recordIn,
  rewriteRecord,
  runIn,
  until,
} from '../launchers/outputFolder.js';

cleanUpAfterEach();

const shell = (script: string) => ['sh', '-c', script];
const given = (output: string, id: string, ...argv: string[]) => [
  ...['-I', '-S', bridge.runner, '--output', output, '--attempt', id],
  // No number is given twice in a folder.
  ...['--number', String((readAttempt(output)?.number ?? 1) + 1)],
  ...['--kind', 'resume', '--cwd', '/', '--', ...argv],
];
const runnerByHand = (output: string, ...argv: string[]) =>
  spawnSync('python3', given(output, 'by-hand', ...argv), { encoding: 'utf8' });
const runnerByHandLater = (output: string, ...argv: string[]) =>
  new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = execFile('python3', given(output, 'by-hand', ...argv), (_, __, stderr) =>
      resolve({ code: child.exitCode, stderr }),
    );
  });
const signalAttempt = (pid: number, signal: NodeJS.Signals) => expect(signalProcess(existing(pid), signal)).toBe(true);

describe('how an attempt ends is written down', () => {
  test('the exit code, and which bytes of the log are its own', async () => {
    const folder = newFolder();
    await runIn(folder, shell('echo first'));
    await endIn(folder);
    await runIn(folder, shell('echo second; exit 1'), { number: 2, kind: 'resume' });
    const record = await endIn(folder);
    expect(record).toMatchObject({ number: 2, kind: 'resume', exit_code: 1, signal: null, stop_signal: null });
    expect(logIn(folder).slice(0, 8)).toBe('── attem');
    expect(logIn(folder)).toMatch(/first\n\n── attempt 2 · resume · [-0-9T:.]+Z ──\nsecond\n$/);
    const bytes = readFileSync(join(folder, 'training.log'));
    expect(bytes.subarray(record.log_start, record.log_end ?? 0).toString()).toBe('second\n');
    await until(() => !existsSync(join(folder, 'training.pid')), 'training.pid to be removed');
    expect(readdirSync(folder).sort()).toEqual(['attempt.json', 'training.log']);
  });

  test('nowhere, when the folder was deleted meanwhile: the runner ends all the same', async () => {
    const folder = newFolder();
    const { pid } = await runIn(folder, shell('sleep 0.5'));
    const runner = existing(pid);
    rmSync(folder, { recursive: true });
    await until(() => readLiving(runner) === null, 'the runner to end', 10);
  });

  test('the signal that killed the trainer', async () => {
    const folder = newFolder();
    await runIn(folder, shell('kill -KILL $$'));
    expect(await endIn(folder)).toMatchObject({ exit_code: null, signal: 'SIGKILL', oom_killed: false });
  });

  test.each([
    [
      'a trainer that does not exist',
      ['/no/such/trainer'],
      undefined,
      127,
      'No such file or directory: /no/such/trainer',
    ],
    ['a trainer that may not be executed', ['/etc/passwd'], undefined, 126, 'Permission denied: /etc/passwd'],
    ['a folder to start in that does not exist', ['true'], '/no/such/folder', 127, 'directory: /no/such/folder'],
  ])('%s is an attempt that failed, in words', async (_, argv, cwd, code, words) => {
    const folder = newFolder();
    const record = await runIn(folder, argv, cwd ? { cwd } : {});
    expect(record).toMatchObject({ exit_code: code, trainer_pid: null });
    expect(record.ended_at).not.toBeNull();
    expect(record.reason).toContain(words);
    expect(logIn(folder)).toContain(record.reason);
  });
});

describe('the trainer gets what it was given', () => {
  test('arguments as they are, no input, the mark, and signals that work', async () => {
    const folder = newFolder();
    const odd = ["it's", 'a  b', '$HOME', '--', '-x', '', '鏡 🎨'];
    const script = [
      'import os, signal, sys',
      'print(sys.argv[1:], repr(sys.stdin.read()), os.environ["TRACKSIDE_ATTEMPT"], os.getcwd())',
      'print([s.name for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD) if signal.getsignal(s) == signal.SIG_IGN])',
      'print(signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getpgrp() == os.getppid())',
    ].join('\n');
    const record = await runIn(folder, ['python3', '-c', script, ...odd]);
    await endIn(folder);
    const [, got, ignored, mask] = logIn(folder).split('\n');
    expect(got).toBe(`["it's", 'a  b', '$HOME', '--', '-x', '', '鏡 🎨'] '' ${record.id} ${folder}`);
    expect(ignored).toBe('[]');
    expect(mask).toBe('set() True');
  });
});

describe('one attempt at a time', () => {
  test('of two runners started at once exactly one starts its trainer, twenty times over', async () => {
    const folder = newFolder();
    for (let round = 0; round < 20; round++) {
      const ends = ['a', 'b'].map((id) => exitCode(given(folder, `${round}${id}`, 'sleep', '60')));
      expect(await Promise.race(ends)).toBe(75);
      await until(() => liveness(folder).alive === 'here', 'the winner');
      signalAttempt(recordIn(folder).pid, 'SIGTERM');
      expect((await Promise.all(ends)).sort()).toEqual([0, 75]);
    }
    expect(logIn(folder).match(/── attempt/g)).toHaveLength(20);
  });

  test('an attempt that was begun once is not begun again, whoever asks: its number has to be new', async () => {
    const folder = newFolder();
    await runIn(folder, ['true'], { number: 3 });
    await endIn(folder);
    const before = logIn(folder);
    for (const number of ['1', '3']) {
      const again = given(folder, 'again', 'true').map((word) => (word === '4' ? number : word));
      const refused = spawnSync('python3', again, { encoding: 'utf8' });
      expect(refused.status).toBe(75);
      expect(refused.stderr).toMatch(
        /^Attempt 3 of this folder was begun on .+ and ended .+: [13] is not a newer one\.\n$/,
      );
    }
    expect(logIn(folder)).toBe(before);
    // A number that no attempt ever had holds nothing up.
    for (const number of [Number.MAX_SAFE_INTEGER, -1, 2.5, '7', null]) {
      rewriteRecord(folder, { number });
      expect(runnerByHand(folder, 'true').status, String(number)).toBe(0);
    }
  });

  test('a foreign record that gives no sign of life takes nothing from the attempt that runs: its own is written again', async () => {
    const folder = newFolder();
    const { id } = await runIn(folder, ['sleep', '60']);
    rewriteRecord(folder, { id: 'of a copy', number: Number.MAX_SAFE_INTEGER });
    await until(() => recordIn(folder).id === id, 'the record', 14);
    rewriteRecord(folder, { id: 'once more' });
    signalAttempt(recordIn(folder).pid, 'SIGTERM');
    await until(() => recordIn(folder).ended_at !== null, 'the end', 14);
    expect(recordIn(folder)).toMatchObject({ id, number: 1, signal: 'SIGTERM' });
  });

  test('a refused runner changes nothing and says who holds the folder', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['sleep', '60']);
    const before = logIn(folder);
    const refused = runnerByHand(folder, 'true');
    expect(refused.status).toBe(75);
    expect(refused.stderr).toMatch(new RegExp(`^Attempt 1 is using this folder: PID ${record.pid} on .*\n$`));
    expect(logIn(folder)).toBe(before);
    expect(recordIn(folder)).toEqual(record);
    expect(pidIn(folder)).toBe(record.pid);
  });

  test('SIGKILL of the runner leaves the trainer at work and the folder held', async () => {
    const folder = newFolder();
    const record = await runIn(folder, shell('while :; do echo step; sleep 0.02; done'));
    signalAttempt(record.pid, 'SIGKILL');
    await until(() => liveness(folder).alive === 'here' && existing(record.trainer_pid ?? 0).ppid !== record.pid, 'it');
    const before = logIn(folder).length;
    await until(() => logIn(folder).length > before, 'the trainer to go on');
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'trainer', pid: record.trainer_pid });
    expect(runnerByHand(folder, 'true').status).toBe(75);
  });

  test('a worker that outlived runner and trainer holds the folder by its mark, without the lock', async () => {
    const folder = newFolder();
    const worker = 'import os, time; os.closerange(3, 100); print("unlocked", flush=True); time.sleep(60)';
    const record = await runIn(folder, shell(`python3 -c '${worker}' & wait`));
    await until(() => logIn(folder).includes('unlocked'), 'the worker');
    signalAttempt(record.pid, 'SIGKILL');
    signalAttempt(record.trainer_pid ?? 0, 'SIGKILL');
    await until(() => livesBy(folder) === 'process', 'only the worker to be left');
    const refused = runnerByHand(folder, 'true');
    expect(refused.status).toBe(75);
    expect(refused.stderr).toContain('Still running: ');
  });

  test('an attempt that gives signs of life from another machine holds the folder, whatever its clock says; a silent one does not', async () => {
    const folder = newFolder();
    await runIn(folder, ['true']);
    await endIn(folder);
    rewriteRecord(folder, { id: 'theirs', hostname: 'pod-b', boot_id: 'of another machine', ended_at: null });
    const path = join(folder, 'attempt.json');
    let time = Date.now() / 1000 - 86_400;
    const beat = () => utimesSync(path, ++time, time);
    beat();
    const beats = setInterval(beat, 2000);
    const refused = await runnerByHandLater(folder, 'true');
    clearInterval(beats);
    expect(refused).toMatchObject({ code: 75, stderr: expect.stringContaining('It is still running there.') });
    // Watched for long enough by a sidecar, or else by the runner itself, though its last sign of life is young.
    utimesSync(path, Date.now() / 1000, Date.now() / 1000);
    const last = statSync(path, { bigint: true }).mtimeNs;
    const begun = performance.now();
    const told = spawnSync('python3', given(folder, 'by-hand', 'true').toSpliced(3, 0, '--silent', `theirs:${last}`));
    expect(told.status).toBe(0);
    expect(performance.now() - begun).toBeLessThan(2000 * BUSY);
    rewriteRecord(folder, { id: 'theirs', hostname: 'pod-b', boot_id: 'of another machine', ended_at: null });
    expect((await runnerByHandLater(folder, 'true')).code).toBe(0);
    expect(performance.now() - begun).toBeGreaterThan(6000);
  });

  test('frozen while another pod took over, a runner ends its own trainer as soon as it thaws', async () => {
    const folder = newFolder();
    const { trainer_pid } = await runIn(folder, ['sleep', '60']);
    const trainer = existing(trainer_pid ?? 0);
    rewriteRecord(folder, { id: 'theirs', number: 2, hostname: 'pod-b' });
    // A copy that somebody put there does not beat.
    await new Promise((resolve) => setTimeout(resolve, 4500));
    expect(readLiving(trainer)).not.toBeNull();
    const beats = setInterval(() => rewriteRecord(folder, {}), 1000);
    await until(() => readLiving(trainer) === null, 'the trainer to be ended', 8);
    clearInterval(beats);
    expect(recordIn(folder)).toMatchObject({ id: 'theirs', ended_at: null });
  });

  test('an attempt of a container of this machine that nobody holds the lock of does not hold the folder', async () => {
    const folder = newFolder();
    await runIn(folder, ['true']);
    await endIn(folder);
    rewriteRecord(folder, { hostname: 'pod-b', pid_namespace: 'pid:[1]', ended_at: null });
    expect(runnerByHand(folder, 'true').status).toBe(0);
  });

  test('a folder that cannot be written starts nothing', () => {
    expect(runnerByHand('/no/such/folder', 'true').status).toBe(74);
    const folder = newFolder();
    mkdirSync(join(folder, 'training.log'));
    const refused = runnerByHand(folder, 'touch', join(folder, 'started'));
    expect(refused.status).toBe(74);
    expect(refused.stderr).toContain("Can't write to ");
    expect(readdirSync(folder)).toEqual(['training.log']);
  });
});

describe('kill $(cat training.pid)', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the training, and the record says so', async (signal) => {
    const folder = newFolder();
    await runIn(folder, ['sleep', '60']);
    signalAttempt(pidIn(folder), signal);
    expect(await endIn(folder)).toMatchObject({ stop_signal: signal, signal: 'SIGTERM' });
    expect(liveness(folder)).toEqual({ alive: 'no' });
  });

  test('also with a Python that knows no pidfd, as conda builds them', async () => {
    const folder = newFolder();
    const script = `import os, runpy, signal, sys
del os.pidfd_open, signal.pidfd_send_signal
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')`;
    const child = spawn('python3', ['-I', '-S', '-c', script, ...given(folder, 'by-hand', 'sleep', '60').slice(2)]);
    await until(() => liveness(folder).alive === 'here' && recordIn(folder).trainer_pid !== null, 'the trainer');
    child.kill('SIGTERM');
    expect(await endIn(folder)).toMatchObject({ stop_signal: 'SIGTERM', signal: 'SIGTERM' });
    expect(logIn(folder)).not.toContain('Traceback');
  });

  test('a trainer that will not end is killed after the grace, and what escaped from it too', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['python3', fixture('escape.py'), 'stay']);
    await until(() => logIn(folder).includes('escaped'), 'the escape');
    const escaped = existing(Number(/escaped (\d+)/.exec(logIn(folder))?.[1]));
    expect(escaped.pgid).not.toBe(record.pid);
    signalAttempt(record.pid, 'SIGTERM');
    const end = await endIn(folder);
    expect(end).toMatchObject({ stop_signal: 'SIGTERM', signal: 'SIGKILL', oom_killed: false });
    expect(() => existing(escaped.pid)).toThrow();
  });

  test('a closed terminal ends nothing', async () => {
    const folder = newFolder();
    const record = await runIn(folder, shell('sleep 0.3; exit 4'));
    signalAttempt(record.pid, 'SIGHUP');
    signalAttempt(record.trainer_pid ?? 0, 'SIGHUP');
    expect(await endIn(folder)).toMatchObject({ exit_code: 4, stop_signal: null });
  });
});

describe('nothing is left behind', () => {
  test('what the trainer left behind may finish, and its lines belong to the attempt', async () => {
    const folder = newFolder();
    await runIn(folder, shell('(sleep 0.3; echo late) & exit 0'), { lingerSeconds: 10 });
    const record = await endIn(folder);
    expect(record).toMatchObject({ exit_code: 0 });
    expect(record.log_end).toBe(statSync(join(folder, 'training.log')).size);
    expect(logIn(folder)).toContain('late');
  });

  test('what does not finish is ended, and the exit code is there before that', async () => {
    const folder = newFolder();
    await runIn(folder, shell('sleep 60 & exit 0'), { lingerSeconds: 1 });
    await until(() => recordIn(folder).exit_code === 0, 'the exit code');
    expect(recordIn(folder).ended_at).toBeNull();
    expect(liveness(folder)).toMatchObject({ alive: 'here', by: 'runner' });
    expect(await endIn(folder)).toMatchObject({ exit_code: 0, signal: null });
  });
});

describe('the record heals', () => {
  test('a heartbeat writes deleted files anew, and leaves those of another attempt alone', async () => {
    const folder = newFolder();
    const record = await runIn(folder, ['true']);
    await endIn(folder);
    const heartbeat = () =>
      spawnSync('python3', ['-c', beat, folder, record.id], { env: { ...process.env, PYTHONPATH: bridge.folder } })
        .status;
    const beat =
      'import os, sys; from trackside._attempt import record; record.touch(os.open(sys.argv[1], os.O_RDONLY), {"id": sys.argv[2]})';
    rmSync(join(folder, 'attempt.json'));
    expect(heartbeat()).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'attempt.json'), 'utf8'))).toEqual({ id: record.id });
    expect(pidIn(folder)).toBeGreaterThan(1);
    writeFileSync(join(folder, 'attempt.json'), '{"id": "another"}');
    utimesSync(join(folder, 'attempt.json'), 1000, 1000);
    expect(heartbeat()).toBe(0);
    expect(statSync(join(folder, 'attempt.json')).mtimeMs).toBe(1000_000);
  });
});

test('python -m trackside.runner --help explains itself, and wrong usage is refused', () => {
  const run = (...flags: string[]) =>
    spawnSync('python3', ['-m', 'trackside.runner', ...flags], {
      env: { ...process.env, PYTHONPATH: bridge.folder },
      encoding: 'utf8',
    });
  const help = run('--help');
  expect(help.status).toBe(0);
  for (const word of ['--output', '--attempt', '75', '74', 'SIGTERM', '-- COMMAND'])
    expect(help.stdout).toContain(word);
  expect(run('--output', '/tmp').status).toBe(2);
});

function livesBy(folder: string): string | null {
  const life = liveness(folder);
  return life.alive === 'here' ? life.by : null;
}

function exitCode(flags: string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = execFile('python3', flags, () => resolve(child.exitCode));
  });
}
