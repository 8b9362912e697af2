import { Problem } from '../problem.js';
import { namesCode, whyNoFlag, whyNotHeld } from './flagPolicy.js';
import type { PathRoots } from './pathRoots.js';
import { PLAIN_NUMBER } from './settingValue.js';

/** One flag of a trainer's own parser, as `trackside._describe` prints it. */
export type Argument = {
  /** Its first long flag without the dashes: "network_alpha". */
  name: string;
  /** All its option strings, with dashes. */
  flags: string[];
  /** `list` takes several values; `switch` takes none: given or not. */
  type: 'text' | 'integer' | 'number' | 'list' | 'switch';
  /** The type of a list's values, if they are no texts. */
  items?: 'integer' | 'number';
  default: string | number | boolean | null | (string | number)[];
  choices: (string | number)[] | null;
  help: string | null;
  /** Its group in the parser. */
  group: string | null;
};

export type ArgumentValue = string | number | boolean | string[];

/**
 * Checks further flags against the trainer's parser (`trainer.furtherArguments`), and converts their types. Exact names
 * only: argparse accepts any prefix of a flag, which would bypass our refusals. Empty values mean "not given". Throws a
 * Problem with one message per field, `arguments.<flag>`.
 *
 * @param roots the folders that paths may lead into; none by default
 */
export function checkArguments(
  known: readonly Argument[],
  given: Record<string, unknown>,
  roots: PathRoots = { closed: [], linked: [], cwd: '/' },
): Record<string, ArgumentValue> {
  const checked: Record<string, ArgumentValue> = {};
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === '' || value === null || value === undefined || value === false) continue;
    const argument = known.find((each) => each.name === name);
    const refused = whyNoFlag(name);
    const result = refused || !argument ? { wrong: refused ?? unknownFlag(name, known) } : read(argument, value, roots);
    if ('wrong' in result) fields[`arguments.${name}`] = result.wrong;
    else if (result.value !== false) checked[name] = result.value;
  }
  const wrong = Object.values(fields);
  if (wrong.length > 0) throw new Problem('bad_arguments', wrong.join(' '), { fields });
  return checked;
}

/** Exact tokens: `--flag=value`, so that a value that begins with a dash stays a value. Throws a Problem where one of a list would not. */
export function argumentTokens(given: Record<string, ArgumentValue>): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    if (value === false) return [];
    if (value === true) return [`--${name}`];
    if (!Array.isArray(value)) return [`--${name}=${value}`];
    const flag = value.map(String).find(wouldBeFlag);
    if (flag) throw new Problem('foreign_argument', takenForFlag(name, flag), { field: `arguments.${name}` });
    return [`--${name}`, ...value];
  });
}

/** What follows the script in a command. */
export function flagsOf(argv: readonly string[]): string[] {
  return argv.slice(argv.findIndex((token) => token.endsWith('.py')) + 1);
}

type Read = { value: ArgumentValue } | { wrong: string };

function read(argument: Argument, value: unknown, roots: PathRoots): Read {
  if (argument.type === 'switch') return readSwitch(argument, value);
  if (argument.type === 'list') return readList(argument, value, roots);
  if (typeof value !== 'string' && typeof value !== 'number') return { wrong: `--${argument.name} takes one value.` };
  if (namesCode(argument.name) && !argument.choices) {
    return { wrong: `--${argument.name} names a Python module, and this trainer has none to choose from.` };
  }
  const wrong = whyNotHeld(argument.name, [String(value)], roots);
  if (wrong && argument.type === 'text') return { wrong };
  const typed = argument.type === 'text' ? value : readNumber(argument.type, value);
  if (typed === null)
    return { wrong: `--${argument.name} must be ${argument.type === 'integer' ? 'a whole number' : 'a number'}.` };
  if (argument.choices && !argument.choices.some((choice) => String(choice) === String(typed))) {
    return { wrong: `--${argument.name} must be one of ${argument.choices.join(', ')}.` };
  }
  return { value: typed };
}

function readSwitch(argument: Argument, value: unknown): Read {
  const on = onOrOff(value);
  return on === null ? { wrong: `--${argument.name} is either on or off; it takes no value.` } : { value: on };
}

/** What a form or JSON says of a switch; null for anything else. */
export function onOrOff(value: unknown): boolean | null {
  if (value === true || value === 'true' || value === 'on' || value === '1') return true;
  return value === false || value === 'false' || value === 'off' || value === '0' ? false : null;
}

/** One value per line. */
function readList(argument: Argument, value: unknown, roots: PathRoots): Read {
  const values = (Array.isArray(value) ? value.map(String) : String(value).split('\n'))
    .map((each) => each.trim())
    .filter(Boolean);
  const flag = values.find(wouldBeFlag);
  if (flag) return { wrong: takenForFlag(argument.name, flag) };
  const wrong = whyNotHeld(argument.name, values, roots);
  if (wrong) return { wrong };
  const { items } = argument;
  if (items && values.some((each) => readNumber(items, each) === null))
    return { wrong: `--${argument.name} takes ${items === 'integer' ? 'whole numbers' : 'numbers'}, one per line.` };
  return { value: values.length > 0 && values };
}

/** argparse reads a value with a leading dash as a flag, except plain negative numbers; some parsers read `@file`. */
export function wouldBeFlag(value: string): boolean {
  return value.startsWith('@') || (value.startsWith('-') && !/^-(?:\d+|\d*\.\d+)$/.test(value));
}

function takenForFlag(name: string, value: string): string {
  return `--${name}: ${value} would be read as a separate flag.`;
}

function readNumber(type: 'integer' | 'number', value: string | number): string | number | null {
  const number = PLAIN_NUMBER.test(String(value).trim()) ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) return null;
  if (type === 'integer') return Number.isSafeInteger(number) ? number : null;
  // As typed: 8e-4 stays 8e-4.
  return typeof value === 'string' ? value.trim() : value;
}

function unknownFlag(name: string, known: readonly Argument[]): string {
  const meant = known.find((each) => name.length > 1 && each.name.startsWith(name));
  return `--${name} is not one of this trainer's flags here${meant ? `; did you mean --${meant.name}?` : '.'}`;
}
