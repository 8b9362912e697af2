import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isTemporary } from '../../sidecar/files/wholeFile.js';
import { parseUiState } from '../../sidecar/sessions/record/parseUiState.js';
import { bundled } from './bundled.js';
import { lacks, measured } from './needs.js';

let programs: string;
let writer: string;
beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'trackside-programs-'));
  writer = await bundled('writeState', programs);
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every system call of the write path that changes something or may fail. */
const CALLS = ['openat', 'write', 'pwrite64', 'fsync', 'link', 'linkat', 'rename', 'unlink', 'mkdir', 'close', 'statx'];

test.skipIf(lacks('strace'))('killed at any system call of its write path, ui_state.json is whole', async () => {
  let kills = 0;
  for (const call of CALLS) {
    for (let when = 1; when <= 60; when += 1) {
      const before = readCount();
      const { died } = await writeUnder(`inject=${call}:signal=KILL:when=${when}`, 2);
      expect(readCount()).toBeGreaterThanOrEqual(before);
      if (!died) break;
      kills += 1;
    }
  }
  expect((await write(1)).failed).toEqual({});
  expect(strangers()).toEqual([]);
  measured(5, `${kills} kills at a system call, 0 invalid`);
  expect(kills).toBeGreaterThan(20);
});

test.skipIf(lacks('strace'))('any error of any system call leaves it whole, and the next write succeeds', async () => {
  const errors: Record<string, number> = {};
  await write(1);
  for (const call of CALLS.filter((each) => each !== 'statx' && each !== 'close')) {
    for (const error of ['EIO', 'EROFS', 'EDQUOT', 'ENOSPC']) {
      for (let when = 1; when <= 24; when += 1) {
        const before = readCount();
        const { died, result, injected } = await writeUnder(`inject=${call}:error=${error}:when=${when}`, 3);
        if (injected.length === 0) break;
        // With this call libuv wakes its own threads, too, and ends the process where it can't.
        if (injected.some((line) => /eventfd|pipe:/.test(line))) continue;
        expect(died).toBe(false);
        // Node has no name for a quota that is used up.
        const known = [error, 'unreadable_state', ...(error === 'EDQUOT' ? ['Unknown system error -122'] : [])];
        expect(Object.keys(result.failed).filter((code) => !known.includes(code))).toEqual([]);
        // What was told to have failed may not have been counted; what was told to be saved was.
        expect(readCount()).toBeGreaterThanOrEqual(before + result.ok);
        expect(result.ok).toBeGreaterThanOrEqual(1);
        errors[call] = (errors[call] ?? 0) + 1;
      }
    }
  }
  expect(strangers()).toEqual([]);
  const sum = Object.values(errors).reduce((all, each) => all + each, 0);
  measured(5, `${sum} injected errors (${JSON.stringify(errors)}), 0 invalid, 0 exits`);
});

test('1,000 kills at random moments: never an invalid or a missing file', async () => {
  await write(1);
  const KILLS = 1000;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = readCount();
    const child = await startWriter(1_000_000);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(readCount()).toBeGreaterThanOrEqual(before);
  }
  expect((await write(1)).failed).toEqual({});
  expect(strangers()).toEqual([]);
  measured(5, `${KILLS} random kills, 0 invalid, ${readCount()} writes`);
});

test.skipIf(lacks('mounting (root)'))(
  'with 0 to 64 KiB free it is whole, and is written again once there is space',
  async () => {
    let refused = 0;
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=192k', 'tmpfs', folder]);
    try {
      const session = join(folder, 'cat');
      mkdirSync(session);
      for (let free = 0; free <= 64; free += 1) {
        rmSync(join(session, 'history'), { recursive: true, force: true });
        await write(1, session);
        fillUp(join(folder, 'filler'), free * 1024);
        const before = readCount(session);
        const result = await write(5, session);
        expect(Object.keys(result.failed).filter((code) => code !== 'ENOSPC')).toEqual([]);
        expect(readCount(session)).toBe(before + result.ok);
        refused += result.failed.ENOSPC ?? 0;
        rmSync(join(folder, 'filler'));
        expect((await write(1, session)).ok).toBe(1);
        for (const name of readdirSync(session).filter(isTemporary)) rmSync(join(session, name));
      }
    } finally {
      execFileSync('umount', [folder]);
    }
    measured(5, `65 amounts of free space, ${refused} writes refused, 0 invalid`);
    expect(refused).toBeGreaterThan(0);
  },
);

/** Leaves `bytes` free on a small disk. */
function fillUp(path: string, bytes: number): void {
  writeFileSync(path, '');
  const free = Number(execFileSync('df', ['--output=avail', '-B1', folder], { encoding: 'utf8' }).split('\n')[1]);
  try {
    writeFileSync(path, Buffer.alloc(Math.max(0, free - bytes)));
  } catch {
    // The last page may go to the folder itself.
  }
}

function readCount(session = folder): number {
  const path = join(session, 'ui_state.json');
  if (!existsSync(path)) return 0;
  return Number(parseUiState(readFileSync(path, 'utf8')).raw.count);
}

/** What should not be there: neither the record, nor its history, nor a file that is swept away later. */
function strangers(): string[] {
  const known = (name: string) => ['ui_state.json', 'history'].includes(name) || isTemporary(name);
  const history = readdirSync(join(folder, 'history'));
  return [
    ...readdirSync(folder).filter((name) => !known(name)),
    ...history.filter((name) => !isTemporary(name) && !/^ui_state-\d{6}-[0-9a-f]{4}\.json$/.test(name)),
    ...history.filter((name) => name.startsWith('ui_state')).slice(21),
  ];
}

type Result = { ok: number; failed: Record<string, number> };

async function write(times: number, session = folder): Promise<Result> {
  const child = await startWriter(times, session);
  return (await outcome(child)).result;
}

/** Writes under strace, which is attached when the program is loaded, so that it counts our calls and no others. */
async function writeUnder(
  inject: string,
  times: number,
): Promise<{ died: boolean; result: Result; injected: string[] }> {
  const child = await startWriter(times, folder, false);
  const call = /inject=(\w+)/.exec(inject)?.[1] ?? '';
  const trace = `${folder}.strace`;
  const strace = spawn(
    'strace',
    ['-f', '-qq', '-y', '-o', trace, '-e', `trace=${call}`, '-e', inject, '-p', String(child.pid)],
    {
      stdio: 'ignore',
    },
  );
  const traced = () => /TracerPid:\s*([1-9]\d*)/.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  while (!traced()) await new Promise((resolve) => setTimeout(resolve, 2));
  const ended = new Promise((resolve) => strace.once('exit', resolve));
  const result = outcome(child);
  child.stdin?.write('go\n');
  const told = await result;
  await ended;
  const injected = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes('INJECTED'));
  rmSync(trace);
  return { ...told, injected };
}

async function startWriter(times: number, session = folder, go = true): Promise<ChildProcess> {
  const child = spawn(process.execPath, [writer, session, String(times)], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.on('error', () => {});
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  if (go) child.stdin?.write('go\n');
  return child;
}

function outcome(child: ChildProcess): Promise<{ died: boolean; result: Result }> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', () => {
      const line = text.split('\n').find((each) => each.startsWith('{'));
      resolve({ died: !line, result: line ? JSON.parse(line) : { ok: 0, failed: {} } });
    });
  });
}
