import { Problem } from '../../problem.js';
import type { ArgumentValue } from '../arguments.js';
import { chosenCommand, isShown, kindOf, type Parser, type ScriptArgument } from './description.js';
import { shellWords } from './shellWords.js';

/** Values by argument name, as in a record. */
export type Values = Record<string, ArgumentValue>;

/**
 * The exact words for a script's own parser, which then has these values: each as `--flag=value` where it can be, because a
 * value that begins with a dash would be another flag. Throws a Problem, with the field, for what no command line can say.
 */
export function scriptTokens(parser: Parser, values: Values): string[] {
  const command = chosenCommand(parser, values);
  const given = parser.arguments.filter((each) => isShown(each) && isGiven(each, values));
  const options = given.filter(({ flags }) => flags.length > 0);
  const positional = given.filter(({ flags }) => flags.length === 0);
  const rest = options.find(takesTheRest);
  const words = positional.flatMap((each) => wordsOf(each, values));
  for (const each of positional) refuseFiles(parser, each, wordsOf(each, values));
  // argparse drops it from every value, also behind "=".
  for (const each of given) if (wordsOf(each, values).includes('--')) throw cannot(each, '--');
  const spelled = options.filter((each) => each !== rest).map((each) => spell(parser, each, values));
  // Behind "--" no word is a flag; but a command is none there either, and it would be part of what is left over.
  if (!command && !rest && !positional.some(takesTheRest)) {
    return [...spelled.flatMap((each) => each.tokens), ...(words.length > 0 ? ['--', ...words] : [])];
  }
  positional.forEach((each, at) => {
    // What is left over may hold flags, if something stands before it.
    const all = wordsOf(each, values);
    refuseFlags(parser, each, takesTheRest(each) ? all.slice(0, at === 0 ? 1 : 0) : all);
  });
  if (rest) {
    if (command)
      throw new Problem(
        'foreign_argument',
        `--${rest.name} takes everything that follows, so there can’t be a command.`,
        at(rest),
      );
    return [...words, ...spelled.flatMap((each) => each.tokens), flagOf(rest), ...wordsOf(rest, values)];
  }
  const named = command ? [command.value, ...scriptTokens(command, values)] : [];
  return [...closedLast(spelled, words.length + named.length > 0), ...words, ...named];
}

/** `open`: words that follow would be read as more of its values. */
type Spelled = { argument: ScriptArgument; tokens: string[]; open: boolean };

/** Puts an option last that takes no more words. */
function closedLast(spelled: readonly Spelled[], wordsFollow: boolean): string[] {
  const open = spelled.filter((each) => each.open);
  const closed = spelled.filter((each) => !each.open);
  const [one] = open;
  if (wordsFollow && one && closed.length === 0) {
    const message = `--${one.argument.name} would take the words after it as more values. Fill in another option too, or leave it empty.`;
    throw new Problem('foreign_argument', message, at(one.argument));
  }
  return [...open, ...closed].flatMap(({ tokens }) => tokens);
}

function spell(parser: Parser, argument: ScriptArgument, values: Values): Spelled {
  const flag = flagOf(argument);
  if (parser.fromfile.includes(flag.charAt(0))) throw cannot(argument, flag);
  const closed = (tokens: string[]): Spelled => ({ argument, tokens, open: false });
  const value = values[argument.name];
  if (values[`${argument.name}?`] === true) return { argument, tokens: [flag], open: true };
  switch (kindOf(argument)) {
    case 'switch':
      return closed([flag]);
    case 'boolean':
      return closed([booleanToken(argument, value === true)]);
    case 'count':
      return closed(Array.from({ length: Number(value) }, () => flag));
    case 'list':
    case 'lists':
      return spellLists(parser, argument, listsOf(argument, value));
    default:
      return closed([`${flag}=${String(value)}`]);
  }
}

