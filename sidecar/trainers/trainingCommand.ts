import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { ifUnreadable } from '../caught.js';

/** What a process trains, by its command line. */
export type TrainingByHand = {
  /** Absolute. */
  outputDir: string;
  /** Null where none was given. */
  outputName: string | null;
  /** Base name of the script: "flux_train_network.py". */
  script: string;
  /** It only starts the trainer, and may wait for it. */
  launcher: boolean;
};

/** Null where a command line trains nothing, or doesn't say where to. */
export function readTraining(argv: readonly string[], cwd: string): TrainingByHand | null {
  const command = readTrainingCommand(argv);
  if (!command) return null;
  const given = (flag: string) => flagValue(command.flags, `--${flag}`);
  const config = given('config_file');
  const further = config === null ? {} : readConfig(resolve(cwd, config));
  const outputDir = given('output_dir') ?? further.output_dir;
  if (!outputDir) return null;
  return {
    outputDir: resolve(cwd, outputDir),
    outputName: given('output_name') ?? further.output_name ?? null,
    script: basename(command.script),
    launcher: command.launcher,
  };
}

/** Flags may stand in a TOML file instead, in sections of any name (sd-scripts train_util.py read_config_from_file). */
function readConfig(path: string): Record<string, string | undefined> {
  try {
    const sections = parse(readFileSync(path.endsWith('.toml') ? path : `${path}.toml`, 'utf8'));
    const flags: [string, unknown][] = Object.entries(sections).flatMap(([key, value]) =>
      value !== null && typeof value === 'object' ? Object.entries(value) : [[key, value]],
    );
    return Object.fromEntries(flags.filter((flag): flag is [string, string] => typeof flag[1] === 'string'));
  } catch (error) {
    return ifUnreadable({}, 'trainers')(error);
  }
}

/** A command line that trains: the script, and what stands after it. */
export type TrainingCommand = {
  /** As it stands there, relative paths included. */
  script: string;
  flags: string[];
  /** It only starts the trainer (`accelerate launch`), and may wait for it. */
  launcher: boolean;
};

/**
 * Reads the arguments of a process: is it a python that runs one of sd-scripts' `*train_network.py`, or a launcher of one?
 * Null for all others, those that merely name such a file (grep, vim, tail) included.
 */
export function readTrainingCommand(argv: readonly string[]): TrainingCommand | null {
  if (!/^(?:python|pypy)[\d.]*t?$/.test(basename(argv[0] ?? ''))) return null;
  const at = programAt(argv);
  const program = argv[at];
  if (program === undefined) return null;
  if (argv[at - 1] !== '-m' && isTrainScript(program)) {
    return { script: program, flags: argv.slice(at + 1), launcher: false };
  }
  if (!LAUNCHERS.has(argv[at - 1] === '-m' ? program : basename(program))) return null;
  const script = argv.findIndex((token, index) => index > at && isTrainScript(token));
  if (script < 0) return null;
  return { script: argv[script] ?? '', flags: argv.slice(script + 1), launcher: true };
}

const LAUNCHERS = new Set([
  'accelerate',
  'accelerate-launch',
  'accelerate.commands.launch',
  'accelerate.commands.accelerate_cli',
  'deepspeed',
  'torchrun',
  'torch.distributed.run',
  'torch.distributed.launch',
]);

function isTrainScript(token: string): boolean {
  return /(?:^|_)train_network\.py$/.test(basename(token)) && !token.startsWith('-');
}

/** Where the script, or the module after `-m`, stands behind python's own options; beyond the end where there is none. */
function programAt(argv: readonly string[]): number {
  for (let at = 1; at < argv.length; at += 1) {
    const token = argv[at] ?? '';
    if (!token.startsWith('-') || token === '-') return at;
    if (/^-[A-Za-z]*m$/.test(token)) return token === '-m' ? at + 1 : argv.length;
    if (/^-[A-Za-z]*c/.test(token) && !token.startsWith('-X') && !token.startsWith('-W')) return argv.length;
    if (token === '-X' || token === '-W' || token === '--check-hash-based-pycs') at += 1;
  }
  return argv.length;
}

/** The value of `--flag=value` or `--flag value`, the last one given; null where it is absent. */
export function flagValue(argv: readonly string[], flag: string): string | null {
  const at = argv.findLastIndex((token) => token === flag || token.startsWith(`${flag}=`));
  const token = argv[at];
  if (token === undefined) return null;
  return token === flag ? (argv[at + 1] ?? null) : token.slice(flag.length + 1);
}
