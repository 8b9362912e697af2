import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { type AttemptRecord, readAttempt } from '../../sidecar/launchers/attemptFile.js';
import { type Launch, launchRunner } from '../../sidecar/launchers/launch.js';
import { processesOf } from '../../sidecar/launchers/sweep.js';
import { type Process, readProcess } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';

export const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

const folders: string[] = [];
const attempts: AttemptRecord[] = [];
const children: ChildProcess[] = [];

/** Ends what the tests of the file started, and removes their folders. */
export function cleanUpAfterEach(): void {
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const folder of folders) {
      const attempt = readAttempt(folder);
      if (attempt) attempts.push(attempt);
    }
    for (const attempt of attempts.splice(0)) {
      for (const one of processesOf(attempt)) signalProcess(one, 'SIGKILL');
      await until(() => processesOf(attempt).length === 0, 'the processes of a test to end');
    }
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
}

/** What `cat training.pid` shows a person. */
export function pidIn(folder: string): number {
  return Number(readFileSync(join(folder, 'training.pid'), 'utf8'));
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-processes-'));
  folders.push(folder);
  return folder;
}

type More = Partial<Launch> & Partial<Pick<Launch['attempt'], 'number' | 'kind'>>;

export function launchOf(folder: string, argv: string[], more: More = {}): Launch {
  // No number is given twice in a folder: the runner would refuse it.
  const { number = (readAttempt(folder)?.number ?? 0) + 1, kind = 'start', ...rest } = more;
  return {
    python: 'python3',
    folder,
    attempt: { id: randomBytes(8).toString('hex'), number, kind },
    cwd: folder,
    argv,
    environment: process.env,
    stopGraceSeconds: 1,
    lingerSeconds: 1,
    ...rest,
  };
}

/** Starts a trainer under a runner, and answers its record once it runs. */
export async function runIn(folder: string, argv: string[], more: More = {}): Promise<AttemptRecord> {
  const launched = await launchRunner(launchOf(folder, argv, more));
  if (!launched.ok) throw new Error(launched.message);
  const attempt = recordIn(folder);
  attempts.push(attempt);
  return attempt;
}

export function recordIn(folder: string): AttemptRecord {
  const attempt = readAttempt(folder);
  if (!attempt) throw new Error(`no record in ${folder}`);
  return attempt;
}

export async function endIn(folder: string): Promise<AttemptRecord> {
  await until(() => recordIn(folder).ended_at !== null, 'the attempt to end');
  return recordIn(folder);
}

/** Changes single values of attempt.json, as if something else had been recorded. */
export function rewriteRecord(folder: string, changes: Record<string, unknown>): void {
  const path = join(folder, 'attempt.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}

export const logIn = (folder: string) => readFileSync(join(folder, 'training.log'), 'utf8');

/** A process of nobody's attempt. */
export function bystander(argv: string[] = ['sleep', '60']): { child: ChildProcess; process: Process } {
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore', detached: true });
  children.push(child);
  return { child, process: existing(child.pid ?? 0) };
}

export function existing(pid: number): Process {
  const found = readProcess(pid);
  if (!found) throw new Error(`no process ${pid}`);
  return found;
}

export async function until(holds: () => boolean, what: string, seconds = 15): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await wait(20);
  }
}
