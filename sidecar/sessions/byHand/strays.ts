import { startedAt } from '../../launchers/byHand/startedAt.js';
import { type Marked, markedAttempts, type Process } from '../../launchers/marked.js';
import { isWithin } from '../../security/paths.js';
import type { HandRun } from './runs.js';

/** An attempt of ours that trains, though no session shows it. */
export type Stray = Omit<HandRun, 'processes'> & { attempt: string; processes: Process[] };

/**
 * The attempts that were begun in a session's folder of `root` and live, but whose session is not there: the folder was
 * moved out of the outputs, its volume was unmounted, the outputs folder itself was moved. `shown`: the attempts of sessions
 * that are there.
 */
export function straysUnder(root: string, shown: ReadonlySet<string>): Stray[] {
  const isOurs = ({ output, logFolder }: Marked) => [output, logFolder].some((path) => path && isWithin(root, path));
  return markedAttempts()
    .filter((each) => !shown.has(each.attempt) && isOurs(each))
    .flatMap(strayOf);
}

function strayOf({ attempt, processes, output, logFolder, script }: Marked): Stray[] {
  const [top] = processes;
  const outputDir = logFolder ?? output;
  if (!top || !outputDir) return [];
  const since = startedAt(top.startTicks);
  const run = { outputDir, place: outputDir, outputName: null, script, trainer: null, since, pid: top.pid, job: null };
  return [{ ...run, attempt, processes }];
}

/** The processes of a stray now. */
export function processesOfStray(attempt: string) {
  return markedAttempts().find((each) => each.attempt === attempt)?.processes ?? [];
}
