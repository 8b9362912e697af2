import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { contract } from '../bridge.js';
import { logged } from '../caught.js';
import { writeWhole } from '../files/wholeFile.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import type { Cancelled } from './launcher.js';
import { liveness } from './liveness.js';

const LOOK_MS = 250;

/**
 * Asks the runner of an attempt on another host to end it: the file is in the session's folder, which both see, and the
 * runner reads it with its heartbeat. Resolves once the attempt has ended, or after `patienceSeconds`.
 */
export async function stopElsewhere(
  outputFolder: string,
  attempt: AttemptRecord,
  patienceSeconds: number,
): Promise<Cancelled> {
  if (!(await writeStopRequest(outputFolder, attempt.id))) return 'unreachable';
  const end = performance.now() + patienceSeconds * 1000;
  while (performance.now() < end) {
    const present = readAttempt(outputFolder);
    if (present?.id !== attempt.id || present.ended_at || liveness(outputFolder).alive === 'no') return 'gone';
    await wait(LOOK_MS);
  }
  return 'told';
}

/** Writes the request to stop. False, and logged, where it can't be written. */
export async function writeStopRequest(outputFolder: string, attempt: string): Promise<boolean> {
  const requested_at = new Date().toISOString();
  const request: Record<keyof typeof contract.stop, string> = { attempt, requested_at, host: hostname() };
  try {
    await writeWhole(join(outputFolder, contract.files.stop), `${JSON.stringify(request)}\n`);
    return true;
  } catch (error) {
    logged('launchers', 'The request to stop could not be written.')(error);
    return false;
  }
}
