import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import type { HandRunFacts } from '../../sidecar/sessions/byHandFacts.js';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import { attemptOf, marked } from '../faults/pod.js';
import { makeTestSidecars, quick, type Sidecar, until } from '../sidecar.js';

// What people do to the folder of a training while it trains.
const environment = { PRACTICE_STEP_SECONDS: '0.05', TRACKSIDE_AUTO_RESUME_DELAYS: '0.2' };
const [place, other] = [makeTestSidecars(), makeTestSidecars()];
let sidecar: Sidecar;
beforeAll(async () => {
  sidecar = await place.serve(environment);
});
afterAll(async () => {
  for (const each of [place, other]) await each.leave();
});

const long = { ...quick, max_train_epochs: 300, enable_checkpointing: true };
const at = (...names: string[]) => join(place.outputs, ...names);
type Notices = { notices: { about: string; message: string }[] };

async function train(name: string, more: object = {}, steps = 2): Promise<string> {
  // Of a try before.
  remove(at(name));
  await sidecar.send('POST', 'sessions', { ...long, ...more, lora_name: name, start: true });
  await sidecar.until(name, ({ progress }) => (progress.step ?? 0) > steps, 40);
  return attemptOf(place, name).id;
}

async function stop(name: string): Promise<SessionFacts> {
  await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  return sidecar.until(name, ({ status }) => status === 'stopped', 40);
}

const ended = (id: string, seconds = 40) =>
  until(
    () => marked(id),
    (left) => left.length === 0,
    seconds,
  );

/** As in a terminal: a file that goes away meanwhile is no reason to stop. */
function copy(from: string, to: string, how = '-r'): void {
  spawnSync('cp', [how, from, to]);
}

function remove(path: string): void {
  while (existsSync(path)) spawnSync('rm', ['-rf', path]);
}

