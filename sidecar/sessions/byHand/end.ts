import { logged } from '../../caught.js';
import { endProcesses } from '../../launchers/byHand/end.js';
import { endHandJob } from '../../launchers/slurm/cancel.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { type HandRun, runsByHand, wordsOfRun } from './runs.js';
import { processesOfStray, type Stray } from './strays.js';

/** The confirmation that a stop of a training by hand needs. */
export const CONFIRMED = 'by-hand';

/** Fields of a request to stop. */
export type Confirmation = {
  confirm?: string | null;
  /** The process, or the job, that was shown to the person; another one is left alone. */
  process?: string | null;
  job?: string | null;
};

/** Is it ending? */
export function isEnding(run: HandRun | Stray): boolean {
  return ending.has(nameOf(run));
}

const ending = new Set<string>();

/**
 * Ends all processes of a training by hand, or its job. Returns at once; calls `ended` after the end. Throws a Problem without the
 * confirmation, before any signal.
 */
export function endByHand(run: HandRun | Stray, { confirm, process, job }: Confirmation, ended: () => void): void {
  if (confirm !== CONFIRMED) {
    throw new Problem(
      'started_by_hand',
      'attempt' in run
        ? `Process ${run.pid} trains without a session's folder: Trackside can't resume it there, and unsaved progress would be lost.`
        : `${startOf(run)} by hand: Trackside can't ${run.job?.waits ? 'submit it again.' : 'restart it, and unsaved progress would be lost.'}`,
      { kept: 'Nothing was stopped.', todo: `To stop it anyway, send confirm=${CONFIRMED}.`, field: 'confirm' },
    );
  }
  const shown = process ? `process ${process}` : job ? `job ${job}` : null;
  if ((process && process !== String(run.pid)) || (job && job !== run.job?.id)) {
    const message = `What you saw, ${shown}, has ended; ${wordsOfRun(run)} is a different one.`;
    throw new Problem('another_process', message, { kept: 'Nothing was stopped.', field: process ? 'process' : 'job' });
  }
  const name = nameOf(run);
  if (ending.has(name)) return;
  ending.add(name);
  log.info('by-hand', 'Stop of a training that was started by hand.', {
    pid: run.pid,
    job: run.job?.id,
    folder: run.outputDir,
  });
  void (run.job ? endHandJob(run.job) : endProcesses(run.processes, () => alike(run)))
    .catch(logged('sessions', 'A training that was started by hand could not be ended.'))
    .finally(() => {
      ending.delete(name);
      runsByHand(true);
      ended();
    });
}

/** Processes that it starts meanwhile have the same command line: loader workers are new each epoch. */
function alike(run: HandRun | Stray) {
  if ('attempt' in run) return processesOfStray(run.attempt);
  const { outputDir, outputName } = run;
  return runsByHand(true)
    .filter((run) => run.outputDir === outputDir && run.outputName === outputName)
    .flatMap(({ processes }) => processes);
}

function startOf({ pid, job }: HandRun | Stray): string {
  return job ? `Job ${job.id} was submitted` : `Process ${pid} was started`;
}

function nameOf({ processes, job }: Pick<HandRun | Stray, 'processes' | 'job'>): string {
  if (job) return `job ${job.id}`;
  const top = processes[0];
  return `${top?.pid}:${top?.startTicks}`;
}
