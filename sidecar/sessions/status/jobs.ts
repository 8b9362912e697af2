import type { AttemptRecord } from '../../launchers/attemptFile.js';
import { isRequeued, lookOf, queueWords } from '../../launchers/jobLooks.js';
import type { JobLook } from '../../launchers/launcher.js';
import type { Status } from '../facts.js';
import type { AttemptEntry } from '../record/uiState.js';

/** The end of an attempt that its cluster explains, for its settlement. */
export type JobEnding = Pick<AttemptEntry, 'outcome' | 'reason' | 'reason_code' | 'no_retry'>;

/** What the cluster told last of an attempt; null for one of another launcher. */
export function jobLook(entry: AttemptEntry | null): JobLook | null {
  return entry?.job?.launcher === 'slurm' ? lookOf(entry.id) : null;
}

/** Has the cluster's word on its end come, or its word that it knows nothing? */
export function isSaid(look: JobLook): boolean {
  return look.phase === 'ended' || (look.phase === 'unknown' && look.forgotten === true);
}

/**
 * Does an attempt still wait for its runner: in the cluster's queue, or on a node that prepares itself? Without the runner's
 * record only the cluster can say that it is over. Pure.
 */
export function waitsForRunner(entry: AttemptEntry, record: AttemptRecord | null, look: JobLook | null): boolean {
  return look !== null && !entry.outcome && record?.id !== entry.id && !isSaid(look);
}

/**
 * Is there better evidence of a settled end than there was: the runner's own record, or the cluster's word, which comes some
 * seconds after? Pure.
 */
export function hasNews(entry: AttemptEntry, record: AttemptRecord | null, look: JobLook | null): boolean {
  if (look === null || !entry.outcome) return false;
  if (record?.id === entry.id && record.ended_at && record.ended_at !== entry.ended_at) return true;
  return entry.job_end === null && isSaid(look);
}

/** Its job was put back into the queue: that the job was cancelled there, by us, says nothing more. Else null. */
export function wasRequeued({ id, reason_code }: AttemptEntry): JobLook | null {
  return reason_code === 'requeued' || isRequeued(id)
    ? { phase: 'queued', reason: '', place: null, startsAt: null }
    : null;
}

/** How the cluster says that it ended, for the record. */
export function jobEndOf(look: JobLook | null): string | null {
  if (look?.phase === 'ended') return look.how;
  return look?.phase === 'unknown' && look.forgotten ? 'forgotten' : null;
}

/** The status of an attempt that waits for its runner, in words. Pure. */
export function statusOfWaiting(entry: AttemptEntry, look: JobLook): { status: Status; reason: string } {
  const job = entry.job?.id ? `Job ${entry.job.id}` : 'Its job';
  if (entry.stop_requested_at)
    return { status: 'stopping', reason: `${job} is being taken out of the cluster's queue.` };
  if (look.phase === 'queued') return { status: 'pending', reason: queueWords(job, look) };
  if (look.phase === 'running' || look.phase === 'ending')
    return { status: 'starting', reason: `${job} is being prepared on ${look.hosts.join(', ') || 'its node'}.` };
  const why = look.phase === 'unknown' ? ` ${look.why}` : '';
  return { status: 'pending', reason: `${job} was submitted to the cluster.${why}` };
}

/**
 * How an attempt ended that did not end by itself, by what its cluster says; null where the cluster does not matter, or says
 * nothing. `told`: a program of the cluster told the runner to end; `silent`: its record has no end. Pure.
 */
export function endOfJob(of: { look: JobLook; record: AttemptRecord | null; told: boolean }): JobEnding | null {
  const { look, record, told } = of;
  if (record === null) return neverBegan(look);
  // The kernel's own count, by the runner that lived on.
  if (record.oom_killed) return outOfMemory();
  const silent = record.ended_at === null;
  if (!told && !silent) return null;
  const node = record.node ?? record.hostname;
  if (look.phase === 'queued') return interrupted('requeued', 'Somebody put its job back into the cluster’s queue.');
  if (look.phase !== 'ended') return silent ? silentOn(node, look) : null;
  switch (look.how) {
    case 'cancelled':
      return stopped(`Job ${record.job} was cancelled on the cluster, not by Trackside.`);
    case 'time limit':
      return interrupted('time_limit', 'The time limit of its job was reached.');
    case 'preempted':
      return interrupted('preempted', 'The cluster gave its place to a more urgent job.');
    case 'node lost':
      return interrupted('node_failed', `The cluster lost node ${node}.`);
    case 'out of memory':
      return outOfMemory();
    default:
      break;
  }
  if (look.atLimit) return interrupted('time_limit', 'The time limit of its job was reached.');
  if (!silent) return null;
  const by = look.signal ? ` by ${look.signal}` : '';
  return interrupted('runner_gone', `Its job on ${node} was ended${by}. ${look.words}`.trim());
}

function neverBegan(look: JobLook): JobEnding | null {
  if (look.phase === 'unknown' && look.forgotten)
    return interrupted('job_forgotten', `${look.why} Nothing was trained.`);
  if (look.phase !== 'ended') return null;
  switch (look.how) {
    case 'cancelled':
      return stopped('Its job was cancelled in the queue of the cluster, not by Trackside. Nothing was trained.');
    case 'node lost':
      return interrupted(
        'node_failed',
        look.hosts.length > 0
          ? 'The cluster lost its node before it began. Nothing was trained.'
          : 'The cluster took away the partition, or the nodes, that it waited for. Nothing was trained.',
      );
    case 'preempted':
      return interrupted('preempted', 'The cluster gave its place to a more urgent job. Nothing was trained.');
    case 'out of memory':
      return outOfMemory();
    default: {
      const reason = `Its job ended before the trainer had started. ${look.words}`.trim();
      return { outcome: 'failed', reason, reason_code: 'not_started', no_retry: 'repeats' };
    }
  }
}

function silentOn(node: string, look: JobLook): JobEnding {
  const runs = look.phase === 'running' || look.phase === 'ending';
  const forgotten = look.phase === 'unknown' && look.forgotten;
  const says = runs
    ? ' The cluster still says that it runs there.'
    : forgotten
      ? ' The cluster no longer knows this job.'
      : '';
  const off = forgotten
    ? 'its job was ended, or the node is switched off or cut off'
    : 'it is switched off, or cut off';
  return interrupted('node_silent', `Node ${node} gives no sign of life: ${off}.${says}`);
}

function outOfMemory(): JobEnding {
  const reason = 'Its job used more memory than it had asked for. Ask for more, or use fewer workers.';
  return { outcome: 'failed', reason, reason_code: 'out_of_memory', no_retry: 'repeats' };
}

function interrupted(reason_code: string, reason: string): JobEnding {
  return { outcome: 'interrupted', reason, reason_code, no_retry: null };
}

function stopped(reason: string): JobEnding {
  return { outcome: 'stopped', reason, reason_code: 'job_cancelled', no_retry: null };
}

const GOES_ON = ['time_limit', 'preempted', 'requeued'];

/** Is a next job a part of the same run, as after a time limit, whether or not it is to be resumed after crashes? */
export function goesOn(latest: AttemptEntry | null): boolean {
  return latest?.outcome === 'interrupted' && GOES_ON.includes(latest.reason_code ?? '');
}