test.concurrent('a copy of a running session is a backup: not interrupted, never resumed by itself, and it says of what', async () => {
  for (const name of ['backup', 'rsynced', 'again', 'half', 'host', 'later']) remove(at(name));
  for (const path of [join(place.folder, 'half'), other.outputs]) remove(path);
  await train('cat', { enable_monitoring: true }, 12);
  copy(at('cat'), at('backup'));
  copy(at('cat'), at('rsynced'), '-a');
  copy(at('backup'), at('again'));
  // A copy that is not done yet, or one of settings and states alone.
  copy(at('cat'), join(place.folder, 'half'));
  rmSync(join(place.folder, 'half', 'attempt.json'));
  renameSync(join(place.folder, 'half'), at('half'));
  copy(at('cat'), at('host'));
  writeFileSync(at('host', 'attempt.json'), JSON.stringify({ ...attemptOf(place, 'host'), boot_id: 'another' }));
  mkdirSync(other.outputs);
  copy(at('cat'), join(other.outputs, 'cat'));
  const elsewhere = await other.serve({ ...environment, TRACKSIDE_DATASETS: place.datasets });
  const copies: [Sidecar, string][] = [
    ...['backup', 'rsynced', 'again', 'half', 'host'].map((name): [Sidecar, string] => [sidecar, name]),
    [elsewhere, 'cat'],
  ];
  const areBackups = async () => {
    for (const [where, name] of copies) {
      expect(await where.session(name), name).toMatchObject({
        status: 'stopped',
        interrupted: false,
        stopped_by: null,
        copy_of: at('cat'),
        reason: expect.stringContaining(`copy of ${at('cat')}`),
        auto_resume: { on: true, will: false },
        attempts: [{ alive: false }],
        next: 'resume',
      });
    }
  };
  await areBackups();
  expect((await sidecar.send('DELETE', 'sessions/backup/attempts/current')).status).toBe(409);
  // A person may train in it, also while the one that it is a copy of trains on: then it is a session of its own.
  expect(await sidecar.send('POST', 'sessions/again/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
  await stop('again');
  copies.splice(2, 1);
  await stop('cat');
  copy(at('cat'), at('later'));
  expect(await sidecar.session('later')).toMatchObject({ status: 'stopped', stopped_by: 'you', copy_of: at('cat') });
  remove(at('cat'));
  await areBackups();
  // A person may train in it: then it is a session of its own.
  expect(await sidecar.send('POST', 'sessions/backup/attempts', { kind: 'resume' })).toMatchObject({ status: 201 });
  expect(await sidecar.session('backup')).toMatchObject({ copy_of: null, attempts: [{ number: 1 }, { number: 2 }] });
  await stop('backup');
  await areBackups().catch((error: Error) => expect(error.message).toContain('backup'));
});

test.concurrent('a folder that is renamed while it trains, twice: what is saved later is in it, or it says where it goes', async () => {
  const id = await train('mover');
  renameSync(at('mover'), at('moved'));
  await sidecar.until('moved', ({ status }) => status === 'running');
  renameSync(at('moved'), at('moved on'));
  const before = readdirSync(at('moved on')).filter((name) => name.endsWith('-state'));
  const told = await until(
    async () => {
      const states = readdirSync(at('moved on')).filter((name) => name.endsWith('-state'));
      const { reason } = await sidecar.session('moved on');
      return { arrives: states.length > before.length + 1, elsewhere: reason?.includes(`saved to ${at('mover')}`) };
    },
    ({ arrives, elsewhere }) => arrives || elsewhere === true,
    40,
  );
  // A save between two looks of the runner has made a folder of the old name again.
  if (told.elsewhere) return void (await stop('moved on'));
  expect(await sidecar.session('moved on')).toMatchObject({ status: 'running', interrupted: false, copy_of: null });
  expect((await sidecar.send('GET', 'sessions/mover')).status).toBe(404);
  const stopped = await stop('moved on');
  expect(stopped.resume?.lost_steps).toBeLessThan(30);
  expect(lstatSync(at('mover'), { throwIfNoEntry: false })).toBeUndefined();
  const { notices } = await sidecar.get<Notices>('diagnostics');
  expect(notices.filter(({ about }) => about === `lost ${id}`)).toEqual([]);
});

test.concurrent('where a renamed folder cannot be followed, the session says where its checkpoints go', async () => {
  await train('old');
  mkdirSync(at('new'));
  exchange(at('old'), at('new'));
  const told = await sidecar.until('new', ({ reason }) => reason?.includes(`saved to ${at('old')}`) ?? false, 10);
  expect(told.status).toBe('running');
  await stop('new');
});

/** In one step: between a rename and a new folder the runner would be quicker. */
function exchange(one: string, other: string): void {
  const script =
    'import ctypes, sys; ctypes.CDLL(None).renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)';
  execFileSync('python3', ['-c', script, one, other]);
}

test.concurrent.each([
  ['removed', remove],
  [
    'replaced by a file',
    (path: string) => {
      remove(path);
      writeFileSync(path, '');
    },
  ],
])('a training whose folder is %s is ended, and that is told', async (how, change) => {
  const name = how.replaceAll(' ', '-');
  const id = await train(name);
  change(at(name));
  await ended(id);
  const { notices } = await until(
    () => sidecar.get<Notices>('diagnostics'),
    (all) => all.notices.some(({ about }) => about === `lost ${id}`),
  );
  expect(notices.find(({ about }) => about === `lost ${id}`)?.message).toContain(`The folder of ${name}`);
});

test.concurrent('a training whose folder is moved out of the outputs is listed, and can be stopped', async () => {
  const id = await train('out');
  renameSync(at('out'), join(place.folder, 'out'));
  const moved = join(place.folder, 'out');
  // For a moment it is told where it was.
  const isIt = (run: HandRunFacts) => run.attempt === id && run.output_dir === moved;
  const all = await until(
    () => sidecar.get<HandRunFacts[]>('by-hand'),
    (runs) => runs.some(isIt),
    40,
  );
  const run = all.find(isIt);
  expect(run).toMatchObject({ name: 'out', output_dir: moved, status: 'running' });
  // The link that leads its saves there is no session.
  expect([404, 422]).toContain((await sidecar.send('GET', 'sessions/out')).status);
  expect((await sidecar.send('DELETE', `by-hand/${run?.pid}`)).status).toBe(409);
  expect((await sidecar.send('DELETE', `by-hand/${run?.pid}?confirm=by-hand`)).status).toBe(202);
  await ended(id);
});

test.concurrent('so is one whose runner somebody started in a terminal', async () => {
  const id = randomUUID();
  mkdirSync(at('mine'), { recursive: true });
  const trainer = ['--cwd', place.folder, '--', 'python3', '-c', 'import time; time.sleep(60)'];
  const flags = ['--output', at('mine'), '--attempt', id, '--number', '1', '--kind', 'start', ...trainer];
  const runner = spawn('python3', ['-I', '-S', bridge.runner, ...flags], { stdio: 'ignore' });
  await sidecar.until('mine', ({ status }) => status === 'starting' || status === 'running');
  renameSync(at('mine'), join(place.folder, 'mine'));
  const isIt = ({ attempt }: HandRunFacts) => attempt === id;
  const all = await until(
    () => sidecar.get<HandRunFacts[]>('by-hand'),
    (runs) => runs.some(isIt),
    40,
  );
  const left = once(runner, 'exit');
  expect((await sidecar.send('DELETE', `by-hand/${all.find(isIt)?.pid}?confirm=by-hand`)).status).toBe(202);
  await left;
  await ended(id);
});

test.concurrent('the outputs folder is moved away: a banner, nothing is started in its place, and all goes on when it is back', async () => {
  const home = makeTestSidecars();
  try {
    const own = await home.serve(environment);
    // A trainer that saves makes the missing folders anew.
    const saves = { enable_checkpointing: false, save_every_n_epochs: 10_000 };
    await own.send('POST', 'sessions', { ...long, ...saves, lora_name: 'dog', start: true });
    await own.until('dog', ({ progress }) => (progress.step ?? 0) > 2);
    const { id } = attemptOf(home, 'dog');
    for (const inItsPlace of [false, true]) {
      renameSync(home.outputs, join(home.folder, 'away'));
      if (inItsPlace) mkdirSync(home.outputs);
      await until(
        () => own.get<Notices>('diagnostics'),
        ({ notices }) => notices.some(({ about }) => about === 'outputs'),
        10,
      );
      const page = await fetch(own.url, { headers: { Accept: 'text/html' } });
      expect(await page.text()).toContain('Trackside starts nothing until it is back');
      const refused = await own.send('POST', 'sessions', { ...long, lora_name: 'new', start: true });
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'outputs_gone' } } });
      expect((await own.send('POST', 'sessions/dog/attempts', { kind: 'relaunch' })).status).toBe(503);
      await until(
        () => own.get<HandRunFacts[]>('by-hand'),
        (runs) => runs.some(({ attempt }) => attempt === id),
        10,
      );
      if (inItsPlace) expect(readdirSync(home.outputs)).not.toContain('new');
      rmSync(home.outputs, { recursive: true, force: true });
      renameSync(join(home.folder, 'away'), home.outputs);
      await own.until('dog', ({ status }) => status === 'running');
    }
    const { notices } = await own.get<Notices>('diagnostics');
    expect(notices.filter(({ about }) => about === 'outputs')).toEqual([]);
    await own.send('DELETE', 'sessions/dog/attempts/current');
    await own.until('dog', ({ status }) => status === 'stopped');
  } finally {
    await home.leave();
  }
});

