import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { Problem } from '../problem.js';
import type { Argument } from './arguments.js';
import type { Trainer } from './trainer.js';

/** Runs a command to its end and answers what it printed on stdout, whatever its exit code; throws when it cannot be started. */
export type Run = (command: { argv: string[]; cwd: string; pythonPath: string }) => Promise<string>;

/**
 * Asks a trainer's own parser for its flags, in a process of its own: sd-scripts' parsers import torch, which takes ten
 * seconds. Kept until the script changes. Throws a Problem that says in words why a script cannot be described.
 */
export async function describeArguments(
  trainer: Pick<Trainer, 'label' | 'script'>,
  options: { bridge: string; python: string; run: Run },
): Promise<Argument[]> {
  const { path, cwd } = trainer.script;
  const stats = await stat(path).catch(() => null);
  if (!stats)
    throw new Problem('no_script', 422, `The script of ${trainer.label} is missing: ${path}.`, { field: 'trainer' });
  const key = `${options.python}\0${path}\0${stats.mtimeMs}\0${stats.size}`;
  const argv = [options.python, '-m', 'trackside.describe', path];
  const asked = known.get(key) ?? ask({ argv, cwd, pythonPath: options.bridge }, options.run);
  known.set(key, asked);
  // A failure is asked again: a package may have been installed since.
  asked.catch(() => known.delete(key));
  return asked;
}

const known = new Map<string, Promise<Argument[]>>();

async function ask(command: Parameters<Run>[0], run: Run): Promise<Argument[]> {
  const printed = await run(command);
  const answer = answerShape.safeParse(parseJson(printed));
  if (!answer.success) throw new Problem('not_described', 422, `${command.argv.at(-1)} did not tell its arguments.`);
  if ('error' in answer.data) throw new Problem('not_described', 422, answer.data.error);
  return answer.data.arguments.flatMap((described) => toArgument(described) ?? []);
}

function parseJson(text: string): unknown {
  try {
    // What the script itself printed on its way stands before it.
    return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const describedShape = z.object({
  flags: z.array(z.string()),
  dest: z.string(),
  action: z.string(),
  /** Name of the parser's type function; null means text. */
  type: z.string().nullable(),
  default: z.union([scalar, z.array(scalar)]).nullable(),
  /** sd-scripts has None among some: it means that the flag is not given. */
  choices: z.array(scalar.nullable()).nullable(),
  nargs: z.union([z.string(), z.number()]).nullable(),
  help: z.string().nullable(),
  group: z.string().nullable(),
});

const answerShape = z.union([z.object({ arguments: z.array(describedShape) }), z.object({ error: z.string() })]);

/** Positional arguments, versions and helps are none of the form's. */
function toArgument(described: z.infer<typeof describedShape>): Argument | null {
  const flag = described.flags.find((each) => each.startsWith('--'));
  if (!flag || ['help', 'version'].includes(described.action)) return null;
  const { flags, help, group } = described;
  const choices = described.choices?.filter((choice) => choice !== null && typeof choice !== 'boolean') ?? null;
  return { name: flag.slice(2), flags, type: typeOf(described), default: defaultOf(described), choices, help, group };
}

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
