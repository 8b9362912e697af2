import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { liveness } from '../../sidecar/launchers/liveness.js';
import { stopAttempt } from '../../sidecar/launchers/stop.js';
import { processesOf } from '../../sidecar/launchers/sweep.js';
import { isLiving, readLiving, readProcess } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import { explainEnd } from '../../sidecar/trainers/causes/explainEnd.js';
import { readConsole, startConsole } from '../../sidecar/trainers/sdOutput/consoleLines.js';
import { readStateFolders } from '../../sidecar/trainers/sdOutput/stateFolders.js';
import { cleanUpAfterEach, existing, logIn, newFolder, recordIn, runIn, until } from '../launchers/outputFolder.js';
import { makeTestSidecars, projectRoot } from '../sidecar.js';
import { lacks, measured } from './needs.js';

const bin = join(projectRoot, '.cache', 'accelerate', 'bin');
const script = fileURLToPath(new URL('fixtures/train_accelerate.py', import.meta.url));

cleanUpAfterEach();

describe.skipIf(lacks('accelerate and torch (npm run faults:accelerate installs them)'))(
  'behind a real accelerate launch',
  () => {
    test('a run to its end: console, checkpoints and real accelerate states are understood, and resumed from', async () => {
      const folder = newFolder();
      await runIn(folder, launch(folder, { epochs: 3 }));
      await ended(folder);
      expect(recordIn(folder)).toMatchObject({ exit_code: 0, signal: null });
      const { state } = readConsole(startConsole(), logIn(folder));
      expect(state).toMatchObject({ step: 24, totalSteps: 24, epoch: 3, epochs: 3, savingState: null });
      const states = await readStateFolders(folder, 'cat');
      expect(
        states.map(({ name, complete, reason, currentEpoch }) => [name, complete, reason, currentEpoch]).sort(),
      ).toEqual([
        ['cat-000001-state', true, null, 1],
        ['cat-000002-state', true, null, 2],
        ['cat-state', true, null, 3],
      ]);
      const resumed = launch(folder, { epochs: 3, more: [`--resume=${folder}/cat-000002-state`, '--initial_epoch=3'] });
      await runIn(folder, resumed, { number: 2, kind: 'resume' });
      await ended(folder);
      expect(recordIn(folder)).toMatchObject({ number: 2, exit_code: 0 });
      expect(logIn(folder).match(/^epoch \d\/3$/gm)).toEqual(['epoch 1/3', 'epoch 2/3', 'epoch 3/3', 'epoch 3/3']);
      expect(existsSync(join(folder, 'cat.safetensors'))).toBe(true);
    });

    test('Stop: launcher, trainer and loader workers are gone', async () => {
      const { folder, record } = await training();
      const count = processesOf(record).length;
      const begun = performance.now();
      await stopAttempt(folder);
      expect(processesOf(record)).toEqual([]);
      expect(recordIn(folder)).toMatchObject({ stop_signal: 'SIGTERM', ended_at: expect.any(String) });
      measured(11, `accelerate: ${count} processes, 0 left ${since(begun)} s after Stop`);
    });

    test('the trainer killed behind its launcher: "died with SIGKILL" without a traceback is told as out of memory where no counter denies it', async () => {
      const { folder, child } = await training();
      const begun = performance.now();
      signalProcess(child, 'SIGKILL');
      await ended(folder);
      const record = recordIn(folder);
      expect(record).toMatchObject({ exit_code: 1, signal: null });
      expect(logIn(folder)).toContain('died with <Signals.SIGKILL: 9>');
      const { oom_killed: oomKilled, oom_kills: oomKills } = record;
      const told = explainEnd(logIn(folder).slice(-8000), { code: 1, signal: null, oomKilled, oomKills }).words;
      expect(told).toContain('SIGKILL');
      expect(told).toContain(oomKills === null ? 'ran out of memory' : 'killed from outside');
      expect(Number(since(begun))).toBeLessThan(3);
      measured(15, `accelerate, trainer killed: told ${since(begun)} s later, the loader workers that it left ended`);
    });

    test('the launcher killed, its trainer trains on: it is ended, and the end is told', async () => {
      const { folder, record, child } = await training();
      const begun = performance.now();
      signalProcess(existing(record.trainer_pid ?? 0), 'SIGKILL');
      await until(() => recordIn(folder).signal !== null, 'the launcher to be dead');
      expect(readLiving(child)).not.toBeNull();
      expect(liveness(folder)).toMatchObject({ alive: 'here' });
      await ended(folder);
      // The runner itself is still leaving.
      expect(processesOf(record).filter(({ pid }) => pid !== record.pid)).toEqual([]);
      expect(recordIn(folder)).toMatchObject({ signal: 'SIGKILL' });
      measured(11, `accelerate, launcher killed: its orphan was ended ${since(begun)} s later`);
    });

    test.each([
      ['the runner', ['runner']],
      ['runner and launcher', ['runner', 'launcher']],
    ] as const)('%s killed: it is still running, and Stop reaches it', async (_, who) => {
      const { folder, record, child } = await training();
      signalProcess(existing(record.pid), 'SIGKILL');
      if ((who as readonly string[]).includes('launcher')) signalProcess(existing(record.trainer_pid ?? 0), 'SIGKILL');
      const dead = () => readLiving({ pid: record.pid, startTicks: record.start_ticks }) === null;
      await until(dead, 'the runner to be dead');
      expect(liveness(folder)).toMatchObject({ alive: 'here' });
      expect(readLiving(child)).not.toBeNull();
      const begun = performance.now();
      await stopAttempt(folder);
      expect(processesOf(record)).toEqual([]);
      expect(readLiving(child)).toBeNull();
      measured(11, `accelerate, ${_} killed before: 0 left ${since(begun)} s after Stop`);
    });

    test('started by hand in a terminal: shown running with its step, launcher, trainer and loader workers stopped once that is confirmed', async () => {
      const place = makeTestSidecars();
      try {
        const sidecar = await place.serve();
        const folder = join(place.outputs, 'mine');
        mkdirSync(folder, { recursive: true });
        const mine = join(place.folder, 'my_train_network.py');
        copyFileSync(script, mine);
        const log = openSync(join(place.folder, 'log'), 'a');
        const { TRACKSIDE_ATTEMPT: _, ...environment } = process.env;
        const [python = '', ...rest] = launch(folder, { seconds: 0.2 }).map((each) => (each === script ? mine : each));
        const child = spawn(python, rest, { cwd: place.folder, env: environment, stdio: ['ignore', log, log] });
        const seen = await sidecar.until('mine', (facts) => (facts.progress?.step ?? 0) > 2, 60);
        expect(seen).toMatchObject({ status: 'running', by_hand: { pid: child.pid }, next: 'stop' });
        expect(await sidecar.send('POST', 'sessions/mine/attempts', { kind: 'start' })).toMatchObject({ status: 409 });
        const theirs = () =>
          readdirSync('/proc').flatMap((name) => {
            const one = /^\d+$/.test(name) ? readProcess(Number(name)) : null;
            const line = one && isLiving(one) ? readFileSync(`/proc/${name}/cmdline`, 'latin1') : '';
            return line.includes(`--output_dir=${folder}`) ? [Number(name)] : [];
          });
        const count = theirs().length;
        expect(count).toBeGreaterThanOrEqual(2);
        const begun = performance.now();
        expect(await sidecar.send('DELETE', 'sessions/mine/attempts/current?confirm=by-hand')).toMatchObject({
          status: 202,
        });
        await until(() => theirs().length === 0, 'launcher, trainer and workers to end', 20);
        measured(11, `accelerate, started by hand: ${count} processes, 0 left ${since(begun)} s after Stop`);
      } finally {
        await place.leave();
      }
    });
  },
);

