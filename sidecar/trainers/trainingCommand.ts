import { basename, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { readText } from '../files/regularFile.js';

/** A training by hand, from its command line. */
export type TrainingByHand = {
  /** Absolute. */
  outputDir: string;
  /** Null if none was given. */
  outputName: string | null;
  /** Base name of the script: "flux_train_network.py". */
  script: string;
  /** A launcher: it starts the trainer, and may wait for it. */
  launcher: boolean;
};

/** Flags that a file gives. */
export type ConfigFlags = Readonly<Record<string, string | undefined>>;

/** The absolute path of the file that holds further flags of a training; null without a training, or such a file. */
export function configFileOf(argv: readonly string[], cwd: string): string | null {
  const config = flagValue(readTrainingCommand(argv)?.flags ?? [], '--config_file');
  return config === null ? null : resolve(cwd, config.endsWith('.toml') ? config : `${config}.toml`);
}

/** Null for a command line without a training, or without an output folder in it and in its file of flags. */
export function readTraining(argv: readonly string[], cwd: string, config: ConfigFlags = {}): TrainingByHand | null {
  const command = readTrainingCommand(argv);
  if (!command) return null;
  const given = (flag: string) => flagValue(command.flags, `--${flag}`) ?? config[flag] ?? null;
  const outputDir = given('output_dir');
  if (!outputDir) return null;
  return {
    outputDir: resolve(cwd, outputDir),
    outputName: given('output_name'),
    script: basename(command.script),
    launcher: command.launcher,
  };
}

/** Bytes. The longest have some ten thousand. */
const LONGEST_CONFIG = 200_000;

/**
 * Reads flags from a TOML file, in sections of any name (sd-scripts train_util.py read_config_from_file). Throws for a
 * file that can't be read, or is no TOML.
 */
export async function readConfig(path: string): Promise<ConfigFlags> {
  const sections = parse(await readText(path, LONGEST_CONFIG));
  const flags: [string, unknown][] = Object.entries(sections).flatMap(([key, value]) =>
    value !== null && typeof value === 'object' ? Object.entries(value) : [[key, value]],
  );
  return Object.fromEntries(flags.filter((flag): flag is [string, string] => typeof flag[1] === 'string'));
}

/** The command line of a training: the script, and its flags. */
export type TrainingCommand = {
  /** As written, perhaps relative. */
  script: string;
  flags: string[];
  /** A launcher (`accelerate launch`): it starts the trainer, and may wait for it. */
  launcher: boolean;
};

/**
 * Reads the arguments of a Python process that runs one of sd-scripts' `*train_network.py`, or a launcher of one. Null
 * for all others, including those that merely name such a file (grep, vim, tail).
 */
export function readTrainingCommand(argv: readonly string[]): TrainingCommand | null {
  if (!/^(?:python|pypy)[\d.]*t?$/.test(basename(argv[0] ?? ''))) return null;
  const at = programAt(argv);
  const program = argv[at];
  if (program === undefined) return null;
  if (argv[at - 1] !== '-m' && isTrainScript(program)) {
    return { script: program, flags: argv.slice(at + 1), launcher: false };
  }
  const started = basename(program) === STARTER;
  if (!started && !LAUNCHERS.has(argv[at - 1] === '-m' ? program : basename(program))) return null;
  const script = argv.findIndex((token, index) => index > at && isTrainScript(token));
  if (script < 0) return null;
  return { script: argv[script] ?? '', flags: argv.slice(script + 1), launcher: !started };
}

/** Of exact pause: it runs the script in its own process. */
const STARTER = 'exact.py';

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

/** The index of the script, or of the module after `-m`, behind python's own options; past the end without one. */
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

/** The last value of `--flag=value` or `--flag value`; null when absent. */
export function flagValue(argv: readonly string[], flag: string): string | null {
  const at = argv.findLastIndex((token) => token === flag || token.startsWith(`${flag}=`));
  const token = argv[at];
  if (token === undefined) return null;
  return token === flag ? (argv[at + 1] ?? null) : token.slice(flag.length + 1);
}
