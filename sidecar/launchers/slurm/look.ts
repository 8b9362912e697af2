import { contract } from '../../bridge.js';
import { Lru } from '../../files/lru.js';
import { keepLook, lookOf } from '../jobLooks.js';
import type { Job, JobLook } from '../launcher.js';
import { controllerAnswers, readConfig, runClient } from './commands.js';
import { ACCOUNT_FORMAT, endedLook, isOver, type JobEnd, readAccount, readJob } from './ends.js';
import { jobName } from './options.js';
import { placeOf, QUEUE_FORMAT, type QueueLine, readQueue, reasonInWords } from './parse.js';
import { DOWN, readOutput } from './submit.js';

/** Milliseconds between two looks at the jobs of everybody: of a large cluster they are ten thousands. */
const PLACES_MS = 20_000;
let placesAt = Number.NEGATIVE_INFINITY;

const { held, unwritable } = contract.exit_codes;

/**
 * All jobs in one question to the controller; one more for each end, once. A controller that does not answer leaves them all
 * unknown, and takes nothing from what it told before (launchers/jobLooks.ts). Never rejects.
 */
export async function look(jobs: readonly Job[]): Promise<ReadonlyMap<string, JobLook>> {
  const all = (every: JobLook) => new Map(jobs.map(({ attempt }) => [attempt, every]));
  if (jobs.length === 0) return new Map();
  if (!(await controllerAnswers())) return all({ phase: 'unknown', why: DOWN });
  // Only for the place of one that waits are other people's jobs read.
  const now = performance.now();
  const ofAll = now - placesAt > PLACES_MS && jobs.some(({ attempt }) => lookOf(attempt).phase === 'queued');
  if (ofAll) placesAt = now;
  const words = [...(ofAll ? [] : ['--me']), '-h', '-t', 'all', '-o', QUEUE_FORMAT];
  const { code, out } = await runClient('squeue', words);
  if (code !== 0) return all({ phase: 'unknown', why: DOWN });
  const lines = readQueue(out);
  const byId = new Map(lines.map((line) => [`${line.id} ${line.name}`, line]));
  const looks = new Map<string, JobLook>();
  for (const job of jobs) {
    // A controller that lost its state counts from 1 again: a number alone may be another job's.
    const look = await lookAt(job, byId.get(`${job.ref?.id} ${jobName(job.attempt)}`), ofAll ? lines : null);
    keepLook(job.attempt, look);
    looks.set(job.attempt, look);
  }
  return looks;
}

/** Slurm's words for a job that will run later, and for one that has a node, from 21.08 to 26.05. */
const WAITS = new Set([
  'PENDING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
  'EXPEDITING',
]);
const HELD_STILL = new Set(['SUSPENDED', 'STOPPED']);
const RUNS = new Set(['RUNNING', 'CONFIGURING', 'RESIZING', 'STAGE_OUT', 'STOPPED', 'SUSPENDED']);

/** `all`: the whole queue; null keeps the place that it had. */
async function lookAt(job: Job, line: QueueLine | undefined, all: readonly QueueLine[] | null): Promise<JobLook> {
  if (!job.ref?.id) return { phase: 'unknown', why: 'Slurm has not said yet whether it took the job.' };
  if (!line) return forgotten(job, job.ref.id);
  const { state, hosts, startsAt, endsAt } = line;
  if (isOver(state)) return ended(job, line);
  if (WAITS.has(state))
    return {
      phase: 'queued',
      reason: reasonInWords(line.reason),
      place: all ? placeOf(line, all) : placeBefore(job),
      startsAt,
    };
  const phase = state === 'COMPLETING' || state === 'SIGNALING' ? 'ending' : RUNS.has(state) ? 'running' : null;
  if (!phase) return { phase: 'unknown', why: `Slurm says of it: ${state || 'nothing'}.` };
  return { phase, hosts, startedAt: startsAt ?? '', endsAt, ...(HELD_STILL.has(state) ? { suspended: true } : {}) };
}

function placeBefore({ attempt }: Job): number | null {
  const before = lookOf(attempt);
  return before.phase === 'queued' ? before.place : null;
}

/** Ended jobs by their attempts: each is asked for once. */
const ends = new Lru<JobLook>(1000);

async function ended(job: Job, { id, state, reason, hosts }: QueueLine): Promise<JobLook> {
  const known = ends.get(job.attempt);
  if (known) return known;
  const told = await runClient('scontrol', ['-o', 'show', 'job', id]);
  const end = readJob(told.out) ?? {
    state,
    reason,
    exitCode: 0,
    signal: 0,
    hosts,
    preempted: state === 'PREEMPTED',
    atLimit: false,
  };
  return keep(job, id, end, told.code === 0);
}

/** After MinJobAge, five minutes by default, only accounting knows, where there is some. */
async function forgotten(job: Job, id: string): Promise<JobLook> {
  const known = ends.get(job.attempt);
  if (known) return known;
  const unknown: JobLook = { phase: 'unknown', why: 'Slurm no longer knows this job.', forgotten: true };
  if (!(await readConfig())?.accounting) return unknown;
  const told = await runClient('sacct', ['-n', '-P', '-X', '-D', '-j', id, '-o', ACCOUNT_FORMAT]);
  const end = readAccount(told.out, id, jobName(job.attempt));
  return end && isOver(end.state) ? keep(job, id, end, true) : unknown;
}

async function keep({ attempt, folder }: Job, id: string, end: JobEnd, isWhole: boolean): Promise<JobLook> {
  const look = endedLook(end, await readOutput(folder, id), { held, unwritable });
  if (isWhole) ends.set(attempt, look);
  return look;
}
