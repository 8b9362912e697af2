import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, openSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HandRunFacts } from '../../sidecar/sessions/byHandFacts.js';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { datasetConfig } from '../../sidecar/trainers/datasetConfig.js';
import { BUSY } from '../busy.js';
import {
  exampleDataset,
  isAlive,
  makeTestSidecars,
  projectRoot,
  type Sidecar,
  type TestSidecars,
  until,
} from '../sidecar.js';

let place: TestSidecars;
let started: ChildProcess[];
beforeEach(() => {
  place = makeTestSidecars();
  started = [];
});
afterEach(async () => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await place.leave();
});

const script = join(projectRoot, 'trainer-bridge', 'practice_train_network.py');
const confirmed = { confirm: 'by-hand' };

/** As a person does in a terminal: their own folder, relative paths, and nothing of Trackside in the environment. */
function terminal(cwd: string, argv: string[], out: 'pipe' | string = 'pipe'): ChildProcess {
  const { TRACKSIDE_ATTEMPT: _, ...environment } = process.env;
  const stream = out === 'pipe' ? 'pipe' : openSync(out, 'a');
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest, {
    cwd,
    env: { ...environment, PRACTICE_STEP_SECONDS: '0.05', PYTHONUNBUFFERED: '1' },
    stdio: [out === 'pipe' ? 'pipe' : 'ignore', stream, stream],
  });
  child.stdout?.resume();
  child.stderr?.resume();
  started.push(child);
  return child;
}

function trainer(...flags: string[]): string[] {
  const folders = [{ imageDir: exampleDataset, classWords: 'cat', repeats: 1 }];
  const config = join(place.folder, 'dataset.toml');
  writeFileSync(config, datasetConfig({ folders, resolution: 64, batchSize: 1 }));
  const usual = ['--max_train_epochs=60', '--save_every_n_epochs=1', '--save_state'];
  return ['python3', '-u', script, `--dataset_config=${config}`, ...usual, ...flags];
}

async function found(sidecar: Sidecar, so: (facts: SessionFacts) => boolean = () => true): Promise<SessionFacts> {
  const all = await until(
    () => sidecar.get<SessionFacts[]>('sessions'),
    (sessions) => sessions.some((facts) => facts.by_hand !== null && so(facts)),
    8,
  );
  return all.find((facts) => facts.by_hand !== null) as SessionFacts;
}

test('a training started by hand is shown running with its step, not started twice, and stopped once that is confirmed', async () => {
  const sidecar = await place.serve();
  mkdirSync(join(place.outputs, 'mine'), { recursive: true });
  const begun = performance.now();
  const child = terminal(
    place.outputs,
    trainer('--output_dir', 'mine', '--output_name', 'mine'),
    join(place.folder, 'log'),
  );
  const seen = await found(sidecar);
  expect((performance.now() - begun) / 1000).toBeLessThan(5 * BUSY);
  expect(seen).toMatchObject({
    name: 'mine',
    trainer: 'practice',
    status: 'running',
    by_hand: { pid: child.pid },
    next: 'stop',
  });
  expect(seen.reason).toBe(`It was started by hand, process ${child.pid}.`);
  const { progress } = await found(sidecar, (facts) => (facts.progress.step ?? 0) > 2);
  expect(progress).toMatchObject({ phase: expect.any(String), total_steps: 600, epochs: 60 });

  for (const kind of ['start', 'resume', 'relaunch']) {
    const refused = await sidecar.send('POST', 'sessions/mine/attempts', { kind });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'already_running' } } });
  }
  expect((await sidecar.send('DELETE', 'sessions/mine')).status).toBe(409);
  const page = await (await fetch(`${sidecar.url}sessions/mine`, { headers: { accept: 'text/html' } })).text();
  expect(page).toContain(`Stop process ${child.pid}</button>`);

  const unconfirmed = await sidecar.send('DELETE', 'sessions/mine/attempts/current');
  expect(unconfirmed).toMatchObject({ status: 409, body: { error: { code: 'started_by_hand', field: 'confirm' } } });
  expect(unconfirmed.body.error.message).toContain('confirm=by-hand');
  const another = await sidecar.send('DELETE', 'sessions/mine/attempts/current', { ...confirmed, process: '4' });
  expect(another).toMatchObject({ status: 409, body: { error: { code: 'another_process' } } });
  expect(isAlive(child.pid ?? 0)).toBe(true);
  const stopped = await sidecar.send('DELETE', 'sessions/mine/attempts/current?confirm=by-hand');
  expect(stopped).toMatchObject({ status: 202, body: { status: 'stopping' } });
  await until(
    () => isAlive(child.pid ?? 0),
    (alive) => !alive,
  );
  expect(child.signalCode ?? 'SIGTERM').toBe('SIGTERM');
  // What was last seen of it stays, for its log lies elsewhere.
  const ended = await sidecar.until('mine', (facts) => facts.by_hand === null, 6);
  expect(ended.progress).toMatchObject({ total_steps: 600, epochs: 60 });
  expect(ended.progress.step ?? 0).toBeGreaterThan(2);
});

