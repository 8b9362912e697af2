import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { contract } from '../bridge.js';
import { readOr } from '../caught.js';
import { readTextNow } from '../files/regularFile.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import { isThisNamespace } from './liveness.js';

const FILE = contract.files.pod_end;
/** Bytes. */
const LARGEST = 10_000;
/** Ends requested within this time have one cause. */
const TOGETHER_SECONDS = 5;

const note = z.object({ id: z.string(), uptime: z.number() });

/** Notes, beside an attempt of its pod, that this sidecar was told to end just now. Never throws. */
export function noteOwnEnd(outputFolder: string): void {
  const attempt = readAttempt(outputFolder);
  if (!attempt || attempt.job || !isThisNamespace(attempt)) return;
  const content: z.infer<typeof note> = { id: attempt.id, uptime: uptime() };
  try {
    // In place and without a sync: an ending pod leaves no time, and half a note is ignored.
    writeFileSync(join(outputFolder, FILE), `${JSON.stringify(content)}\n`);
  } catch {
    // silent: a full or read-only disk: the runner's record has to do.
  }
}

/**
 * Did the pod end an attempt whose runner was told to end, though nobody asked us for that? A person who types `kill
 * $(cat training.pid)` ends the runner alone. A pod that shuts down tells all processes to end, or only its PID 1, and
 * is gone soon after. So it was the pod
 * - when its sidecar was told to end in the same seconds, as the runner was;
 * - when that life of the PID namespace is over, and the runner never recorded the end, or was told by PID 1 or from
 *   outside the pod: a shell is neither, or its pod still exists. Seconds are those since the machine booted, which no
 *   clock that is set can change.
 */
export function wasEndedByPod(attempt: AttemptRecord, outputFolder: string): boolean {
  // The cluster tells of a job's end.
  if (attempt.stop_signal === null || attempt.job) return false;
  if (!isThisNamespace(attempt)) {
    if (attempt.ended_at === null) return true;
    if (attempt.stop_sender !== null && attempt.stop_sender <= 1) return true;
  }
  const noted = readNote(outputFolder);
  if (noted?.id !== attempt.id || attempt.stop_uptime === null) return false;
  return Math.abs(noted.uptime - attempt.stop_uptime) <= TOGETHER_SECONDS;
}

/**
 * The program of a cluster or of the system that told the runner to end, or null: a job's time limit, a preemption, a node
 * that is drained. Names as in /proc/PID/comm, of at most 15 characters (slurm.md section 3; man pages of the others).
 */
export function endedByDaemon({ stop_signal, stop_sender_name: name }: AttemptRecord): string | null {
  return stop_signal !== null && name !== null && DAEMON.test(name) ? name : null;
}

const DAEMON =
  /^(?:slurmstepd|slurmd|slurmctld|srun|pbs_mom|sge_(?:execd|shepherd)|condor_(?:startd?|starter)|sbatchd|nomad|kubelet|containerd(?:-shim.*)?|dockerd|docker-init|conmon|crun|runc|tini|dumb-init|systemd|supervisord|runsv|s6-.*)$/;

function readNote(outputFolder: string): z.infer<typeof note> | null {
  return readOr<z.infer<typeof note> | null>(null, 'launchers', () =>
    note.parse(JSON.parse(readTextNow(join(outputFolder, FILE), LARGEST))),
  );
}

function uptime(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}
