import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { inTime } from '../../files/inTime.js';
import { Lru } from '../../files/lru.js';
import { memoForTime } from '../../files/memoForTime.js';
import { type CommandLine, createLook, type Recognised } from '../../launchers/byHand/commandLines.js';
import { startedAt } from '../../launchers/byHand/startedAt.js';
import { queueWords } from '../../launchers/jobLooks.js';
import { type HandJob, knownHandJobs, lookForHandJobs } from '../../launchers/slurm/handJobs.js';
import { trainerOfCommand } from '../../trainers/recordTrainer.js';
import {
  type ConfigFlags,
  configFileOf,
  readConfig,
  readTraining,
  type TrainingByHand,
} from '../../trainers/trainingCommand.js';
import type { HandJobFacts } from '../byHandFacts.js';
import { isSessionName } from '../names.js';

/** A training that was started in a terminal and lives, or was submitted to the cluster and runs or waits, by no Trackside. */
export type HandRun = Pick<TrainingByHand, 'outputDir' | 'outputName' | 'script'> & {
  /** The trainer that its script and flags mean; null for a script that several have, or none. */
  trainer: string | null;
  /** `outputDir` with every link resolved. */
  place: string;
  /** Of the topmost process: the launcher, or the trainer itself; null for a job. */
  pid: number | null;
  /** Its job on the cluster; null on this machine. */
  job: HandJob | null;
  since: string;
  /** Launcher, trainer and loader workers: all processes with this output, the topmost first. None here of a job. */
  processes: Recognised<HandProcess>[];
};

export type HandProcess = TrainingByHand & Pick<HandRun, 'since' | 'trainer'>;

/** One scan of all processes answers all calls within this time. */
const FRESH_MS = 2000;

/**
 * All trainings that were started by hand in this PID namespace, oldest first, and those in jobs as of the last look at the
 * cluster. `now` forces a scan. Never waits for a disk, nor for a cluster: a training whose flags are in a file comes with the
 * scan after that was read (see `lookForRuns`).
 */
export function runsByHand(now: boolean): HandRun[] {
  return [...kept('', () => group(look()), now), ...knownHandJobs().map(runOfJob)];
}

/** Milliseconds that a look waits for a cluster. */
const CLUSTER_MS = 2000;

/** A scan that waits, for some seconds at most, for the files and folders that command lines name, and for a `cluster`. */
export async function lookForRuns({ cluster = false } = {}): Promise<HandRun[]> {
  const runs = runsByHand(true);
  if (asked.size === 0 && !cluster) return runs;
  await Promise.all([...asked, ...(cluster ? [lookForHandJobs(CLUSTER_MS, true)] : [])]);
  return runsByHand(true);
}

const kept = memoForTime<HandRun[]>(FRESH_MS);
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

function runOfJob(job: HandJob): HandRun {
  const { outputDir, outputName, script, argv } = job.training;
  const about = { place: placeOf(outputDir), trainer: trainerOfCommand(argv), since: job.since };
  return { outputDir, outputName, script, ...about, pid: null, job, processes: [] };
}

/** The job of a training by hand, as it is shown; null where it has none. */
export function jobOf({ job }: Pick<HandRun, 'job'>): HandJobFacts | null {
  return job && { id: job.id, hosts: job.hosts, waits: job.waits };
}

/** "process 77", "job 12 on n3"; "job 12" while it waits. */
export function wordsOfRun({ pid, job }: Pick<HandRun, 'pid'> & { job: HandJobFacts | null }): string {
  return job ? [`job ${job.id}`, ...(job.waits ? [] : [`on ${job.hosts.join(', ')}`])].join(' ') : `process ${pid}`;
}

/** "Job 12, submitted by hand, is number 3 in the cluster's queue. …"; null for what runs. */
export function waitingWords({ job }: Pick<HandRun, 'job'>): string | null {
  return job?.waits ? queueWords(`Job ${job.id}, submitted by hand,`, job.waits) : null;
}

function recognise({ argv, cwd, startTicks }: CommandLine): HandProcess | null | 'later' {
  const path = configFileOf(argv, cwd);
  const config = path === null ? {} : configOf(path, startTicks);
  if (config === null) return 'later';
  const training = readTraining(argv, cwd, config);
  return training && { ...training, trainer: trainerOfCommand(argv), since: startedAt(startTicks) };
}

/** What is being asked of disks that others name: on a dead network mount it is not answered. */
const asked = new Set<Promise<void>>();
const configs = new Lru<ConfigFlags | 'asked'>(500);
const places = new Lru<string>(500);

function ask<T>(key: string, read: () => Promise<T>, take: (found: T | null) => void): void {
  const asking: Promise<void> = inTime<T | null>(key, read)
    .catch(ifUnreadable(null, 'by-hand'))
    .then(take)
    .finally(() => asked.delete(asking));
  asked.add(asking);
}

/** The flags in the file that a process names, read once for it; null while that is under way. */
function configOf(path: string, startTicks: number): ConfigFlags | null {
  const key = `${startTicks} ${path}`;
  const known = configs.get(key);
  if (known === undefined) {
    configs.set(key, 'asked');
    const read = () => readConfig(path);
    ask(path, read, (found) => configs.set(key, found ?? {}));
  }
  return known === undefined || known === 'asked' ? null : known;
}

/** Where a folder really is, as of the scan before: it may be made, moved or linked meanwhile. */
function placeOf(folder: string): string {
  const read = () => realpath(folder).catch(ifMissing(folder));
  ask(`place of ${folder}`, read, (found) => {
    if (found !== null) places.set(folder, found);
  });
  return places.get(folder) ?? folder;
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
    const { outputDir, outputName, script, trainer, since } = top.as;
    const place = placeOf(outputDir);
    return [{ outputDir, place, outputName, script, trainer, since, pid: top.pid, job: null, processes: sorted }];
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
