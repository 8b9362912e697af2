import { setTimeout as wait } from 'node:timers/promises';
import { contract } from '../../bridge.js';
import { readAttempt } from '../attemptFile.js';
import type { Cancelled, Job } from '../launcher.js';
import { liveness } from '../liveness.js';
import { writeStopRequest } from '../stopElsewhere.js';
import { readConfig, runClient } from './commands.js';
import { type HandJob, knownHandJobs, lookForHandJobs } from './handJobs.js';
import { look } from './look.js';
import { jobName } from './options.js';

const LOOK_MS = 250;
/** Seconds beyond the training's own, and beyond Slurm's, until somebody has to look. */
const MARGIN = 5;

/**
 * Asks the runner by a file in the session's folder, which works while the controller is down, and through Slurm, which is
 * quicker and reaches a job that waits. `end` lets the training have its seconds, then has Slurm end what is left.
 */
export async function cancel(job: Job, how: 'ask' | 'end' | 'kill'): Promise<Cancelled> {
  const asked = await writeStopRequest(job.folder, job.attempt);
  const id = job.ref?.id;
  const present = id ? (await look([job])).get(job.attempt) : undefined;
  if (present?.phase === 'ended' && !beats(job)) return 'gone';
  if (!id) return asked ? 'told' : 'unreachable';
  const waits = present?.phase === 'queued';
  const whole = itself(job.attempt, id);
  const words = waits || how === 'kill' ? whole : ['-b', '-s', 'TERM', ...whole];
  const told = await runClient('scancel', words, { patience: 10 });
  if (waits && told.code === 0) return (await endsWithin(job, MARGIN)) ? 'gone' : 'told';
  if (how === 'ask') return asked || told.code === 0 ? 'told' : 'unreachable';
  const grace = readAttempt(job.folder)?.stop_grace ?? contract.seconds.stop_grace;
  if (how === 'end' && (await endsWithin(job, grace + MARGIN))) return 'gone';
  const killed = await runClient('scancel', whole, { patience: 10 });
  const killWait = (await readConfig())?.killWait ?? 30;
  if (await endsWithin(job, killWait + MARGIN)) return 'gone';
  return asked || killed.code === 0 ? 'told' : 'unreachable';
}

/**
 * Ends a job that somebody submitted by hand: Slurm tells its processes to end, and ends what is left after KillWait; one that
 * waits is taken out of the queue, unless it has begun meanwhile. Resolves once it is gone, or when nothing says so in time.
 */
export async function endHandJob(job: HandJob): Promise<void> {
  const isThere = () => knownHandJobs().some(({ id, since }) => id === job.id && since === job.since);
  await lookForHandJobs(MARGIN * 1000, true);
  // It began meanwhile, or has ended: its number may be another job's by now.
  if (!isThere()) return;
  await runClient('scancel', job.target, { patience: 10 });
  const end = performance.now() + ((await readConfig())?.killWait ?? 30) * 1000 + MARGIN * 1000;
  do {
    await lookForHandJobs(MARGIN * 1000, true);
    if (!isThere()) return;
    await wait(LOOK_MS * 4);
  } while (performance.now() < end);
}

/** Takes a job out of the queue into which somebody put it back: it would begin the same attempt again. */
export async function takeOut(attempt: string, id: string): Promise<void> {
  await runClient('scancel', ['--state=PENDING', ...itself(attempt, id)], { patience: 10 });
}

/** The words for `scancel` that mean this job alone: a controller that lost its state gives its number to another one. */
function itself(attempt: string, id: string): string[] {
  return [`--name=${jobName(attempt)}`, id];
}

/** Does its record say that it lives? */
function beats({ folder, attempt }: Job): boolean {
  return readAttempt(folder)?.id === attempt && liveness(folder).alive !== 'no';
}

async function endsWithin(job: Job, seconds: number): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const record = readAttempt(job.folder);
    if (record?.id === job.attempt && (record.ended_at || liveness(job.folder).alive === 'no')) return true;
    if (record?.id !== job.attempt && (await look([job])).get(job.attempt)?.phase === 'ended') return true;
    await wait(record?.id === job.attempt ? LOOK_MS : LOOK_MS * 4);
  }
  return false;
}
