import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { contract } from '../bridge.js';
import { readOr } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { readTextNow } from '../files/regularFile.js';
import { type Process, readLiving } from '../processes/identity.js';
import { signalProcess } from '../processes/signals.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import type { Cancelled } from './launcher.js';
import { isOfFolder, isThisNamespace } from './liveness.js';
import { stopElsewhere, writeStopRequest } from './stopElsewhere.js';
import { processesOf } from './sweep.js';

export type StopOptions = {
  /** As in a launcher's `cancel`. */
  how?: 'ask' | 'end' | 'kill';
  /** From SIGTERM to SIGKILL; by default what the attempt says of itself. */
  graceSeconds?: number;
  /** Time for the runner to record the end, before it is killed too. */
  recordSeconds?: number;
  /** After SIGKILL: processes that still live then hang in the kernel (a stuck GPU, a dead network disk). */
  giveUpSeconds?: number;
};

/**
 * Ends all processes of the attempt in an output folder: SIGTERM, after the grace SIGKILL, until two sweeps in a row
 * find none. Resolves then, or at once if nothing runs; a second call joins the first. Works without the runner, too.
 * An attempt of another machine or container is asked to end by a file in its folder (stopElsewhere.ts).
 */
export function stopAttempt(outputFolder: string, options: StopOptions = {}): Promise<Cancelled> {
  // Per attempt: a new attempt may begin while the last one's stop still sweeps.
  const attempt = readAttempt(outputFolder);
  const key = `${options.how} ${attempt?.id ?? ''} ${outputFolder}`;
  const underWay = stops.get(key);
  if (underWay) return underWay;
  const stop = stopNow(outputFolder, options).finally(() => stops.delete(key));
  stops.set(key, stop);
  return stop;
}

const stops = new Map<string, Promise<Cancelled>>();
const SWEEP_MS = 100;

async function stopNow(outputFolder: string, options: StopOptions): Promise<Cancelled> {
  const { how = 'end', recordSeconds = 5, giveUpSeconds = 60 } = options;
  const attempt = readAttempt(outputFolder);
  if (!attempt || attempt.ended_at) return 'gone';
  const graceSeconds = options.graceSeconds ?? attempt.stop_grace ?? contract.seconds.stop_grace;
  if (!isOfFolder(attempt, outputFolder)) return 'unreachable';
  if (!isThisNamespace(attempt)) return stopElsewhere(outputFolder, attempt, how === 'ask' ? 0 : giveUpSeconds);

  const sweep = sweepOf(attempt);
  if (how === 'ask' && (await tellRunner(outputFolder, attempt))) return 'told';
  if (how === 'ask') return (await sweep()).length === 0 ? 'gone' : 'unreachable';
  if (how === 'end' && (await askToEnd(outputFolder, attempt, sweep, graceSeconds))) return 'gone';
  return killAll(attempt, sweep, recordSeconds, giveUpSeconds);
}

type Sweep = () => Promise<Process[]>;

/**
 * One sweep may miss a process in the middle of a fork or exec: empty means empty twice. A process found once is
 * followed to its end, even if the launcher that led to it dies first.
 */
function sweepOf(attempt: AttemptRecord): Sweep {
  const seen = new Map<number, Process>();
  const once = () => {
    const living = processesOf(attempt, seen.values());
    for (const one of living) seen.set(one.pid, one);
    return living;
  };
  return async () => {
    const living = once();
    if (living.length > 0) return living;
    await wait(SWEEP_MS);
    return once();
  };
}

/**
 * Signals the runner alone: it passes SIGTERM on, once, to all its processes. If its record does not confirm that (it
 * is frozen, stuck or gone), signals all processes directly. True when none is left.
 */
async function askToEnd(
  outputFolder: string,
  attempt: AttemptRecord,
  sweep: Sweep,
  graceSeconds: number,
): Promise<boolean> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let living = await sweep();
  let told = (await tellRunner(outputFolder, attempt)) ? 'runner' : 'nobody';
  while (living.length > 0 && seconds() < graceSeconds) {
    const mayBeDeaf = told === 'runner' && !isItsOwn(attempt) && seconds() > 1;
    const unheard = mayBeDeaf && !readAttempt(outputFolder)?.stop_signal;
    if (told === 'nobody' || unheard) {
      for (const one of living) if (one.pid !== attempt.pid) signalProcess(one, 'SIGTERM');
      told = 'everybody';
    }
    await wait(SWEEP_MS);
    living = await sweep();
  }
  return living.length === 0;
}

/** Is it a training that holds its attempt itself? It notes a stop between two steps, and its workers must live until then. */
function isItsOwn({ pid, trainer_pid }: AttemptRecord): boolean {
  return pid === trainer_pid;
}

/** False without a runner that can react. */
async function tellRunner(outputFolder: string, attempt: AttemptRecord): Promise<boolean> {
  const runner = readLiving({ pid: attempt.pid, startTicks: attempt.start_ticks });
  if (runner === null || runner.state === 'T') return false;
  if (isItsOwn(attempt) && isDeaf(outputFolder, attempt)) return writeStopRequest(outputFolder, attempt.id);
  return signalProcess(runner, 'SIGTERM');
}

const trackedSchema = z.object({ id: z.string(), pid: z.number().nullable() });

/** A training in a thread hears no signals, which would end the program around it: it looks for the request instead. */
function isDeaf(outputFolder: string, attempt: AttemptRecord): boolean {
  const read = () => jsonOrNull(readTextNow(join(outputFolder, contract.files.tracked), 4096));
  const told = trackedSchema.safeParse(readOr(null, 'launchers', read)).data;
  return told?.id === attempt.id && told.pid === null;
}

/** The runner goes last, and by itself if it can: it still has to record the trainer's end. */
async function killAll(
  attempt: AttemptRecord,
  sweep: Sweep,
  recordSeconds: number,
  giveUpSeconds: number,
): Promise<Cancelled> {
  const started = performance.now();
  let aloneSince: number | undefined;
  for (let living = await sweep(); living.length > 0; living = await sweep()) {
    const now = performance.now();
    const others = living.filter((one) => one.pid !== attempt.pid);
    if (others.length === 0) aloneSince ??= now;
    const runnerToo = aloneSince !== undefined && now - aloneSince > recordSeconds * 1000;
    for (const one of runnerToo ? living : others) signalProcess(one, 'SIGKILL');
    if (now - started > giveUpSeconds * 1000) return { remain: (runnerToo ? living : others).map((one) => one.pid) };
    await wait(SWEEP_MS);
  }
  return 'gone';
}
