import { execFile, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';
import type { StateFacts } from '../../sidecar/sessions/savedFacts.js';
import { makeTestSidecars, projectRoot, quick, type Sidecar, until } from '../sidecar.js';

const main = join(projectRoot, '.build', 'sidecar', 'main.js');
const place = makeTestSidecars();
let sidecar: Sidecar;

const steps = { PRACTICE_STEP_SECONDS: '0.05', TRACKSIDE_EXACT_PAUSE: 'on' };
/** Long enough to be met while it runs. */
const slow = { ...quick, max_train_epochs: 150 };

beforeAll(async () => {
  sidecar = await place.serve(steps);
  for (const [lora_name, settings] of Object.entries({
    'my cat': slow,
    quick: { ...quick, start: true },
    untouched: slow,
  }))
    expect((await sidecar.send('POST', 'sessions', { ...settings, lora_name })).status).toBe(201);
});
afterAll(() => place.leave());

let made = 0;
/** A session that is not started, of a name that no other has: a test that is tried again begins anew. */
async function draft(lora_name: string, settings: object = slow): Promise<string> {
  made += 1;
  const { status, body } = await sidecar.send('POST', 'sessions', { ...settings, lora_name: `${lora_name} ${made}` });
  expect(status).toBe(201);
  return body.name;
}

type Ended = { code: number; stdout: string; stderr: string };

const environment = {
  ...process.env,
  ...steps,
  TRACKSIDE_OUTPUTS: place.outputs,
  TRACKSIDE_DATASETS: place.datasets,
  TRACKSIDE_PRIVATE: join(place.folder, 'private'),
};

/** A person's terminal: no sidecar is named, and none is asked with --files. */
function trackside(...argv: string[]): Promise<Ended> {
  return new Promise((resolve) =>
    execFile(process.execPath, [main, ...argv], { env: environment, timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    ),
  );
}

/** The facts on the state files alone, without a sidecar. */
async function factsOf<T>(...argv: string[]): Promise<T> {
  return JSON.parse((await trackside(...argv, '--files', '--json')).stdout) as T;
}

test('a training is started, stopped after its save and resumed to its end on state files alone', async () => {
  const name = await draft('cat');
  const started = await trackside('start', name, '--files');
  expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cat-\d+: attempt 1, (starting|running)/) });
  expect(await trackside('start', name, '--files')).toMatchObject({ code: 4, stdout: '' });
  const stopped = await trackside('stop', name, '--after-save', '--files');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('by you') });
  const states = await factsOf<StateFacts[]>('states', name);
  expect(states[0]).toMatchObject({ complete: true });
  expect((await sidecar.session(name)).resume?.state).toBe(states[0]?.name);
  // It was stopped, and so paused: said before it is resumed.
  const resumed = await trackside('resume', name, '--files');
  expect(resumed).toMatchObject({ code: 0 });
  expect(resumed.stderr).toMatch(/^Resumes from \S+-state, exactly at step \d+\.$/m);
  expect(await trackside('stop', name, '--files')).toMatchObject({ code: 0 });
});

test('a followed log is whole, ends with its training, and repeats no line', async () => {
  const name = await draft('followed', quick);
  await sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'start' });
  const { code, stdout } = await trackside('logs', '-f', '--tail', 'all', name, '--files');
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(join(place.outputs, name, 'training.log'), 'utf8'));
  const two = await trackside('logs', '--tail', '2', name);
  expect(two.stdout).toBe(stdout.split('\n').slice(-3).join('\n'));
  appendFileSync(join(place.outputs, name, 'training.log'), 'x\n'.repeat(300_000));
  expect((await trackside('logs', '--tail', '200000', name)).stdout).toBe('x\n'.repeat(200_000));
});

test('the files alone tell the same as a sidecar does: list, session and states', async () => {
  await sidecar.until('quick', ({ status }) => status === 'completed');
  const asked = ['ps quick', 'show quick', 'states quick', 'compare quick untouched', 'queue'];
  const files = await Promise.all(asked.map((words) => factsOf(...words.split(' '))));
  const served: unknown[] = [];
  for (const path of [
    'sessions?q=quick',
    'sessions/quick',
    'sessions/quick/states',
    'compare?sessions=quick&sessions=untouched',
  ])
    served.push(await sidecar.get(path));
  served.push((await sidecar.get<{ queue: unknown }>('queue')).queue);
  expect(files).toEqual(served);
});

test('the sidecar that serves these outputs is found, and does what is asked', async () => {
  const name = await draft('beside');
  expect(await trackside('start', name)).toMatchObject({ code: 0 });
  expect(await trackside('stop', name, '--no-wait')).toMatchObject({
    code: 0,
    stdout: `${name} was asked to stop.\n`,
  });
  await sidecar.until(name, ({ status }) => status === 'stopped');
  const list = await trackside('ps', name);
  expect(list.stdout).toMatch(/^NAME +STATUS[\s\S]+beside-\d+ +Stopped · by you/);
});

test('a watched list follows a training, a line of JSON a change', async () => {
  const name = await draft('watched');
  const child = spawn(process.execPath, [main, 'ps', name, '--watch', '--json'], { env: environment });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const statuses = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as SessionFacts[])[0]?.status);
  await until(statuses, (seen) => seen.includes('draft'));
  await sidecar.send('POST', `sessions/${name}/attempts`, { kind: 'start' });
  await until(statuses, (seen) => seen.includes('running'));
  await sidecar.send('DELETE', `sessions/${name}/attempts/current`);
  await until(statuses, (seen) => seen.at(-1) === 'stopped');
  child.kill('SIGINT');
  await new Promise((resolve) => child.once('exit', resolve));
});

