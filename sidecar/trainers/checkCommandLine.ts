import { Problem } from '../problem.js';
import { type Argument, flagsOf, wouldBeFlag } from './arguments.js';
import { abbreviates, CODE_FLAGS, namesCode, whyNoFlag, whyNotHeld } from './flagPolicy.js';
import type { PathRoots } from './pathRoots.js';
import type { Trainer } from './trainer.js';

/**
 * The last check of a command before it runs: flags may come from a state file that somebody else wrote, and from the
 * command of an earlier attempt. Throws a Problem for a flag that is not allowed, code that is not from a list, an
 * invalid value, and a path out of the roots.
 *
 * @param argv the command: a program, its script, and the script's flags
 * @param own the same trainer's command without further arguments: only Trackside's own flags
 * @param describe asks the script's own parser, which takes a while: only for flags that are not known otherwise
 */
export async function checkCommandLine(
  trainer: Pick<Trainer, 'furtherArguments' | 'fromSettings' | 'basics' | 'label'>,
  argv: readonly string[],
  own: readonly string[],
  roots: PathRoots,
  describe: () => Promise<Argument[]>,
): Promise<void> {
  const ours = new Set(flagsOf(own));
  const foreign = given(flagsOf(argv)).filter(({ tokens }) => !tokens.every((token) => ours.has(token)));
  const choices = choicesOfCode(trainer);
  for (const { name, values } of foreign)
    refuse(name, whyNoFlag(name) ?? chosen(name, values, choices) ?? whyNotHeld(name, values, roots));
  const familiar = new Set([...trainer.fromSettings, ...given([...ours]).map(({ name }) => name)]);
  for (const { name } of trainer.furtherArguments(trainer.basics ?? [])) familiar.add(name);
  const unfamiliar = foreign.filter(({ name }) => !familiar.has(name));
  if (unfamiliar.length === 0) return;
  for (const { name } of trainer.furtherArguments(await describe())) familiar.add(name);
  // `lr_scheduler` begins `lr_scheduler_type`, too, but is a flag itself, which argparse takes first.
  for (const { name } of unfamiliar)
    if (!familiar.has(name))
      refuse(name, abbreviated(name) ?? `--${name} is not one of the flags of ${trainer.label}.`);
}

function refuse(name: string, wrong: string | null): void {
  if (!wrong) return;
  const message = `${wrong} It is in this session’s settings, or in the command of its first attempt.`;
  throw new Problem('foreign_argument', message, { field: `arguments.${name}` });
}

/** Each flag as written, with its values from `=` or from the following tokens. */
function given(flags: readonly string[]): { tokens: string[]; name: string; values: string[] }[] {
  const found: { tokens: string[]; name: string; values: string[]; open: boolean }[] = [];
  for (const token of flags) {
    const last = found.at(-1);
    if (!wouldBeFlag(token) && last?.open) {
      last.values.push(token);
      last.tokens.push(token);
      continue;
    }
    const [, name = token] = /^--([^=]*)/.exec(token) ?? [];
    const sign = token.startsWith('--') ? token.indexOf('=') : -1;
    found.push({ tokens: [token], name, values: sign > 0 ? [token.slice(sign + 1)] : [], open: sign < 0 });
  }
  return found;
}

function abbreviated(name: string): string | null {
  const meant = abbreviates(name);
  return meant && `--${name} would be read as --${meant}.`;
}

function chosen(name: string, values: readonly string[], choices: Map<string, readonly unknown[]>): string | null {
  if (!namesCode(name)) return null;
  const offered = choices.get(name) ?? [];
  return values.every((value) => offered.some((choice) => String(choice) === value))
    ? null
    : `--${name} names a Python module and must be chosen from a list.`;
}

/** The choices for flags that name code, from the trainer's further arguments. */
function choicesOfCode(trainer: Pick<Trainer, 'furtherArguments'>): Map<string, readonly unknown[]> {
  const asked = CODE_FLAGS.map((name): Argument => ({ ...UNSAID, name, flags: [`--${name}`] }));
  return new Map(trainer.furtherArguments(asked).map(({ name, choices }) => [name, choices ?? []]));
}

const UNSAID = { type: 'text', default: null, choices: null, help: null, group: null } as const;
