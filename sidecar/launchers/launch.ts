import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, type FSWatcher, openSync, readSync, unlinkSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bridge, contract } from '../bridge.js';
import { ifUnreadable, readOr } from '../caught.js';
import { resolvePython } from '../processes/python.js';
import { readAttempt } from './attemptFile.js';
import { lastBeatOfSilent } from './heartbeat.js';
import type { Order, Submitted } from './launcher.js';
import { isThisNamespace } from './liveness.js';

export type Launch = Order & {
  /** Seconds from a stop to SIGKILL, and from the trainer's end to SIGTERM for its remaining processes. */
  stopGraceSeconds?: number;
  lingerSeconds?: number;
};

/**
 * Starts a runner in a process session of its own, so that it outlives us, and waits until its trainer is started. If
 * the trainer could not be started, the attempt has ended with the reason in its record, and the launch is ok.
 */
export async function launchRunner(launch: Launch): Promise<Submitted> {
  const complaints = openUnlinked();
  try {
    const python = await resolvePython(launch.python);
    const runner = spawn(python, runnerArguments(launch), {
      detached: true,
      stdio: ['ignore', complaints ?? 'ignore', complaints ?? 'ignore'],
      env: { ...trainerEnvironment(launch.environment), [contract.mark]: launch.attempt.id },
    });
    runner.unref();
    const outcome = await started(runner, launch);
    const ref = { launcher: 'local', attempt: launch.attempt.id, id: String(runner.pid), cluster: null } as const;
    if (outcome === 'started') return { ok: true, ref };
    if (outcome instanceof Error) throw outcome;
    return refusal(outcome, complaints);
  } catch (error) {
    return { ok: false, code: 'no_python', message: (error as Error).message };
  } finally {
    if (complaints !== null) closeSync(complaints);
  }
}

/**
 * The environment of a trainer, from ours: console output unbuffered, wide and in UTF-8; without variables that change
 * its progress bar or colour its log, and without our own secrets.
 */
export function trainerEnvironment(ours: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(ours).filter(
    ([name]) =>
      !name.startsWith('TQDM_') && !['FORCE_COLOR', 'TTY_COMPATIBLE', 'TRACKSIDE_TOKEN', contract.mark].includes(name),
  );
  return { ...Object.fromEntries(kept), PYTHONUNBUFFERED: '1', COLUMNS: '500', PYTHONIOENCODING: 'utf-8' };
}

/** Run as an isolated file (-I -S), not with -m: a quarter faster, and safe from the user's PYTHONPATH. */
function runnerArguments(launch: Launch): string[] {
  const { stopGraceSeconds, lingerSeconds } = launch;
  const silent = silentBefore(launch.folder);
  return [
    ...['-I', '-S', bridge.runner],
    ...['--output', launch.folder, '--attempt', launch.attempt.id, '--number', String(launch.attempt.number)],
    ...['--kind', launch.attempt.kind, '--cwd', launch.cwd],
    ...(stopGraceSeconds === undefined ? [] : ['--stop-grace', String(stopGraceSeconds)]),
    ...(lingerSeconds === undefined ? [] : ['--linger', String(lingerSeconds)]),
    ...(silent === null ? [] : ['--silent', silent]),
    ...['--', ...launch.argv],
  ];
}

/** The silent attempt of another pod, if we have watched it long enough: the runner need not watch it again. */
function silentBefore(outputFolder: string): string | null {
  const last = readAttempt(outputFolder);
  if (!last || last.ended_at || isThisNamespace(last)) return null;
  const beat = lastBeatOfSilent(outputFolder);
  return beat === null ? null : `${last.id}:${beat}`;
}

const POLL_MS = 25;
/** A slow disk may delay the runner's record; a living runner then counts as started. */
const PATIENCE_MS = 20_000;

/** The exit status of a runner that ended without starting a trainer; an Error if it could not be started itself. */
function started(runner: ChildProcess, launch: Launch): Promise<'started' | number | Error> {
  return new Promise((resolve) => {
    const look = () => {
      const attempt = readAttempt(launch.folder);
      if (!attempt || attempt.id !== launch.attempt.id) return;
      if (attempt.trainer_pid !== null || attempt.ended_at !== null) finish('started');
    };
    const watcher = watchFolder(launch.folder, look);
    const poll = setInterval(look, POLL_MS);
    const patience = setTimeout(() => finish('started'), PATIENCE_MS);
    const finish = (outcome: 'started' | number | Error) => {
      watcher?.close();
      clearInterval(poll);
      clearTimeout(patience);
      resolve(outcome);
    };
    runner.once('error', finish);
    runner.once('exit', (code) => finish(code === 0 ? 'started' : (code ?? -1)));
    look();
  });
}

function refusal(status: number, complaints: number | null): Submitted {
  const said = complaints === null ? '' : readAll(complaints).trim();
  const last = said.split('\n').at(-1) ?? '';
  if (status === contract.exit_codes.held)
    return { ok: false, code: 'held', message: last || 'Another attempt is using this folder.' };
  if (status === contract.exit_codes.unwritable)
    return { ok: false, code: 'unwritable', message: last || "Can't write to the output folder." };
  return { ok: false, code: 'failed', message: `The runner ended immediately (status ${status}). ${last}`.trim() };
}

/**
 * A file for the runner's messages: before it holds the folder, they don't belong into its log. Null without a disk.
 */
function openUnlinked(): number | null {
  const path = join(tmpdir(), `trackside-${randomBytes(8).toString('hex')}`);
  try {
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return descriptor;
  } catch (error) {
    return ifUnreadable(null, 'launchers')(error);
  }
}

function readAll(descriptor: number): string {
  const buffer = Buffer.alloc(8192);
  return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
}

/** Null when the limit of inotify is reached: then only polling. */
function watchFolder(folder: string, look: () => void): FSWatcher | null {
  return readOr<FSWatcher | null>(null, 'launchers', () =>
    watch(folder, { persistent: false }, look).on('error', () => {}),
  );
}