test('a relaunch is the next version with exactly the same settings; what differs since is said before', async () => {
  const name = await draft('again', { ...quick, start: true });
  await sidecar.until(name, ({ status }) => status === 'completed');
  const made = await trackside('relaunch', name, '--draft', '--files');
  expect(made).toEqual({ code: 0, stdout: `${name}-v2: a draft (trackside start ${name}-v2).\n`, stderr: '' });
  const [before, again] = [await sidecar.session(name), await sidecar.session(`${name}-v2`)];
  expect(again).toMatchObject({ version: 2, made_from: name, status: 'draft', settings: before.settings });
  appendFileSync(join(place.datasets, 'example', '01-morning.txt'), ', at dawn');
  const told = await trackside('relaunch', name);
  expect(told).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^again-\d+-v3: attempt 1, (starting|running)/),
    stderr: expect.stringMatching(/^Differs today: Caption of 01-morning\.png: “.*” → “.*, at dawn”\n$/),
  });
  // Of the session itself nothing is changed.
  expect(await sidecar.session(name)).toMatchObject({ attempts: before.attempts, status: 'completed' });
});

test('a session is exported into a file, and a session is made of it', async () => {
  const file = join(place.folder, 'exported.json');
  expect(await trackside('export', 'untouched', '--output', file, '--files')).toMatchObject({ code: 0, stdout: '' });
  const made = await trackside('import', file, '--files', '--json');
  expect(made).toMatchObject({ code: 0 });
  const { name } = JSON.parse(made.stdout) as SessionFacts;
  expect(await sidecar.session(name)).toMatchObject({ name, settings: { max_train_epochs: 150 } });
});

/** The environment of a shell that finds the program. */
function withProgram(): NodeJS.ProcessEnv {
  const bin = join(place.folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'trackside'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
  return { ...environment, PATH: `${bin}:${process.env.PATH}` };
}

test('Tab in a bash without further packages completes verbs, flags and names of sessions', async () => {
  const tab = async (...words: string[]) => {
    const typed = words.map((word) => `'${word}'`).join(' ');
    const script = `source <(trackside completion bash); COMP_WORDS=(${typed}) COMP_CWORD=${words.length - 1}
      COMP_LINE="\${COMP_WORDS[*]}" COMP_TYPE=9; __trackside_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await promisify(execFile)('bash', ['--norc', '-c', script], { env: withProgram() })).stdout;
  };
  expect(await tab('trackside', 'sta')).toMatch(/^start\b.*\nstates\b/);
  expect(await tab('trackside', 'stop', '--af')).toMatch(/^--after-save\b/);
  expect(await tab('trackside', 'show', 'my')).toMatch(/^my-cat\b/);
});

const isThere = (program: string) => spawnSync('which', [program]).status === 0;

test.runIf(isThere('fish'))('Tab in fish completes verbs, flags and names of sessions', async () => {
  const tab = async (typed: string) => {
    const script = `trackside completion fish | source; complete -C "${typed}"`;
    return (await promisify(execFile)('fish', ['--no-config', '-c', script], { env: withProgram() })).stdout;
  };
  expect(await tab('trackside sta')).toMatch(/^start\b.*\nstates\b/);
  expect(await tab('trackside stop --af')).toMatch(/--after-save\b/);
  expect(await tab('trackside show my')).toMatch(/my-cat\b/);
});

test.runIf(isThere('zsh'))('Tab in zsh completes flags and names of sessions', async () => {
  const script = `zmodload zsh/zpty; zpty -b typed zsh -f -i
    zpty -w typed "autoload -Uz compinit; compinit -u -d ${place.folder}/zcompdump; source <(trackside completion zsh); print REA\${:-DY}"
    zpty -r typed said '*READY*'
    zpty -w -n typed $'trackside show my\\t'; zpty -r typed said '*my-cat*'
    zpty -w -n typed $'\\C-utrackside stop --af\\t'; zpty -r typed said '*--after-save*'; print completed`;
  const options = { env: withProgram(), timeout: 50_000 };
  expect((await promisify(execFile)('zsh', ['-f', '-c', script], options)).stdout).toBe('completed\n');
});

test('an exit code tells a script why something was not done, and --json the code of the error', async () => {
  const refused: [number, string[], string | null][] = [
    [2, ['show'], null],
    [2, ['logs', 'quick', '--tail', 'some'], null],
    [3, ['show', 'nobody', '--json'], 'no_session'],
    [4, ['stop', 'quick', '--json'], 'not_running'],
    [5, ['resume', 'untouched', '--json'], 'nothing_to_resume'],
    [2, ['queue', 'jump', 'untouched'], null],
    [3, ['compare', 'untouched', 'nobody'], null],
    [6, ['ps', '--url', 'http://127.0.0.1:9'], null],
  ];
  await Promise.all(
    refused.map(async ([code, argv, error]) => {
      const ended = await trackside(...argv);
      expect(ended, argv.join(' ')).toMatchObject({ code });
      expect(ended.stderr, argv.join(' ')).not.toBe('');
      if (error) expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: error } });
    }),
  );
});
