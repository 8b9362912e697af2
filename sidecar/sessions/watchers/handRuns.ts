import { basename, join } from 'node:path';
import { logged, repeatedly } from '../../caught.js';
import { knownHandJobs, lookForHandJobs } from '../../launchers/slurm/handJobs.js';
import type { Hub } from '../../live/hub.js';
import { openStreamCount } from '../../live/stream.js';
import { Problem } from '../../problem.js';
import { NO_PROGRESS } from '../../telemetry/progress.js';
import { type Confirmation, endByHand, isEnding } from '../byHand/end.js';
import { keepHandProgress } from '../byHand/keepProgress.js';
import { readHandProgress } from '../byHand/progress.js';
import { type HandRun, jobOf, lookForRuns, runsByHand, sessionOf } from '../byHand/runs.js';
import { type Stray, straysUnder } from '../byHand/strays.js';
import type { HandRunFacts } from '../byHandFacts.js';
import type { Outputs } from '../outputs/outputs.js';

const LOOK_MS = 2000;
/** Milliseconds that a list waits for the cluster. */
const CLUSTER_MS = 5000;

/**
 * Looks every two seconds for trainings that were started in a terminal, and where there is a `cluster` and somebody looks on, or
 * one is known there, several times a minute for jobs that were submitted by hand. One in a session's folder becomes part of that
 * session, which is read again while it runs; the others have a list of their own.
 */
export function watchHandRuns({ outputs, hub, cluster }: { outputs: Outputs; hub: Hub; cluster: boolean }) {
  let facts: HandRunFacts[] = [];
  let revision = 0;
  /** Sessions with a training by hand at the last look. */
  let sessions = new Set<string>();
  let strays: Stray[] = [];
  let seen = new Set<string>();

  async function look(): Promise<void> {
    // It is not waited for: a look comes every two seconds.
    if (cluster && (openStreamCount(hub) > 0 || knownHandJobs().length > 0)) void lookForHandJobs(0);
    const runs = await lookForRuns();
    const placed = runs.map((run) => ({ run, session: sessionOf(run, outputs.root) }));
    const now = new Set(placed.flatMap(({ session }) => session ?? []));
    const touched = new Set([...sessions, ...now]);
    sessions = now;
    for (const name of touched)
      await outputs.refresh(name).catch(logged('by-hand', 'The session could not be read again.', name));
    for (const name of now) await keep(name);
    // A trainer makes its folder with its first save: until then there is no session.
    const isTold = (session: string | null) => session !== null && outputs.facts(session)?.by_hand;
    const others = placed.flatMap(({ run, session }) => (isTold(session) ? [] : [run]));
    tell(await Promise.all([...others, ...findStrays()].map(factsOf)));
  }

  /** Twice in a row: between its start and the first look into its session, an attempt is nobody's. */
  function findStrays(): Stray[] {
    const found = straysUnder(outputs.root, outputs.living());
    strays = found.filter(({ attempt }) => seen.has(attempt));
    seen = new Set(found.map(({ attempt }) => attempt));
    return strays;
  }

  /** How far it has come, for the time when it no longer runs. */
  async function keep(name: string): Promise<void> {
    const facts = outputs.facts(name);
    if (!facts?.by_hand || facts.by_hand.job?.waits) return;
    await keepHandProgress(join(outputs.root, name), facts.progress).catch(
      logged('by-hand', 'The progress could not be kept.', name),
    );
  }

  function tell(now: HandRunFacts[]): void {
    if (JSON.stringify(now) === JSON.stringify(facts)) return;
    facts = now;
    revision += 1;
    hub.tell({ type: 'by-hand' });
  }

  const looking = repeatedly('by-hand', LOOK_MS, look);

  return {
    /** Trainings by hand outside the outputs folder, and those of ours whose folder is gone, as of the last look. */
    elsewhere: (): HandRunFacts[] => facts,
    /** A counter of changes to `elsewhere`. */
    revision: () => revision,
    /** As `elsewhere`, after a look at the cluster. */
    async elsewhereNow(): Promise<HandRunFacts[]> {
      if (!cluster) return facts;
      await lookForHandJobs(CLUSTER_MS);
      await looking.now();
      return facts;
    },
    /** Ends one of them, by its process or its job. Throws a Problem if it is not one (any more), and without the confirmation. */
    end({ pid, job }: { pid?: number; job?: string }, confirmation: Confirmation): HandRunFacts {
      const isMeant = (each: { pid: number | null; job: { id: string } | null }) =>
        job === undefined ? each.pid === pid : each.job?.id === job;
      const run = [...runsByHand(true), ...strays].find(isMeant);
      const before = facts.find(isMeant);
      if (!run || run.since !== before?.since) {
        const what = job === undefined ? `Process ${pid}` : `Job ${job}`;
        throw new Problem('no_such_training', `${what} is not a training outside the outputs folder, or has ended.`);
      }
      endByHand(run, confirmation, () => void looking.now());
      tell(facts.map((each) => (each === before ? { ...each, status: 'stopping' } : each)));
      return { ...before, status: 'stopping' };
    },
    async open() {
      await looking.now();
      looking.open();
    },
    close: looking.close,
  };
}

async function factsOf(run: HandRun | Stray): Promise<HandRunFacts> {
  const { outputDir, outputName, script, pid, since } = run;
  return {
    name: outputName ?? basename(outputDir),
    status: isEnding(run) ? 'stopping' : run.job?.waits ? 'pending' : 'running',
    output_dir: outputDir,
    output_name: outputName,
    script,
    pid,
    job: jobOf(run),
    since,
    progress: 'attempt' in run ? NO_PROGRESS : await readHandProgress(run),
    attempt: 'attempt' in run ? run.attempt : null,
  };
}
