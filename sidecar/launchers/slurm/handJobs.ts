import { within } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { memoForTime } from '../../files/memoForTime.js';
import { shellWords } from '../../trainers/script/shellWords.js';
import { readTraining } from '../../trainers/trainingCommand.js';
import { runClient } from './commands.js';
import { HAND_FORMAT, type HandLine, readHandLines, STATES, WAITING } from './handLines.js';
import { expandHosts, momentOf, placeOf, QUEUE_FORMAT, readQueue, reasonInWords } from './parse.js';

/** A training that somebody submitted with a script of their own, and that runs or waits. */
export type HandJob = {
  /** The job's number as people see it; with its task of an array: `12_3`. */
  id: string;
  name: string;
  hosts: string[];
  /** ISO 8601: its start; its submission while it waits. */
  since: string;
  /** Why it waits, in words, and its place among all that wait in its partition, from 1; null once it runs. */
  waits: { reason: string; place: number | null } | null;
  /** What `scancel` means by this job alone. */
  target: readonly string[];
  /** Of one job the same object at every look. */
  training: HandTraining;
};

/** What a job's script tells. */
export type HandTraining = {
  /** Absolute. */
  outputDir: string;
  outputName: string | null;
  /** "flux_train_network.py" */
  script: string;
  argv: readonly string[];
};

type Found = HandTraining | null;
/** The most jobs whose scripts are read. */
const MOST = 100;
/** A job's script never changes. */
const scripts = new Lru<{ found: Found }>(1000);
const logs = new WeakMap<HandTraining, string | null>();

const FRESH_MS = 15_000;
const kept = memoForTime<Promise<void>>(FRESH_MS);
let known: readonly HandJob[] = [];

/** As of the last look; never asks. */
export function knownHandJobs(): readonly HandJob[] {
  return known;
}

/** Looks for them, at most every 15 s unless `anew`, and waits for it at most `ms`. Never rejects. */
export function lookForHandJobs(ms: number, anew = false): Promise<void> {
  return within(ms, kept('', look, anew), () => undefined);
}

/** Our user's jobs that train with sd-scripts, and that Trackside did not submit. While nothing answers, those of before. */
async function look(): Promise<void> {
  const words = ['--me', '-h', '-t', STATES, '-o', HAND_FORMAT];
  const { code, out } = await runClient('squeue', words, { patience: 10 });
  if (code !== 0) return;
  const jobs: (HandJob & { line: HandLine })[] = [];
  for (const line of readHandLines(out).slice(0, MOST)) {
    const training = await trainingOf(line);
    if (training) jobs.push({ ...jobOf(line, training), line });
  }
  const waiting = jobs.filter(({ waits }) => waits !== null).map(({ line }) => line);
  const places = waiting.length > 0 ? await placesOf(waiting) : null;
  known = jobs.map(({ line, ...job }) => ({
    ...job,
    waits: job.waits && { ...job.waits, place: places?.get(line.number) ?? null },
  }));
}

function jobOf(line: HandLine, training: HandTraining): HandJob {
  const { id, number, state, name, reason, started, submitted } = line;
  const waits = WAITING.has(state);
  return {
    id,
    name,
    hosts: waits ? [] : expandHosts(line.nodes),
    since: momentOf(waits ? submitted : started) ?? momentOf(submitted) ?? new Date().toISOString(),
    waits: waits ? { reason: reasonInWords(reason), place: null } : null,
    // A task of an array may have the number of the whole array, of which those that run are not meant.
    target: waits ? ['--state=PENDING', number] : [/^\d+_\d+$/.test(id) ? id : number],
    training,
  };
}

/** Among the jobs of everybody; null where nothing answers. */
async function placesOf(waiting: readonly HandLine[]): Promise<ReadonlyMap<string, number> | null> {
  const { code, out } = await runClient('squeue', ['-h', '-t', 'PD', '-o', QUEUE_FORMAT.replace('%i', '%A')]);
  if (code !== 0) return null;
  const lines = readQueue(out);
  const own = lines.filter(({ id }) => waiting.some(({ number }) => number === id));
  return new Map(own.map((line) => [line.id, placeOf(line, lines)]));
}

async function trainingOf(line: HandLine): Promise<Found> {
  const key = keyOf(line);
  const before = scripts.get(key);
  if (before) return before.found;
  const { code, out } = await runClient('scontrol', ['write', 'batch_script', line.number, '-'], { patience: 5 });
  if (code !== 0) return null;
  const found = trainingIn(out, line.folder, variablesOf(line));
  scripts.set(key, { found });
  return found;
}

/** A controller that lost its state gives the same numbers again. A task of an array gets its own values once it runs. */
function keyOf({ id, number, submitted }: HandLine): string {
  return `${id} ${number} ${submitted}`;
}

/** What Slurm tells a job that has one task, as its script sees it. */
function variablesOf({ id, number, name }: HandLine): [string, string][] {
  const [, array, task] = /^(\d+)_(\d+)$/.exec(id) ?? [];
  const ofTask: [string, string][] =
    array && task
      ? [
          ['SLURM_ARRAY_JOB_ID', array],
          ['SLURM_ARRAY_TASK_ID', task],
        ]
      : [];
  return [
    ['SLURM_JOB_NAME', name],
    ...(id.includes('[') ? [] : [['SLURM_JOB_ID', number] as [string, string]]),
    ...ofTask,
  ];
}

/** The file behind a job's output; null where Slurm does not say, and before it runs. Asked once. */
export async function logOfJob({ training, target }: HandJob): Promise<string | null> {
  const known = logs.get(training);
  if (known !== undefined) return known;
  const { out } = await runClient('scontrol', ['-o', 'show', 'job', target.at(-1) ?? ''], { patience: 5 });
  // A path may hold spaces: it ends where the next field begins.
  const [, after = ''] = out.split(' StdOut=');
  const log = after.split(/ (?=[A-Z][A-Za-z/]{0,40}=)/)[0]?.trim() || null;
  logs.set(training, log);
  return log;
}

/** Pure: the first training in a batch script, with what the script itself assigns to its variables. */
export function trainingIn(script: string, folder: string, told: readonly [string, string][] = []): Found {
  const variables = new Map(told);
  let cwd = folder;
  for (const line of script.replaceAll('\\\n', ' ').split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const words = shellWords(line).map((word) => withVariables(word, variables));
    const [first = '', second = ''] = words[0] === 'export' ? words.slice(1) : words;
    const [, name = '', value = ''] = /^([A-Za-z_]\w*)=(.*)$/.exec(first) ?? [];
    if (name) variables.set(name, value);
    if (first === 'cd' && second.startsWith('/')) cwd = second;
    // srun, env and the like come before the training's own command.
    const begin = words.findIndex((word) => /(?:^|\/)(?:accelerate|torchrun|python[\d.]*)$/.test(word));
    const isPython = /python[\d.]*$/.test(words[begin] ?? '');
    const argv = [...(isPython ? [] : ['python3']), ...words.slice(begin)];
    const training = begin < 0 ? null : readTraining(argv, cwd);
    // What this script does not say is not guessed.
    if (training && !training.outputDir.includes('$')) {
      const { outputDir, outputName, script: path } = training;
      return { outputDir, outputName, script: path, argv };
    }
  }
  return null;
}

function withVariables(word: string, variables: ReadonlyMap<string, string>): string {
  return word.replace(/\$\{?([A-Za-z_]\w{0,100})\}?/g, (whole, name: string) => variables.get(name) ?? whole);
}