function launch(folder: string, { epochs = 1000, seconds = 0, more = [] as string[] }): string[] {
  return [
    ...[join(bin, 'python'), join(bin, 'accelerate'), 'launch', '--cpu', '--num_processes=1', '--num_machines=1'],
    ...['--mixed_precision=no', '--dynamo_backend=no', '--num_cpu_threads_per_process=1', script],
    ...[`--output_dir=${folder}`, '--output_name=cat', `--max_train_epochs=${epochs}`, `--step_seconds=${seconds}`],
    ...more,
  ];
}

/** A training that is in the middle of an epoch: `child` is the one that trains. */
async function training() {
  const folder = newFolder();
  const record = await runIn(folder, launch(folder, { seconds: 0.2 }), { stopGraceSeconds: 15, lingerSeconds: 10 });
  await until(() => /steps:.*\| 3\//.test(logIn(folder)), 'the third step', 120);
  const child = processesOf(record).find((one) => one.ppid === record.trainer_pid);
  if (!child) throw new Error('no trainer behind the launcher');
  return { folder, record, child };
}

async function ended(folder: string): Promise<void> {
  await until(() => recordIn(folder).ended_at !== null, 'the end', 120);
}

const since = (begun: number) => ((performance.now() - begun) / 1000).toFixed(1);
