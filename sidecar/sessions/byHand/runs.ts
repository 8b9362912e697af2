import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type CommandLine, createLook, type Recognised } from '../../launchers/byHand/commandLines.js';
import { startedAt } from '../../launchers/byHand/startedAt.js';
import { readTraining, type TrainingByHand } from '../../trainers/trainingCommand.js';
import { isSessionName } from '../names.js';

/** A living training that was started in a terminal, by no Trackside. */
export type HandRun = Pick<TrainingByHand, 'outputDir' | 'outputName' | 'script'> & {
  /** `outputDir` with every link resolved. */
  place: string;
  /** Of the topmost process: the launcher, or the trainer itself. */
  pid: number;
  since: string;
  /** Launcher, trainer and loader workers: all processes with this output, the topmost first. */
  processes: Recognised<HandProcess>[];
};

export type HandProcess = TrainingByHand & Pick<HandRun, 'since'>;

/** One scan of all processes answers all calls within this time. */
const FRESH_MS = 2000;

/** All trainings that were started by hand in this PID namespace, oldest first. `now` forces a scan. */
export function runsByHand(now = false): HandRun[] {
  const at = performance.now();
  if (now || !last || at - last.at > FRESH_MS) last = { at, runs: group(look()) };
  return last.runs;
}

let last: { at: number; runs: HandRun[] } | undefined;
const look = createLook(recognise);

/** The training by hand that writes into an output folder, or null. */
export function byHandIn(folder: string, now = false): HandRun | null {
  // A session's folder is no link (see sessionFolders): runs in folders of other names can be skipped.
  const runs = runsByHand(now).filter(({ place }) => basename(place) === basename(folder));
  if (runs.length === 0) return null;
  const path = realPath(folder);
  return runs.find(({ place }) => place === path) ?? null;
}

/** The session that a training by hand writes into; null outside the outputs root. */
export function sessionOf({ place }: HandRun, root: string): string | null {
  const name = basename(place);
  return dirname(place) === realPath(root) && isSessionName(name) ? name : null;
}

function recognise({ argv, cwd, startTicks }: CommandLine): HandProcess | null {
  const training = readTraining(argv, cwd);
  return training && { ...training, since: startedAt(startTicks) };
}

function group(processes: Recognised<HandProcess>[]): HandRun[] {
  const runs = new Map<string, Recognised<HandProcess>[]>();
  for (const one of processes) {
    const key = `${one.as.outputDir}\0${one.as.outputName}`;
    runs.set(key, [...(runs.get(key) ?? []), one]);
  }
  return [...runs.values()].flatMap((all) => {
    const pids = new Set(all.map(({ pid }) => pid));
    const depth = ({ ppid }: Recognised<HandProcess>) => Number(pids.has(ppid));
    const sorted = all.sort((a, b) => depth(a) - depth(b) || a.startTicks - b.startTicks || a.pid - b.pid);
    const [top] = sorted;
    if (!top) return [];
    const { outputDir, outputName, script, since } = top.as;
    return [{ outputDir, place: realPath(outputDir), outputName, script, since, pid: top.pid, processes: sorted }];
  });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // silent: it does not exist (any more): its name has to do.
    return path;
  }
}