test('in the folder of a session of ours, and printing to a pipe, it is told by its checkpoints, and the record stays', async () => {
  const sidecar = await place.serve();
  const draft = { lora_name: 'cat', trainer: 'practice', dataset: 'example', enable_monitoring: true };
  expect((await sidecar.send('POST', 'sessions', draft)).status).toBe(201);
  const record = readFileSync(join(place.outputs, 'cat', 'ui_state.json'), 'utf8');
  const child = terminal(place.folder, trainer('--output_dir=outputs/cat', '--output_name=cat'));
  const seen = await found(sidecar, (facts) => facts.progress.epoch !== null);
  expect(seen).toMatchObject({ name: 'cat', status: 'running', record: 'whole', progress: { total_steps: 600 } });
  expect(seen.progress.step).toBe((seen.progress.epoch ?? 0) * 10);
  expect(await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' })).toMatchObject({ status: 409 });
  child.kill('SIGKILL');
  const after = await sidecar.until('cat', (facts) => facts.by_hand === null, 6);
  expect(after).toMatchObject({ status: 'draft', attempts: [] });
  expect(readFileSync(join(place.outputs, 'cat', 'ui_state.json'), 'utf8')).toBe(record);
});

test('one that prints to a pipe is told by the log that somebody keeps in its folder', async () => {
  const sidecar = await place.serve();
  const folder = join(place.outputs, 'piped');
  mkdirSync(folder, { recursive: true });
  // Of a run before.
  writeFileSync(join(folder, 'old.log'), 'steps:  50%|##| 300/600 [00:10<00:10,  1.00it/s, avr_loss=0.9]\n');
  utimesSync(join(folder, 'old.log'), 1e9, 1e9);
  terminal(place.outputs, trainer('--output_dir', 'piped', '--output_name', 'piped'));
  const log = join(folder, 'training.log');
  const bar = (step: number) => `\rsteps:  1%|#| ${step}/600 [00:10<10:00,  1.00it/s, avr_loss=0.5]`;
  writeFileSync(log, `running training\n  num epochs / epoch数: 60\n${bar(1)}${bar(2)}`);
  await found(sidecar, ({ progress }) => progress.step === 2);
  appendFileSync(log, bar(3));
  const { progress } = await found(sidecar, (facts) => facts.progress.step === 3);
  expect(progress).toMatchObject({ total_steps: 600, epochs: 60, loss: 0.5 });
});

test('the log of one that prints to a pipe is found where people keep it, and steps of before the first look give no pace', async () => {
  const sidecar = await place.serve();
  const script = join(place.folder, 'flux_train_network.py');
  writeFileSync(script, 'import time; time.sleep(60)');
  const bar = (step: number, loss: string) => `steps: 90%|#| ${step}/480 [1:20:15<08:45, 10.5s/it, avr_loss=${loss}]\n`;
  const kept = ['nightly/logs/run-3.log', 'by-name.log', 'terminal/typescript', 'mine/Output.TXT'];
  for (const path of kept) {
    const folder = join(place.outputs, path.split('/')[0]?.replace('.log', '') ?? '');
    mkdirSync(folder, { recursive: true });
    terminal(place.folder, ['python3', script, `--output_dir=${folder}`, '--output_name=x']);
    mkdirSync(dirname(join(place.outputs, path)), { recursive: true });
    writeFileSync(join(place.outputs, path), `epoch 31/40\n${bar(384, '0.231')}`);
  }
  const all = (step: number) => (sessions: SessionFacts[]) =>
    kept.length === sessions.filter(({ by_hand, progress }) => by_hand && progress.step === step).length;
  const read = () => sidecar.get<SessionFacts[]>('sessions');
  await until(read, all(384));
  for (const path of kept) appendFileSync(join(place.outputs, path), bar(432, '0.201'));
  const sessions = await until(read, all(432));
  const told = { total_steps: 480, epoch: 31, loss: 0.201, seconds_per_step: null, eta_seconds: null };
  for (const { progress } of sessions) expect(progress).toMatchObject(told);
});

test('one that writes elsewhere is listed on the home page, and it alone is stopped, launcher and trainer; who names a trainer is no trainer', async () => {
  const sidecar = await place.serve();
  const elsewhere = join(place.folder, 'elsewhere');
  const other = `--output_dir=${join(place.folder, 'b')}`;
  const bystanders = [
    terminal(place.folder, ['tail', '-f', script]),
    terminal(place.folder, ['grep', '-e', other, '-', script]),
    terminal(place.folder, ['sh', '-c', 'read line', script, other]),
    terminal(place.folder, ['python3', '-c', 'input()', script, other]),
  ];
  const launcher = join(place.folder, 'accelerate');
  writeFileSync(launcher, 'import subprocess, sys\nsubprocess.run([sys.executable, *sys.argv[2:]])\n');
  const flags = trainer(`--output_dir=${elsewhere}`, '--output_name', 'fox').slice(1);
  const child = terminal(place.folder, ['python3', launcher, 'launch', ...flags], join(place.folder, 'log'));
  const mine = (all: HandRunFacts[]) => all.filter(({ output_dir }) => output_dir.startsWith(place.folder));
  const listed = await until(
    () => sidecar.get<HandRunFacts[]>('by-hand'),
    (all) => mine(all).some(({ progress }) => (progress.step ?? 0) > 1),
    8,
  );
  expect(mine(listed)).toMatchObject([
    { name: 'fox', status: 'running', output_dir: elsewhere, pid: child.pid, script: 'practice_train_network.py' },
  ]);
  expect(await sidecar.get('sessions')).toEqual([]);
  const page = await (await fetch(sidecar.url, { headers: { accept: 'text/html' } })).text();
  expect(page).toContain('Also running on this machine');
  const [trains] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').map(Number);
  expect(isAlive(trains ?? 0)).toBe(true);
  expect(page).toContain(`Stop process ${child.pid}</button>`);

  expect((await sidecar.send('DELETE', `by-hand/${child.pid}`)).status).toBe(409);
  expect((await sidecar.send('DELETE', `by-hand/${bystanders[0]?.pid}`, confirmed)).status).toBe(404);
  expect(await sidecar.send('DELETE', `by-hand/${child.pid}`, confirmed)).toMatchObject({ status: 202 });
  await until(
    async () => mine(await sidecar.get<HandRunFacts[]>('by-hand')),
    (all) => all.length === 0,
  );
  for (const pid of [child.pid, trains]) expect(isAlive(pid ?? 0)).toBe(false);
  for (const bystander of bystanders) expect(isAlive(bystander.pid ?? 0)).toBe(true);
});
