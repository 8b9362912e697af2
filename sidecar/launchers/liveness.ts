import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { ifUnreadable } from '../caught.js';
import { ownNamespace, readLiving, readProcess } from '../processes/identity.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import { isUnlocked } from './folderLock.js';
import { SILENT_SECONDS, secondsOfSilence } from './heartbeat.js';
import { findLeft } from './sweep.js';

export type Liveness =
  | {
      readonly alive: 'here';
      readonly pid: number;
      /** The process found: the runner; or without it the trainer, or any other process of the attempt. */
      readonly by: 'runner' | 'trainer' | 'process';
      /** The trainer has ended: its runner waits for its last processes, or for a disk that can be written. */
      readonly trainerEnded?: true;
      readonly attempt: AttemptRecord;
    }
  | {
      /** On another machine, or in another container, that shares the output folder. */
      readonly alive: 'elsewhere';
      readonly hostname: string;
      /** Since its last heartbeat, while we watched. */
      readonly silentSeconds: number;
      readonly attempt: AttemptRecord;
    }
  | {
      /** A cluster's job, on any of its nodes: ours to follow and to stop, through its launcher. */
      readonly alive: 'job';
      /** Its node. */
      readonly hostname: string;
      readonly silentSeconds: number;
      readonly trainerEnded?: true;
      readonly attempt: AttemptRecord;
    }
  | { readonly alive: 'no' };

/**
 * Does a training live in an output folder? The kernel decides, never a file alone. Cheap enough for many sessions a
 * second; never throws.
 *
 * The evidence is the identity in attempt.json. `training.pid` is written for people and decides nothing: a missing or
 * broken one does not end a living training (its runner rewrites it), and a foreign PID in it changes nothing.
 */
export function liveness(outputFolder: string): Liveness {
  const attempt = readAttempt(outputFolder);
  if (!attempt || attempt.ended_at || !isOfFolder(attempt, outputFolder)) return dead;
  if (isThisNamespace(attempt)) return asJob(attempt, livenessHere(attempt));
  const silentSeconds = secondsOfSilence(outputFolder);
  if (silentSeconds >= SILENT_SECONDS || isUnlocked(attempt, outputFolder, silentSeconds)) return dead;
  return asJob(attempt, { alive: 'elsewhere', hostname: attempt.hostname, silentSeconds, attempt });
}

/** A job of this very machine is a job all the same. */
function asJob(attempt: AttemptRecord, life: Liveness): Liveness {
  if (!attempt.job || life.alive === 'no' || life.alive === 'job') return life;
  const silentSeconds = life.alive === 'elsewhere' ? life.silentSeconds : 0;
  const ended = life.alive === 'here' && life.trainerEnded ? { trainerEnded: true as const } : {};
  return { alive: 'job', hostname: attempt.node ?? attempt.hostname, silentSeconds, attempt, ...ended };
}

/** Are the PIDs of an attempt valid here? */
export function isThisNamespace(attempt: AttemptRecord): boolean {
  const own = ownNamespace();
  const same =
    attempt.pid_namespace === own.link &&
    attempt.init_start_ticks === own.initStartTicks &&
    (attempt.boot_id ?? own.bootId) === own.bootId;
  // Without boot ids, two machines can agree in all of these; and a machine may be renamed.
  return same && (attempt.boot_id !== null || attempt.hostname === hostname());
}

/** What an attempt knows of the folder that it was begun in. */
export type OwnFolder = {
  output: string | null;
  output_inode: number | null;
  /** Of its file system; valid in the attempt's own PID namespace only. Null when unknown. */
  device?: number | null;
};

/** False for a copy of an output folder: its files name an attempt, and perhaps a living process, of the original. */
export function isOfFolder(attempt: AttemptRecord, outputFolder: string): boolean {
  const { output, output_inode, device } = attempt;
  return copiedFrom({ output, output_inode, device: isThisNamespace(attempt) ? device : null }, outputFolder) === null;
}

/** The original's path, when a folder is a copy of the attempt's own; null when it is that one, perhaps moved. */
export function copiedFrom({ output, output_inode: inode, device }: OwnFolder, outputFolder: string): string | null {
  if (output === null || output === outputFolder) return null;
  try {
    const stats = statSync(outputFolder);
    // A moved folder keeps its inode; on file systems that renumber inodes, the folder keeps at least its path.
    const isSame = stats.ino === inode && (device === null || device === undefined || stats.dev === device);
    return isSame || realpathSync(outputFolder) === output ? null : output;
  } catch (error) {
    return ifUnreadable(output, 'launchers')(error);
  }
}

const dead = { alive: 'no' } as const;

function livenessHere(attempt: AttemptRecord): Liveness {
  const { trainer_pid: trainer, trainer_start_ticks: ticks } = attempt;
  const trains = trainer !== null && ticks !== null && livesAs(trainer, ticks);
  if (livesAs(attempt.pid, attempt.start_ticks)) {
    const ended = trainer !== null && !trains ? { trainerEnded: true as const } : {};
    return { alive: 'here', pid: attempt.pid, by: 'runner', attempt, ...ended };
  }
  if (trains) return { alive: 'here', pid: trainer, by: 'trainer', attempt };
  const other = findLeft(attempt);
  return other ? { alive: 'here', pid: other.pid, by: 'process', attempt } : dead;
}

function livesAs(pid: number, startTicks: number): boolean {
  if (readLiving({ pid, startTicks })) return true;
  return readProcess(pid) === null && isHidden(pid);
}

/** With hidepid, /proc hides other users' processes; EPERM for a signal proves that the process exists. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
