import { readGpus } from '../processes/gpus.js';
import { type AttemptRecord, readAttempt } from './attemptFile.js';
import { launchRunner } from './launch.js';
import type { EndedHow, Job, JobLook, JobRef, Launcher } from './launcher.js';
import { liveness } from './liveness.js';
import { endedByDaemon, wasEndedByPod } from './podEnd.js';
import { stopAttempt } from './stop.js';

/** This machine: each attempt has a runner in a process session of its own. All facts are in the attempt's folder. */
export const local: Launcher = {
  id: 'local',
  offers: async (anew) => ({ ...(await readGpus(anew)), queues: [] }),
  submit: launchRunner,
  look: async (jobs) => new Map(jobs.map((job) => [job.attempt, look(job)])),
  cancel: ({ folder }, how) => stopAttempt(folder, { how }),
  find: async (jobs) => jobs.flatMap((job) => refOf(recordOf(job))),
};

function look(job: Job): JobLook {
  const record = recordOf(job);
  if (!record) return { phase: 'unknown', why: 'Its runner has left no record.' };
  const hosts = [record.hostname];
  const life = liveness(job.folder);
  if (life.alive !== 'no') {
    const wasTold = record.stop_signal || record.stop_requested_at;
    const isEnding = wasTold || ((life.alive === 'here' || life.alive === 'job') && life.trainerEnded);
    return { phase: isEnding ? 'ending' : 'running', hosts, startedAt: record.started_at, endsAt: null };
  }
  const { exit_code: exitCode, signal, reason } = record;
  return { phase: 'ended', how: howEnded(record, job.folder), hosts, exitCode, signal, words: reason ?? '' };
}

function howEnded(record: AttemptRecord, folder: string): EndedHow {
  if (record.oom_killed) return 'out of memory';
  if (record.stop_requested_at) return 'cancelled';
  if (record.ended_at === null || wasEndedByPod(record, folder) || endedByDaemon(record)) return 'node lost';
  if (record.stop_signal) return 'cancelled';
  return record.trainer_pid === null ? 'never started' : 'by itself';
}

/** The record of this attempt's runner; null if the folder has another attempt's record, or none. */
function recordOf({ attempt, folder }: Job): AttemptRecord | null {
  const record = readAttempt(folder);
  return record?.id === attempt ? record : null;
}

function refOf(record: AttemptRecord | null): JobRef[] {
  return record ? [{ launcher: 'local', attempt: record.id, id: String(record.pid), cluster: null }] : [];
}
