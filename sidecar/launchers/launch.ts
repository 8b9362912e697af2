import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, type FSWatcher, openSync, readSync, unlinkSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bridge, contract } from '../bridge.js';
import { ifUnreadable } from '../caught.js';
import { resolvePython } from '../processes/python.js';
import { readAttempt } from './attemptFile.js';
import { lastBeatOfSilent } from './heartbeat.js';
import type { Order, Submitted } from './launcher.js';
import { isThisNamespace } from './liveness.js';

export type Launch = Order & {
  /** Seconds from a stop to SIGKILL, and from the trainer's end to SIGTERM for what it left behind. */
  stopGraceSeconds?: number;
  lingerSeconds?: number;
};

/**
 * Starts a runner in a session of its own, so that it outlives us, and waits until it says that its trainer is started.
 * A trainer that could not be started is an attempt that has ended: its record says why, and the launch is ok.
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
    if (outcome === 'started') {
      return {
        ok: true,
        ref: { launcher: 'local', attempt: launch.attempt.id, id: String(runner.pid), cluster: null },
      };
    }
    if (outcome instanceof Error) throw outcome;
    return refusal(outcome, complaints);
  } catch (error) {
    return { ok: false, code: 'no_python', message: (error as Error).message };
  } finally {
    if (complaints !== null) closeSync(complaints);
  }
}

/**
 * The environment of a trainer, from ours: console output unbuffered, wide and in UTF-8; without the variables that
 * spoil its progress bar or colour its log, and without our own secrets.
 */
export function trainerEnvironment(ours: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(ours).filter(
    ([name]) =>
      !name.startsWith('TQDM_') && !['FORCE_COLOR', 'TTY_COMPATIBLE', 'TRACKSIDE_TOKEN', contract.mark].includes(name),
  );
  return { ...Object.fromEntries(kept), PYTHONUNBUFFERED: '1', COLUMNS: '500', PYTHONIOENCODING: 'utf-8' };
}

/** As a file and isolated (-I -S), not with -m: a quarter less time, and nothing in the user's PYTHONPATH can break it. */
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

/** The attempt of another pod that we have watched in vain for a sign of life: the runner need not do so again. */
function silentBefore(outputFolder: string): string | null {
  const last = readAttempt(outputFolder);
  if (!last || last.ended_at || isThisNamespace(last)) return null;
  const beat = lastBeatOfSilent(outputFolder);
  return beat === null ? null : `${last.id}:${beat}`;
}

const POLL_MS = 25;
/** A slow disk may hold the runner's records back; a runner that lives has then still started. */
const PATIENCE_MS = 20_000;

/** The exit status of a runner that ended without starting anything; an Error when it could not even be started. */
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
    return { ok: false, code: 'held', message: last || 'Another attempt holds this folder.' };
  if (status === contract.exit_codes.unwritable)
    return { ok: false, code: 'unwritable', message: last || 'The output folder cannot be written.' };
  return { ok: false, code: 'failed', message: `The runner ended at once (status ${status}). ${last}`.trim() };
}

/** Until the runner holds the folder, what it says must not get into the log of whoever does. Null without a disk. */
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

/** Null where nothing can be watched (the limit of inotify is reached): polling does it alone. */
function watchFolder(folder: string, look: () => void): FSWatcher | null {
  try {
    return watch(folder, { persistent: false }, look).on('error', () => {});
  } catch (error) {
    return ifUnreadable(null, 'launchers')(error);
  }
}