test.concurrent('an outputs folder that is bare after a restart, and was not, is told until it has a session', async () => {
  const home = makeTestSidecars();
  const draft = { ...quick, lora_name: 'dog' };
  const isTold = async (own: Sidecar) =>
    (await own.get<Notices>('diagnostics')).notices.some(({ about }) => about === 'outputs_empty');
  try {
    const first = await home.serve(environment);
    expect(await isTold(first)).toBe(false);
    await first.send('POST', 'sessions', draft);
    await until(
      () => existsSync(join(home.folder, 'private', 'outputs.json')),
      (so) => so,
    );
    await first.kill('SIGTERM');
    renameSync(home.outputs, join(home.folder, 'volume'));
    mkdirSync(home.outputs);

    const second = await home.serve(environment);
    expect(await isTold(second)).toBe(true);
    const page = await fetch(second.url, { headers: { Accept: 'text/html' } });
    expect(await page.text()).toContain('is empty, and had a session when Trackside ran here before');
    expect((await second.send('POST', 'sessions', draft)).status).toBe(201);
    await until(
      () => isTold(second),
      (told) => !told,
    );
    // Who removes the last session knows it.
    await second.send('DELETE', 'sessions/dog');
    await second.kill('SIGTERM');
    expect(await isTold(await home.serve(environment))).toBe(false);
  } finally {
    await home.leave();
  }
});
