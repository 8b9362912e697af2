import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import type { Sidecar } from '../sidecar.js';
import { isAlive, makeTestSidecars, projectRoot, until } from '../sidecar.js';

const place = makeTestSidecars();
const script = fileURLToPath(new URL('loop.py', import.meta.url));
let sidecar: Sidecar;
const started: ChildProcess[] = [];

beforeAll(async () => {
  sidecar = await place.serve();
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  // A test that is tried again finds no training of its name. Moved, for the sidecar may write there at that moment.
  const gone = join(place.folder, `gone-${performance.now()}`);
  mkdirSync(gone, { recursive: true });
  for (const name of existsSync(place.outputs) ? readdirSync(place.outputs) : [])
    if (!name.startsWith('.')) renameSync(join(place.outputs, name), join(gone, name));
});
afterAll(() => place.leave());

/** A training that a person starts in a terminal. */
function byHand(name: string, args: string[], environment: NodeJS.ProcessEnv = {}, program = script) {
  const cwd = join(place.folder, 'work', name);
  mkdirSync(cwd, { recursive: true });
  const env = { ...process.env, PYTHONPATH: join(projectRoot, 'trainer-bridge'), TRACKSIDE_OUTPUTS: place.outputs };
  const child = spawn('python3', [program, ...args], {
    cwd,
    env: { ...env, NAME: name, HF_TOKEN: 'hf_planted0secret0value', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += text));
  const ended = new Promise<{ code: number | null; signal: string | null; said: string }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, said })),
  );
  return { pid: child.pid ?? 0, ended, cwd, folder: join(place.outputs, name) };
}

