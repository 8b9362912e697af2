import { Problem } from '../../problem.js';
import { type ArgumentValue, onOrOff } from '../arguments.js';
import { whyNoFlag, whyNotInside } from '../flagPolicy.js';
import type { PathRoots } from '../pathRoots.js';
import { PLAIN_NUMBER } from '../settingValue.js';
import {
  allParsers,
  chosenParsers,
  type Description,
  isShown,
  kindOf,
  type Parser,
  type ScriptArgument,
  takesNone,
} from './description.js';
import { shellWords } from './shellWords.js';
import { labelOf, scriptTokens, type Values } from './tokens.js';

/** Marks the fields of a form, where what belongs to another choice is left out; in JSON it would be a mistake. */
export const OF_FORM = '@form';

/** The field that says which member of an exclusive group counts: the group's place in its parser. */
export function exclusiveField(prefix: string, at: number): string {
  return `@${prefix}${at}`;
}

/**
 * Checks values from a form or a JSON body against a script's parser, and converts their types. Empty means "not given", as
 * does an unknown choice's field in a form. What only the script itself can tell (`custom_type`) is not checked here. Throws a
 * Problem with one sentence a field, `arguments.<name>`.
 *
 * @param complete a draft may lack required values; a start may not
 */
export function readValues(
  { parser }: Description,
  given: Record<string, unknown>,
  roots: PathRoots,
  complete: boolean,
): Values {
  const wrong: Record<string, string> = {};
  const chosen = chosenParsers(parser, given);
  const isForm = OF_FORM in given;
  const asked = isForm ? chosenOnly(parser, chosen, given) : given;
  const values: Values = {};
  for (const [name, value] of Object.entries(asked)) {
    if (name.startsWith('@') || value === '' || value === null || value === undefined) continue;
    const read = readOne(parser, chosen, name, value, roots);
    if ('wrong' in read) wrong[`arguments.${name}`] = read.wrong;
    else if (read.value !== null) values[name] = read.value;
  }
  Object.assign(wrong, isForm ? unfilled(chosen, asked, values) : {}, tooMany(chosen, values));
  if (complete) Object.assign(wrong, { ...missing(chosen, values), ...wrong });
  if (Object.keys(wrong).length === 0) {
    try {
      scriptTokens(parser, values);
      return values;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      wrong[error.field ?? 'arguments'] = error.message;
    }
  }
  throw new Problem('bad_arguments', Object.values(wrong).join(' '), { fields: wrong });
}

/** The fields of a form that count: of the chosen commands, and of each exclusive group the chosen member. */
function chosenOnly(
  parser: Parser,
  chosen: readonly Parser[],
  given: Record<string, unknown>,
): Record<string, unknown> {
  const left = new Set<string>();
  for (const each of allParsers(parser)) {
    const counts = chosen.includes(each);
    for (const { name } of each.arguments) if (!counts) left.add(name).add(`${name}?`);
    if (!counts && each.commands) left.add(each.commands.name);
    each.exclusive.forEach(({ members }, at) => {
      const choice = given[exclusiveField(prefixOf(each), at)];
      if (choice === undefined) return;
      for (const name of members) if (name !== choice) left.add(name).add(`${name}?`);
      const member = each.arguments.find(({ name }) => name === choice);
      if (member && kindOf(member) === 'switch') given = { ...given, [member.name]: 'true' };
    });
  }
  return Object.fromEntries(Object.entries(given).filter(([name]) => !left.has(name)));
}

/** `train/` of the arguments of the command train. */
export function prefixOf({ arguments: [first] }: Parser): string {
  return first ? first.name.slice(0, first.name.lastIndexOf('/') + 1) : '';
}

type Read = { value: ArgumentValue | null } | { wrong: string };

function readOne(parser: Parser, chosen: readonly Parser[], name: string, value: unknown, roots: PathRoots): Read {
  const commands = chosen.find((each) => each.commands?.name === name)?.commands;
  if (commands) {
    const found = commands.choices.find((each) => each.value === value || each.aliases.includes(String(value)));
    const offered = commands.choices.map((each) => each.value).join(', ');
    return found ? { value: found.value } : { wrong: `${name} must be one of ${offered}.` };
  }
  const bare = name.endsWith('?');
  const argument = chosen
    .flatMap((each) => each.arguments)
    .find((each) => each.name === (bare ? name.slice(0, -1) : name));
  if (!argument || !isShown(argument) || (bare && !takesNone(argument))) {
    const elsewhere = allParsers(parser).some((each) => each.arguments.some((one) => one.name === name));
    return {
      wrong: elsewhere
        ? `${name} belongs to another command than the chosen one.`
        : `${name} is not one of this script’s arguments.`,
    };
  }
  const secret = argument.flags.length > 0 ? whyNoSecret(argument) : null;
  if (secret) return { wrong: secret };
  if (bare) return readSwitch(argument, value);
  return readValue(argument, value, roots);
}

/** Only the rule on secrets: what else Trackside sets itself for sd-scripts is a script's own here. */
function whyNoSecret({ name }: ScriptArgument): string | null {
  const plain = name.slice(name.lastIndexOf('/') + 1);
  return /(?:token|api[_-]?key|password|secret)$/i.test(plain) ? whyNoFlag(plain) : null;
}

