import { logged, repeatedly } from '../../caught.js';
import { readAttempt } from '../../launchers/attemptFile.js';
import { keepLook, keepRequeued, lookOf } from '../../launchers/jobLooks.js';
import type { Job } from '../../launchers/launcher.js';
import { takeOut } from '../../launchers/slurm/cancel.js';
import { controllerAnswers, controllerSilentSince } from '../../launchers/slurm/commands.js';
import { slurm } from '../../launchers/slurm/slurm.js';
import type { Hub } from '../../live/hub.js';
import type { Notices } from '../../live/notices.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import { editAttempt } from '../record/uiState.js';

const TICK_MS = 500;
/**
 * Milliseconds between two questions: for a minute after something was done or happened; while a job waits, of whose end only
 * the cluster can tell; and else.
 */
const EVERY_MS = { lively: 5000, waiting: 7000, quiet: 30_000 };
const LIVELY_MS = 60_000;
/** The notice of a controller that does not answer. */
const SILENCE = 'cluster';
const SILENT =
  'Slurm’s controller does not answer. Trainings on the cluster keep running, and are shown from their files; what is waiting there is shown as it was.';
const NOT_READ = 'The session could not be read again.';
/** A client that submits is over by then, whatever became of its sidecar. */
const SUBMITTED_MS = 30_000;

/**
 * Asks the cluster about all jobs in one question, and only while there are some. What it says is kept in memory
 * (launchers/jobLooks.ts); sessions that it concerns are read again.
 */
export function watchJobs({ outputs, hub, notices }: { outputs: Outputs; hub: Hub; notices: Notices }) {
  let leave = () => {};
  let askedAt = Number.NEGATIVE_INFINITY;
  let livelyUntil = 0;
  let isDue = true;
  let pingedAt = Number.NEGATIVE_INFINITY;
  /** The sessions with a job that the cluster has not said the end of, with their statuses. */
  const open = new Map<string, string>();

  function consider(name: string): void {
    const facts = outputs.facts(name);
    const before = open.get(name);
    const now =
      facts && isOpen(facts) ? `${facts.status} ${facts.attempts.at(-1)?.job?.id} ${facts.interrupted}` : null;
    if (now === null) open.delete(name);
    else open.set(name, now);
    // It began, ended, or fell silent.
    if (now === null || now === before) return;
    livelyUntil = performance.now() + LIVELY_MS;
    isDue = true;
  }

  /** Said above every page while it lasts, and asked for its end even where no job is known. */
  async function tellSilence(): Promise<void> {
    if (controllerSilentSince() === null) return notices.end(SILENCE);
    notices.tell(SILENCE, SILENT);
    if (performance.now() - pingedAt < EVERY_MS.waiting) return;
    pingedAt = performance.now();
    await controllerAnswers();
  }

  async function tick(): Promise<void> {
    await tellSilence();
    if (open.size === 0) return;
    const now = performance.now();
    const every = EVERY_MS[now < livelyUntil ? 'lively' : isWaiting() ? 'waiting' : 'quiet'];
    if (!isDue && now - askedAt < every) return;
    isDue = false;
    askedAt = now;
    await ask();
    askedAt = performance.now();
  }

  function isWaiting(): boolean {
    return [...open.keys()].some((name) => outputs.facts(name)?.status === 'pending');
  }

  async function ask(): Promise<void> {
    const jobs = new Map<string, Job>();
    for (const name of open.keys()) {
      const latest = outputs.facts(name)?.attempts.at(-1);
      if (!latest?.job) continue;
      const folder = outputs.facts(name)?.output_path ?? '';
      const ref = { launcher: 'slurm', attempt: latest.id, id: latest.job.id, cluster: latest.job.cluster } as const;
      jobs.set(name, { attempt: latest.id, folder, ref });
    }
    await findLost(jobs);
    const before = new Map([...jobs].map(([name, { attempt }]) => [name, JSON.stringify(lookOf(attempt))]));
    const hasRecord = ({ attempt, folder }: Job) => readAttempt(folder)?.id === attempt;
    const began = new Set([...jobs.values()].filter(hasRecord).map(({ attempt }) => attempt));
    await slurm.look([...jobs.values()].filter(({ ref }) => ref?.id));
    for (const [name, job] of jobs) {
      const now = lookOf(job.attempt);
      if (JSON.stringify(now) === before.get(name)) continue;
      if (now.phase === 'queued' && job.ref && began.has(job.attempt)) {
        // Before it is taken out: its end may be read at any time, and is no cancellation of somebody's.
        keepRequeued(job.attempt);
        await takeOut(job.attempt, job.ref.id);
      }
      await outputs.refresh(name).catch(logged('sessions', NOT_READ, name));
    }
  }

  /** Jobs whose sidecar died between their submission and its record, or that were submitted without an answer. */
  async function findLost(jobs: Map<string, Job>): Promise<void> {
    const lost = [...jobs].filter(([, { ref }]) => !ref?.id);
    if (lost.length === 0) return;
    const found = await slurm.find(lost.map(([, job]) => job));
    if (found === null) return;
    for (const [name, job] of lost) {
      const ref = found.find(({ attempt }) => attempt === job.attempt);
      if (ref) {
        jobs.set(name, { ...job, ref });
        await updateStateFile(job.folder, (raw) => editAttempt(raw, job.attempt, { job: ref }));
        await outputs.refresh(name);
      } else if (isOld(outputs.facts(name))) {
        const why = 'The cluster never got its job.';
        keepLook(job.attempt, { phase: 'unknown', why, forgotten: true });
        await outputs.refresh(name).catch(logged('sessions', NOT_READ, name));
      }
    }
  }

  const ticking = repeatedly('jobs', TICK_MS, tick);
  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type === 'session') consider(event.name);
      });
      for (const { name } of await outputs.list()) consider(name);
      ticking.open();
    },
    close() {
      ticking.close();
      leave();
    },
  };
}

/** Has its cluster not yet said how its newest job ended? */
function isOpen({ attempts }: SessionFacts): boolean {
  const latest = attempts.at(-1);
  return latest?.launcher === 'slurm' && latest.job !== null && latest.job.end === null;
}

function isOld(facts: SessionFacts | null): boolean {
  return Date.now() - Date.parse(facts?.attempts.at(-1)?.started_at ?? '') > SUBMITTED_MS;
}
