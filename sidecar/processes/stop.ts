import { setTimeout as wait } from 'node:timers/promises';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import type { Process } from './identity.js';
import { isOfFolder, isThisNamespace } from './liveness.js';
import { signalProcess } from './signals.js';
import { livingRunner, processesOf } from './sweep.js';

export type StopOptions = {
  /** From SIGTERM to SIGKILL. */
  graceSeconds?: number;
  /** How long the runner may then take to write down the end, before it is killed too. */
  recordSeconds?: number;
  /** After SIGKILL: what still lives then hangs in the kernel (a stuck GPU, a dead network disk). */
  giveUpSeconds?: number;
};

/** Thrown when processes survived SIGKILL. The attempt is then still alive. */
export class ProcessesRemain extends Error {
  override readonly name = 'ProcessesRemain';
  constructor(readonly pids: number[]) {
    super(`Still there after SIGKILL, so probably stuck in the kernel: ${pids.join(', ')}.`);
  }
}

/**
 * Ends everything of the attempt in an output folder: SIGTERM, after the grace SIGKILL, until two sweeps in a row find
 * nobody. Resolves then, and at once when nothing was running; a second call joins the first. With the runner dead it
 * reaches what the attempt left. An attempt of another machine or container is not touched (ask `liveness` first).
 */
export function stopAttempt(outputFolder: string, options: StopOptions = {}): Promise<void> {
  const underWay = stops.get(outputFolder);
  if (underWay) return underWay;
  const stop = stopNow(outputFolder, options).finally(() => stops.delete(outputFolder));
  stops.set(outputFolder, stop);
  return stop;
}

const stops = new Map<string, Promise<void>>();
const SWEEP_MS = 100;

async function stopNow(outputFolder: string, options: StopOptions): Promise<void> {
  const { graceSeconds = 15, recordSeconds = 5, giveUpSeconds = 60 } = options;
  const attempt = readAttempt(outputFolder);
  if (!attempt || 'broken' in attempt || attempt.ended_at) return;
  if (!isThisNamespace(attempt) || !isOfFolder(attempt, outputFolder)) return;

  if (await askToEnd(outputFolder, attempt, graceSeconds)) return;
  const deadline = performance.now() + giveUpSeconds * 1000;
  let runnerMayLiveUntil: number | undefined;
  for (;;) {
    const living = await sweepTwice(attempt);
    if (living.length === 0) return;
    const others = living.filter((one) => one.pid !== attempt.pid);
    if (others.length === 0) runnerMayLiveUntil ??= performance.now() + recordSeconds * 1000;
    const runnerToo = runnerMayLiveUntil !== undefined && performance.now() > runnerMayLiveUntil;
    for (const one of runnerToo ? living : others) signalProcess(one, 'SIGKILL');
    if (performance.now() > deadline) throw new ProcessesRemain(living.map((one) => one.pid));
    await wait(SWEEP_MS);
  }
}

/**
 * A runner is told alone: it passes SIGTERM on, once, to all that it owns. One that is stopped, stuck or gone does not
 * say so in its record, and then everybody is told directly. True when nobody is left.
 */
async function askToEnd(outputFolder: string, attempt: AttemptRecord, graceSeconds: number): Promise<boolean> {
  const started = performance.now();
  const runner = livingRunner(attempt);
  let passedOn = runner !== null && runner.state !== 'T' && signalProcess(runner, 'SIGTERM');
  if (!passedOn) tellAll(attempt);
  while (performance.now() - started < graceSeconds * 1000) {
    if ((await sweepTwice(attempt)).length === 0) return true;
    if (passedOn && performance.now() - started > 1000 && !saysItStops(outputFolder)) {
      passedOn = false;
      tellAll(attempt);
    }
    await wait(SWEEP_MS);
  }
  return false;
}

function tellAll(attempt: AttemptRecord): void {
  for (const one of processesOf(attempt)) if (one.pid !== attempt.pid) signalProcess(one, 'SIGTERM');
}

function saysItStops(outputFolder: string): boolean {
  const now = readAttempt(outputFolder);
  return now !== null && !('broken' in now) && now.stop_signal !== null;
}

/** A process that is just being forked or executed may be missed by one sweep: empty means empty twice. */
async function sweepTwice(attempt: AttemptRecord): Promise<Process[]> {
  const living = processesOf(attempt);
  if (living.length > 0) return living;
  await wait(SWEEP_MS);
  return processesOf(attempt);
}
