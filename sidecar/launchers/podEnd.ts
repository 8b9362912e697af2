import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../bridge.js';
import { ifUnreadable } from '../caught.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import { isThisNamespace } from './liveness.js';

const FILE = contract.files.pod_end;
/** What is told to end within so many seconds was told by one and the same. */
const TOGETHER_SECONDS = 5;

const note = z.object({ id: z.string(), uptime: z.number() });

/** Writes down that this sidecar was told to end at this moment, beside an attempt of its pod. Never throws. */
export function noteOwnEnd(outputFolder: string): void {
  const attempt = readAttempt(outputFolder);
  if (!attempt || !isThisNamespace(attempt)) return;
  const content: z.infer<typeof note> = { id: attempt.id, uptime: uptime() };
  try {
    // In place and without a sync: a pod that ends leaves no time, and half a note is none.
    writeFileSync(join(outputFolder, FILE), `${JSON.stringify(content)}\n`);
  } catch {
    // silent: a full or read-only disk: then what the runner wrote has to tell.
  }
}

/**
 * Whether it was the pod that ended an attempt, where its runner was told to end and nobody asked us for that. A person
 * who types `kill $(cat training.pid)` ends the runner alone. A pod that is shut down tells everything in it to end, or
 * only its PID 1, and is gone soon after. So it was the pod
 * - when its sidecar was told to end in the same seconds, as the runner was;
 * - when that life of the PID namespace is over, and the runner never came to write down how the attempt ended, or it was
 *   told by PID 1 or by somebody outside of the pod: a shell is neither, or its pod is still there.
 * Seconds are those since the machine booted, which no clock that is set can change.
 */
export function wasEndedByPod(attempt: AttemptRecord, outputFolder: string): boolean {
  if (attempt.stop_signal === null) return false;
  if (!isThisNamespace(attempt)) {
    if (attempt.ended_at === null) return true;
    if (attempt.stop_sender !== null && attempt.stop_sender <= 1) return true;
  }
  const noted = readNote(outputFolder);
  if (noted?.id !== attempt.id || attempt.stop_uptime === null) return false;
  return Math.abs(noted.uptime - attempt.stop_uptime) <= TOGETHER_SECONDS;
}

function readNote(outputFolder: string): z.infer<typeof note> | null {
  try {
    return note.parse(JSON.parse(readFileSync(join(outputFolder, FILE), 'utf8')));
  } catch (error) {
    return ifUnreadable(null, 'launchers')(error);
  }
}

function uptime(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}