const attempt = (name: string, kind: string) => sidecar.send('POST', `sessions/${name}/attempts`, { kind });
const stop = (name: string) => sidecar.send('DELETE', `sessions/${name}/attempts/current`);
/** Waits until a training, which may not be there yet, has trained that step. */
const past = (name: string, step: number) => sidecar.until(name, (facts) => (facts.progress?.step ?? 0) > step);
const steps = (folder: string) =>
  readFileSync(join(folder, 'metrics.ndjson'), 'utf8')
    .split('\n')
    .flatMap((line) => (/^\{"step":(\d+)/.exec(line) ? [Number(/\d+/.exec(line)?.[0])] : []));

test('a training by hand is stopped from the page within seconds, resumed from it as it was started, and completes', async () => {
  const run = byHand('cat', ['100', '0.08', 'sample']);
  const running = await past('cat', 12);
  expect(running).toMatchObject({
    status: 'running',
    trainer: 'tracked',
    next: 'stop',
    progress: { total_steps: 100 },
  });
  expect(running.attempts).toMatchObject([{ number: 1, kind: 'start', pid: run.pid, alive: true }]);
  expect(readFileSync(join(run.folder, 'training.pid'), 'utf8')).toBe(`${run.pid}\n`);

  const asked = performance.now();
  expect(await stop('cat')).toMatchObject({ status: 202 });
  expect(await run.ended).toMatchObject({ code: 0, said: expect.stringContaining('end of the script') });
  expect(performance.now() - asked).toBeLessThan(5000 * BUSY);
  const stopped = await sidecar.until('cat', ({ status }) => status === 'stopped');
  expect(stopped).toMatchObject({ reason: 'Stopped by you.', next: 'resume', resume: { lost_steps: 0 } });

  expect(await attempt('cat', 'resume')).toMatchObject({ status: 201 });
  const done = await sidecar.until('cat', ({ status }) => status === 'completed', 30);
  expect(done).toMatchObject({ next: null, progress: { step: 100, percent: 100 }, newest_sample: '00000003_00.png' });
  expect(done.attempts.map(({ kind }) => kind)).toEqual(['start', 'resume']);
  // As one that was never stopped: the sum of 0 to 99.
  expect(readFileSync(join(run.cwd, 'cat.safetensors'), 'utf8')).toBe('4950');
  expect(steps(run.folder)).toEqual(Array.from({ length: 100 }, (_, step) => step));
  expect(await sidecar.get('sessions/cat/checkpoints')).toMatchObject([{ name: 'cat.safetensors', problem: null }]);
  // The last three, and the one that it went on from.
  const states = readdirSync(run.folder).filter((name) => name.endsWith('-state'));
  const from = basename(done.attempts[1]?.resumed_from ?? '');
  expect(states).toEqual([...new Set([from, ...states.slice(-3)])].sort());
  const log = readFileSync(join(run.folder, 'training.log'), 'utf8');
  expect(log).toMatch(/── attempt 2 · resume/);
  expect(log).toContain('end of the script');
  for (const file of ['ui_state.json', 'launch.json', 'attempt.json', 'training.log'])
    expect(readFileSync(join(run.folder, file), 'utf8')).not.toContain('planted0secret');
  // What it was made from, which a sidecar saw at its start, and then what differed at the resume: nothing.
  const { trackside } = await until(
    () => sidecar.get<{ trackside: { provenance: Record<string, unknown> | null } }>('sessions/cat/export'),
    ({ trackside: { provenance } }) => provenance?.completed_at != null,
  );
  expect(trackside.provenance).toMatchObject({
    attempt: { number: 1, kind: 'start' },
    command: { argv: expect.arrayContaining(['100', '0.08', 'sample']) },
    trainer: { id: 'tracked', sha256: createHash('sha256').update(readFileSync(script)).digest('hex') },
    packages: expect.any(Array),
    resumed: [{ attempt: 2, differs: [] }],
  });
  expect(JSON.stringify(trackside.provenance)).not.toContain('planted0secret');
  expect(await sidecar.get('sessions/cat/differs')).toEqual([]);
  // A backup of it knows what it is a copy of, also where it lacks the runner's record.
  cpSync(run.folder, join(place.outputs, 'backup'), { recursive: true });
  rmSync(join(place.outputs, 'backup', 'attempt.json'));
  expect(await sidecar.session('backup')).toMatchObject({ copy_of: run.folder });
});

test('what is trained again after a kill takes the place of what was lost: no step is there twice', async () => {
  const name = `again-${Date.now()}`;
  const run = byHand(name, ['40', '0.2']);
  await past(name, 11);
  process.kill(run.pid, 'SIGKILL');
  const gone = await sidecar.until(name, ({ status }) => status === 'stopped');
  expect(gone).toMatchObject({ interrupted: true, next: 'resume', resume: { repeated_steps: 0 } });
  expect(gone.resume?.lost_steps).toBeGreaterThan(0);
  expect(await attempt(name, 'resume')).toMatchObject({ status: 201 });
  await sidecar.until(name, ({ status }) => status === 'completed', 60);
  const metrics = await sidecar.get<{ tag: string; step: number }[]>(`sessions/${name}/metrics`);
  const losses = metrics.filter(({ tag }) => tag === 'loss').map(({ step }) => step);
  expect(losses.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, step) => step));
});

test.each([
  ['raises', ['raise'], 1, 'failed', /ValueError: it rained/],
  ['leaves without a word', ['quit'], 0, 'stopped', /disappeared/],
] as const)('a training that %s is told truly, and keeps its exit code', async (_, does, code, status, reason) => {
  const name = `end-${does[0]}`;
  expect(await byHand(name, ['20', '0.01', ...does, 'nan']).ended).toMatchObject({ code });
  const facts = await sidecar.until(name, (facts) => facts.status === status);
  expect(facts).toMatchObject({ reason: expect.stringMatching(reason), resume: { step: 9 } });
});

test('Ctrl-C reads as stopped', async () => {
  const run = byHand('ctrl-c', ['500', '0.02']);
  await past('ctrl-c', 2);
  process.kill(run.pid, 'SIGINT');
  await run.ended;
  const facts = await sidecar.until('ctrl-c', ({ status }) => status === 'stopped');
  expect(facts).toMatchObject({ reason: 'Stopped with Ctrl-C.', interrupted: false });
});