function readValue(argument: ScriptArgument, value: unknown, roots: PathRoots): Read {
  const kind = kindOf(argument);
  const label = labelOf(argument);
  if (kind === 'switch') return readSwitch(argument, value);
  if (kind === 'boolean') {
    const on = onOrOff(value);
    return on === null ? { wrong: `${label} must be on or off.` } : { value: on };
  }
  if (kind === 'list' || kind === 'lists') return readList(argument, value, roots);
  if (typeof value !== 'string' && typeof value !== 'number') return { wrong: `${label} takes one value.` };
  const text = kind === 'text' || kind === 'choice' ? String(value) : String(value).trim();
  if (kind === 'count') {
    const times = /^\d{1,3}$/.test(text) ? Number(text) : -1;
    return times < 0
      ? { wrong: `${label} must be a whole number from 0 to 999.` }
      : { value: times === 0 ? null : times };
  }
  const wrong = whyNotValue(argument, text, roots);
  if (wrong) return { wrong };
  return { value: kind === 'integer' ? Number(text) : text };
}

/** Why a text is no value of an argument, or no path that it may lead to; null if it may be one. */
function whyNotValue(argument: ScriptArgument, text: string, roots: PathRoots): string | null {
  const label = labelOf(argument);
  const { tokens, bounds, type } = argument;
  if (tokens) {
    const offered = tokens.filter((token) => token !== null);
    return offered.includes(text) ? null : `${label} must be one of ${offered.join(', ')}.`;
  }
  if (type === 'int') return whyNotWhole(label, text, bounds);
  if (type === 'float') {
    const number = PLAIN_NUMBER.test(text) || /^[+-]?(?:inf(?:inity)?|nan)$/i.test(text);
    return number ? null : `${label} must be a number, like 8e-4 or 0.0008.`;
  }
  return whyNotInside(label, [text], roots);
}

function whyNotWhole(label: string, text: string, bounds: ScriptArgument['bounds']): string | null {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) return `${label} must be a whole number.`;
  const [first = number, last = number, step = 1] = bounds ?? [];
  const [low, high] = [Math.min(first, last), Math.max(first, last)];
  if (number < low || number > high) return `${label} must be from ${low} to ${high}.`;
  return (number - first) % step === 0 ? null : `${label} must be ${first}, ${first + step}, ${first + 2 * step}, ….`;
}

function readSwitch(argument: ScriptArgument, value: unknown): Read {
  const on = onOrOff(value);
  if (on === null) return { wrong: `${labelOf(argument)} is either on or off; it takes no value.` };
  return { value: on || null };
}

/** One value a line; of several lists one list a line, its words as a shell reads them. */
function readList(argument: ScriptArgument, value: unknown, roots: PathRoots): Read {
  const label = labelOf(argument);
  const lines = (Array.isArray(value) ? value.map(String) : String(value).split(/\r?\n/)).filter(
    (each) => each.trim() !== '',
  );
  const words = kindOf(argument) === 'lists' ? lines.map(shellWords) : [lines];
  for (const word of words.flat()) {
    const wrong = whyNotValue(argument, word, roots);
    if (wrong) return { wrong };
  }
  const { nargs, action } = argument;
  if (typeof nargs === 'number' && lines.length > 0) {
    const fits = words.every((each) => (action === 'extend' ? each.length % nargs === 0 : each.length === nargs));
    const where = kindOf(argument) === 'lists' ? 'values in each line' : 'values, one a line';
    if (!fits) return { wrong: `${label} takes ${nargs} ${where}.` };
  }
  return { value: lines.length > 0 ? lines : null };
}

/** A chosen member of an exclusive group that has no value. */
function unfilled(chosen: readonly Parser[], given: Record<string, unknown>, values: Values): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const each of chosen) {
    each.exclusive.forEach((_, at) => {
      const choice = String(given[exclusiveField(prefixOf(each), at)] ?? '');
      const member = each.arguments.find(({ name }) => name === choice);
      if (member && !isIn(values, choice))
        wrong[`arguments.${choice}`] = `${labelOf(member)} is chosen, and needs a value.`;
    });
  }
  return wrong;
}

function tooMany(chosen: readonly Parser[], values: Values): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const each of chosen) {
    for (const argument of each.arguments) {
      if (values[argument.name] !== undefined && values[`${argument.name}?`] !== undefined)
        wrong[`arguments.${argument.name}`] = `${labelOf(argument)} is either given with a value, or without one.`;
    }
    for (const { members } of each.exclusive) {
      const [first, second] = members.filter((name) => isIn(values, name));
      if (first && second) wrong[`arguments.${second}`] = `${second} and ${first} can’t both be given.`;
    }
  }
  return wrong;
}

function missing(chosen: readonly Parser[], values: Values): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const each of chosen) {
    const { commands } = each;
    for (const argument of each.arguments)
      if (argument.required && !isIn(values, argument.name))
        wrong[`arguments.${argument.name}`] = `${labelOf(argument)} is required.`;
    if (commands?.required && !isIn(values, commands.name))
      wrong[`arguments.${commands.name}`] = `Choose one of ${commands.choices.map(({ value }) => value).join(', ')}.`;
    for (const { required, members } of each.exclusive)
      if (required && !members.some((name) => isIn(values, name)))
        wrong[`arguments.${members[0]}`] = `One of ${members.join(', ')} is required.`;
  }
  return wrong;
}

function isIn(values: Values, name: string): boolean {
  return values[name] !== undefined || values[`${name}?`] !== undefined;
}
