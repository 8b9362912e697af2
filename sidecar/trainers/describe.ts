import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { bridge } from '../bridge.js';
import { ifUnreadable, logged } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { signatureAt } from '../files/fileSignature.js';
import { writePrivate } from '../files/privateFile.js';
import { readText } from '../files/regularFile.js';
import { Problem } from '../problem.js';
import type { ShortCommand } from '../processes/run.js';
import type { Argument } from './arguments.js';
import type { Trainer } from './trainer.js';

/** Returns every argument of a trainer's own parser, as `describeArguments` does. */
export type Describe = (trainer: Trainer) => Promise<Argument[]>;

/** Runs a command to its end and returns its stdout, whatever its exit code; throws when it can't be started. */
export type Run = (command: ShortCommand) => Promise<string>;

/**
 * Asks a trainer's own parser for its flags, in a separate process: sd-scripts' parsers import torch, which takes ten
 * seconds. Keeps the answer until the script, its checkout or the interpreter changes, in memory, and in the folder
 * `kept` for the next start. Throws a Problem with the reason when a script can't be described.
 */
export async function describeArguments(
  trainer: Pick<Trainer, 'label' | 'script'>,
  options: { python: string; run: Run; kept?: string },
): Promise<Argument[]> {
  const { path, cwd, commit, also = [] } = trainer.script;
  const files = [path, ...also.map((name) => join(cwd, name))];
  const stamps = await Promise.all(files.map((file) => signatureAt(file, 'trainers')));
  if (!stamps[0])
    throw new Problem('no_script', `The script of ${trainer.label} is missing: ${path}.`, { field: 'trainer' });
  const key = JSON.stringify([FORMAT, options.python, path, commit ?? null, stamps]);
  const asked = known.get(key) ?? askOnce(describeCommand(options.python, path, cwd), options, key);
  known.set(key, asked);
  // silent: the caller gets it. The next call tries again: a package may be installed by then.
  asked.catch(() => known.delete(key));
  return asked;
}

/** The command that prints the flags of a script. */
export function describeCommand(python: string, script: string, cwd: string): Parameters<Run>[0] {
  return { argv: [python, bridge.describe, script], cwd, pythonPath: bridge.folder };
}

/** The version of the files in `kept`: to be raised when their shape changes. */
const FORMAT = 2;
/** Bytes of an answer: the flags of sd-scripts take some 150 kB. */
export const LARGEST = 4_000_000;
const known = new Map<string, Promise<Argument[]>>();

async function askOnce(
  command: Parameters<Run>[0],
  { run, kept }: { run: Run; kept?: string },
  key: string,
): Promise<Argument[]> {
  const file = kept && join(kept, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  const before = file ? await readText(file, LARGEST).catch(ifUnreadable(null, 'trainers')) : null;
  const answer = before === null ? null : readAnswer(before);
  if (answer) return answer;
  const printed = await run(command);
  const described = requireAnswer(printed, command.argv.at(-1) ?? '');
  // Only a cache: without it, the next start asks again.
  if (file)
    await writePrivate(file, `${printed.trimEnd().split('\n').at(-1)}\n`).catch(
      logged('trainers', 'The flags of a trainer could not be stored.'),
    );
  return described;
}

function readAnswer(text: string): Argument[] | null {
  const answer = answerShape.safeParse(lastJson(text));
  if (!answer.success || 'error' in answer.data) return null;
  return answer.data.arguments.flatMap((described) => toArgument(described) ?? []);
}

/** Reads what `trackside._describe` printed. Throws a Problem, with the script's own words if there are any. */
export function requireAnswer(printed: string, script: string): Argument[] {
  const described = readAnswer(printed);
  if (described) return described;
  const words = z.object({ error: z.string() }).safeParse(lastJson(printed));
  throw new Problem('not_described', words.data?.error ?? `${script} did not list its flags.`);
}

/** The script's own output comes before it. */
export function lastJson(text: string): unknown {
  return jsonOrNull(text.trimEnd().split('\n').at(-1) ?? '');
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const describedShape = z.object({
  flags: z.array(z.string()),
  dest: z.string(),
  action: z.string(),
  /** Name of the parser's type function; null means text. */
  type: z.string().nullable(),
  default: z.union([scalar, z.array(scalar)]).nullable(),
  /** sd-scripts has None among some choices: the flag is then not given. */
  choices: z.array(scalar.nullable()).nullable(),
  nargs: z.union([z.string(), z.number()]).nullable(),
  help: z.string().nullable(),
  group: z.string().nullable(),
});

const answerShape = z.union([z.object({ arguments: z.array(describedShape) }), z.object({ error: z.string() })]);

/** Null for positional arguments, version and help, which the form leaves out. */
function toArgument(described: z.infer<typeof describedShape>): Argument | null {
  const flag = described.flags.find((each) => each.startsWith('--'));
  if (!flag || ['help', 'version'].includes(described.action)) return null;
  const { flags, help, group } = described;
  const choices = described.choices?.filter((choice) => choice !== null && typeof choice !== 'boolean') ?? null;
  const type = typeOf(described);
  const items = type === 'list' ? NUMBERS[described.type ?? ''] : undefined;
  const argument = { name: flag.slice(2), flags, type, default: defaultOf(described), choices, help, group };
  return items ? { ...argument, items } : argument;
}

const NUMBERS: Record<string, 'integer' | 'number'> = { int: 'integer', float: 'number' };

function typeOf({ action, nargs, type }: z.infer<typeof describedShape>): Argument['type'] {
  if (['store_true', 'store_false', 'store_const', 'count', 'boolean_optional'].includes(action)) return 'switch';
  if (action === 'append' || action === 'extend' || nargs === '*' || nargs === '+' || typeof nargs === 'number')
    return 'list';
  if (type === 'int') return 'integer';
  return type === 'float' ? 'number' : 'text';
}

/** A switch is off until it is given, whatever its flag then stores. */
function defaultOf(described: z.infer<typeof describedShape>): Argument['default'] {
  if (typeOf(described) === 'switch') return false;
  const { default: value } = described;
  return Array.isArray(value) ? value.filter((each) => typeof each !== 'boolean') : value;
}