test('a second training of the same name is refused with the first one’s process, and changes nothing', async () => {
  const first = byHand('twice', ['500', '0.02']);
  await past('twice', 2);
  const { code, said } = await byHand('twice', ['5', '0']).ended;
  expect(code).toBe(1);
  expect(said).toContain(`twice is already training. Attempt 1 is using this folder: PID ${first.pid}`);
  expect((await sidecar.session('twice')).attempts).toHaveLength(1);
});

test('a training has its own grace to end after Stop, and its loader workers live until then', async () => {
  const late = byHand('late', ['500', '0.02'], { LATE: '1.5' });
  await past('late', 10);
  await stop('late');
  await late.ended;
  await sidecar.until('late', ({ status }) => status === 'stopped');
  expect(await attempt('late', 'resume')).toMatchObject({ status: 201 });
  // Now a runner holds it, and passes the stop on.
  const again = await sidecar.until(
    'late',
    ({ progress, status }) => status === 'running' && (progress.step ?? 0) > 30,
  );
  expect(JSON.parse(readFileSync(join(late.folder, 'attempt.json'), 'utf8'))).toMatchObject({ number: 2 });
  await stop('late');
  const stopped = await sidecar.until('late', ({ status }) => status === 'stopped');
  expect(isAlive(again.attempts.at(-1)?.pid ?? 0)).toBe(false);
  expect(stopped.resume?.lost_steps).toBe(0);
  expect(JSON.parse(readFileSync(join(late.folder, 'attempt.json'), 'utf8'))).toMatchObject({
    stop_grace: 120,
    exit_code: 0,
  });
});

test('a stop ends the training in a program, in its main or another thread, and not the program', async () => {
  const stopOf = async (where: string) => {
    const name = `app-${where}`;
    const app = byHand(name, [where], {}, script.replace('loop.py', 'app.py'));
    await past(name, 5);
    expect(await stop(name)).toMatchObject({ status: 202 });
    const stopped = await sidecar.until(name, ({ status }) => status === 'stopped');
    expect(stopped.reason).toBe('Stopped by you.');
    expect(await app.ended).toMatchObject({ code: 0, said: expect.stringContaining('lives on') });
  };
  await Promise.all(['main', 'thread'].map(stopOf));
});

test('what cannot be started again says so, with the line to run', async () => {
  const run = byHand('cell', ['15', '0', 'raise']);
  await run.ended;
  await sidecar.until('cell', ({ status }) => status === 'failed');
  const path = join(run.folder, 'launch.json');
  const launch = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...launch, why_not: 'it ran in a notebook', line: 'trackside.track("cell")' }));
  const { status, body } = await attempt('cell', 'resume');
  expect(status).toBe(422);
  expect(body.error).toMatchObject({ code: 'cannot_restart' });
  expect(body.error.message).toMatch(/because it ran in a notebook\..*trackside\.track\("cell"\)/);
  rmSync(path);
  expect((await attempt('cell', 'resume')).body.error.code).toBe('cannot_restart');
});

test('a sidecar that starts later finds the session of one that ran without any', async () => {
  await sidecar.kill();
  const run = byHand('alone', ['30', '0.01']);
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(join(run.folder, 'ui_state.json'), 'utf8'))).toMatchObject({ status: 'completed' });
  expect(JSON.parse(readFileSync(join(run.folder, 'progress.json'), 'utf8'))).toMatchObject({
    step: 29,
    phase: 'ended',
  });
  sidecar = await place.serve();
  const facts = await until(
    () => sidecar.session('alone'),
    ({ looked_into }) => looked_into,
  );
  expect(facts).toMatchObject({ status: 'completed', progress: { step: 30, percent: 100 } });
});
