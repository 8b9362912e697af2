import { basename, join } from 'node:path';
import { logged, repeated } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import { Problem } from '../../problem.js';
import { NO_PROGRESS } from '../../telemetry/progress.js';
import { type Confirmation, endByHand, isEnding } from '../byHand/end.js';
import { keepHandProgress } from '../byHand/keepProgress.js';
import { readHandProgress } from '../byHand/progress.js';
import { type HandRun, lookForRuns, runsByHand, sessionOf } from '../byHand/runs.js';
import { type Stray, straysUnder } from '../byHand/strays.js';
import type { HandRunFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';

const LOOK_MS = 2000;

/**
 * Looks every two seconds for trainings that were started in a terminal. One in a session's folder becomes part of that
 * session, which is read again while it runs; the others have a list of their own.
 */
export function watchHandRuns({ outputs, hub }: { outputs: Outputs; hub: Hub }) {
  let facts: HandRunFacts[] = [];
  let revision = 0;
  /** Sessions with a training by hand at the last look. */
  let sessions = new Set<string>();
  let strays: Stray[] = [];
  let seen = new Set<string>();
  let timer: NodeJS.Timeout | null = null;

  async function look(): Promise<void> {
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
    if (!facts?.by_hand) return;
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

  const lookSoon = repeated('by-hand', look);

  return {
    /** Trainings by hand outside the outputs folder, and those of ours whose folder is gone, as of the last look. */
    elsewhere: (): HandRunFacts[] => facts,
    /** A counter of changes to `elsewhere`. */
    revision: () => revision,
    /** Ends one of them, by its process. Throws a Problem if it is not one (any more), and without the confirmation. */
    end(pid: number, confirmation: Confirmation): HandRunFacts {
      const run = [...runsByHand(true), ...strays].find((each) => each.pid === pid);
      const before = facts.find((each) => each.pid === pid);
      if (!run || run.since !== before?.since) {
        const message = `Process ${pid} is not a training outside the outputs folder, or has ended.`;
        throw new Problem('no_such_training', message);
      }
      endByHand(run, confirmation, () => void lookSoon());
      tell(facts.map((each) => (each === before ? { ...each, status: 'stopping' } : each)));
      return { ...before, status: 'stopping' };
    },
    async open() {
      await lookSoon();
      timer = setInterval(lookSoon, LOOK_MS);
      timer.unref();
    },
    close() {
      if (timer) clearInterval(timer);
    },
  };
}

async function factsOf(run: HandRun | Stray): Promise<HandRunFacts> {
  const { outputDir, outputName, script, pid, since } = run;
  return {
    name: outputName ?? basename(outputDir),
    status: isEnding(run) ? 'stopping' : 'running',
    output_dir: outputDir,
    output_name: outputName,
    script,
    pid,
    since,
    progress: 'attempt' in run ? NO_PROGRESS : await readHandProgress(run),
    attempt: 'attempt' in run ? run.attempt : null,
  };
}
