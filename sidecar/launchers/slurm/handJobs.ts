import { within } from '../../caught.js';
import { Lru } from '../../files/lru.js';
import { memoForTime } from '../../files/memoForTime.js';
import { shellWords } from '../../trainers/script/shellWords.js';
import { readTraining } from '../../trainers/trainingCommand.js';
import { runClient } from './commands.js';
import { expandHosts } from './parse.js';

/** A training that somebody submitted with a script of their own, as far as its script tells. */
export type HandJob = {
  job: string;
  name: string;
  hosts: string[];
  /** Absolute. */
  outputDir: string;
  outputName: string | null;
  /** "flux_train_network.py" */
  script: string;
};

type Found = Omit<HandJob, 'job' | 'name' | 'hosts'> | null;
/** The most jobs whose scripts are read. */
const MOST = 100;
/** A job's script never changes. */
const scripts = new Lru<{ found: Found }>(1000);

const FRESH_MS = 15_000;
const kept = memoForTime<Promise<HandJob[]>>(FRESH_MS);
let last: HandJob[] = [];

/** As `readHandJobs`, at most every 15 s; answers within `ms` what was known before. */
export function handJobsSoon(ms: number): Promise<HandJob[]> {
  const answer = kept('', readHandJobs);
  void answer.then((jobs) => {
    last = jobs;
  });
  return within(ms, answer, () => last);
}

/** Our user's running jobs that train with sd-scripts, and that Trackside did not submit. Empty while nothing answers. */
export async function readHandJobs(): Promise<HandJob[]> {
  const { code, out } = await runClient('squeue', ['--me', '-h', '-t', 'R', '-o', '%i|%N|%Z|%j'], { patience: 10 });
  if (code !== 0) return [];
  const jobs: HandJob[] = [];
  for (const line of out.split('\n').slice(0, MOST)) {
    const [job = '', nodes = '', folder = '', ...rest] = line.split('|');
    const name = rest.join('|');
    if (!job || name.startsWith('ts-')) continue;
    const found = await foundIn(job, folder);
    if (found) jobs.push({ job, name, hosts: expandHosts(nodes), ...found });
  }
  return jobs;
}

async function foundIn(job: string, folder: string): Promise<Found> {
  const known = scripts.get(job);
  if (known) return known.found;
  const { code, out } = await runClient('scontrol', ['write', 'batch_script', job, '-'], { patience: 5 });
  if (code !== 0) return null;
  const found = trainingIn(out, folder);
  scripts.set(job, { found });
  return found;
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
    const training = begin < 0 ? null : readTraining([...(isPython ? [] : ['python3']), ...words.slice(begin)], cwd);
    // What this script does not say is not guessed.
    if (training && !training.outputDir.includes('$')) {
      const { outputDir, outputName, script: path } = training;
      return { outputDir, outputName, script: path };
    }
  }
  return null;
}

function withVariables(word: string, variables: ReadonlyMap<string, string>): string {
  return word.replace(/\$\{?([A-Za-z_]\w{0,100})\}?/g, (whole, name: string) => variables.get(name) ?? whole);
}