/** Each list as one use of the flag. */
function spellLists(parser: Parser, argument: ScriptArgument, lists: readonly string[][]): Spelled {
  const flag = flagOf(argument);
  const open = argument.nargs === '*' || argument.nargs === '+';
  const tokens = lists.map((words) => {
    const [word] = words;
    if (words.includes('--')) throw cannot(argument, '--');
    if (words.length === 1 && (open || argument.nargs === null || argument.nargs === 1)) return [`${flag}=${word}`];
    refuseFiles(parser, argument, words);
    refuseFlags(parser, argument, words);
    return [flag, ...words];
  });
  return { argument, tokens: tokens.flat(), open: open && (tokens.at(-1)?.length ?? 0) > 1 };
}

function listsOf(argument: ScriptArgument, value: ArgumentValue | undefined): string[][] {
  const all = [value ?? []].flat().map(String);
  if (kindOf(argument) === 'lists') return all.map(shellWords);
  const { action, nargs } = argument;
  if (action === 'append' || (action === 'extend' && typeof nargs !== 'number')) return all.map((each) => [each]);
  if (action !== 'extend' || typeof nargs !== 'number') return [all];
  return Array.from({ length: Math.ceil(all.length / nargs) }, (_, n) => all.slice(n * nargs, (n + 1) * nargs));
}

function booleanToken(argument: ScriptArgument, yes: boolean): string {
  const { booleans, flags } = argument;
  if (booleans) return `${flagOf(argument)}=${booleans[yes ? 0 : 1]}`;
  const found = flags.find((flag) => flag.startsWith('--no-') !== yes);
  if (!found) throw cannot(argument, yes ? 'on' : 'off');
  return found;
}

/** The words of a positional argument, or of an option that takes the rest. */
function wordsOf(argument: ScriptArgument, values: Values): string[] {
  const value = values[argument.name];
  if (typeof value === 'boolean') return argument.booleans ? [argument.booleans[value ? 0 : 1]] : [];
  return [value ?? []].flat().map(String);
}

function isGiven(argument: ScriptArgument, values: Values): boolean {
  const value = values[argument.name];
  if (values[`${argument.name}?`] === true) return true;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return false;
  return value !== false || kindOf(argument) === 'boolean';
}

function takesTheRest({ nargs }: ScriptArgument): boolean {
  return nargs === '...';
}

/** A long flag is easier to read. */
function flagOf({ flags }: ScriptArgument): string {
  return flags.find((flag) => flag.length > 2 && flag.charAt(0) === flag.charAt(1)) ?? flags[0] ?? '';
}

function refuseFlags(parser: Parser, argument: ScriptArgument, words: readonly string[]): void {
  const flag = words.find((word) => looksLikeFlag(parser, word));
  if (flag !== undefined) throw cannot(argument, flag);
}

/** As argparse decides (`_parse_optional`, `_negative_number_matcher`); where versions differ, the narrower. */
function looksLikeFlag({ prefix_chars, negative_values }: Parser, word: string): boolean {
  if (word === '--') return true;
  if (word.length < 2 || !prefix_chars.includes(word.charAt(0))) return false;
  return !(negative_values && /^-(?:\d+|\d*\.\d+)$/.test(word));
}

function refuseFiles({ fromfile }: Parser, argument: ScriptArgument, words: readonly string[]): void {
  const file = words.find((word) => word !== '' && fromfile.includes(word.charAt(0)));
  if (file === undefined) return;
  const message = `${labelOf(argument)}: ${file} would be read as the name of a file with further arguments.`;
  throw new Problem('foreign_argument', message, at(argument));
}

function cannot(argument: ScriptArgument, word: string): Problem {
  return new Problem(
    'foreign_argument',
    `${labelOf(argument)}: ${word} would be read as a separate flag.`,
    at(argument),
  );
}

function at({ name }: ScriptArgument) {
  return { field: `arguments.${name}` };
}

/** As a person calls it: `--lr`, or the name of a positional argument. */
export function labelOf(argument: ScriptArgument): string {
  return argument.flags.length > 0 ? flagOf(argument) : (argument.metavar ?? argument.dest);
}
