import { within } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { memoForTime } from '../../files/memoForTime.js';
import { shellWords } from '../../trainers/script/shellWords.js';
import { readTraining } from '../../trainers/trainingCommand.js';
import { runClient } from './commands.js';
import { expandHosts, momentOf, readFields } from './parse.js';

/** A training that somebody submitted with a script of their own, and that runs. */
export type HandJob = {
  /** The job's number. */
  id: string;
  name: string;
  hosts: string[];
  /** ISO 8601. */
  since: string;
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
const scripts = new Lru<{ found: Found; log: string | null }>(1000);

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

/** Our user's running jobs that train with sd-scripts, and that Trackside did not submit. While nothing answers, those of before. */
async function look(): Promise<void> {
  const { code, out } = await runClient('squeue', ['--me', '-h', '-t', 'R', '-o', '%i|%N|%S|%Z|%j'], { patience: 10 });
  if (code !== 0) return;
  const jobs: HandJob[] = [];
  for (const line of out.split('\n').slice(0, MOST)) {
    const [id = '', nodes = '', start = '', folder = '', ...rest] = line.split('|');
    const name = rest.join('|');
    if (!id || name.startsWith('ts-')) continue;
    const training = await trainingOf(id, folder);
    const since = momentOf(start) ?? new Date().toISOString();
    if (training) jobs.push({ id, name, hosts: expandHosts(nodes), since, training });
  }
  known = jobs;
}

async function trainingOf(job: string, folder: string): Promise<Found> {
  const before = scripts.get(job);
  if (before) return before.found;
  const { code, out } = await runClient('scontrol', ['write', 'batch_script', job, '-'], { patience: 5 });
  if (code !== 0) return null;
  const found = trainingIn(out, folder);
  scripts.set(job, { found, log: null });
  return found;
}

/** The file behind a job's output; null where Slurm does not say. Asked once. */
export async function logOfJob(job: string): Promise<string | null> {
  const known = scripts.get(job);
  if (known?.log) return known.log;
  const { out } = await runClient('scontrol', ['-o', 'show', 'job', job], { patience: 5 });
  const log = readFields(out).get('StdOut') ?? null;
  if (known) known.log = log;
  return log;
}

/** Pure: the first training in a batch script, with what the script itself assigns to its variables. */
export function trainingIn(script: string, folder: string): Found {
  const variables = new Map<string, string>();
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
