import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const argument = z.object({
  /** Unlike all others of the script; below a command as `train/lr`. */
  name: z.string(),
  /** Its option strings; none of a positional argument. */
  flags: z.array(z.string()),
  dest: z.string(),
  action: z.string(),
  /** The name of the parser's type function; null means text. */
  type: z.string().nullable(),
  /** Only the script's own parser can tell whether a text is a value. */
  custom_type: z.boolean(),
  /** The texts for yes and no, of a type that knows only these. */
  booleans: z.tuple([z.string(), z.string()]).nullable(),
  default: z.union([scalar, z.array(scalar)]).nullable(),
  /** The value of an optional value that is left out. */
  const: z.union([scalar, z.array(scalar)]).nullable(),
  choices: z.array(z.union([scalar, z.array(scalar)]).nullable()).nullable(),
  /** The text that gives each choice on the command line; null for one that no text gives, as None. */
  tokens: z.array(z.string().nullable()).nullable(),
  /** First, last and step of a range of whole numbers. */
  bounds: z.array(z.number()).length(3).nullable(),
  nargs: z.union([z.string(), z.number()]).nullable(),
  required: z.boolean(),
  metavar: z.string().nullable(),
  help: z.string().nullable(),
  hidden: z.boolean(),
  deprecated: z.boolean(),
  group: z.string().nullable(),
});

export type ScriptArgument = z.infer<typeof argument>;

const parser = z.object({
  description: z.string().nullable(),
  arguments: z.array(argument),
  groups: z.array(z.object({ title: z.string().nullable(), description: z.string().nullable() })),
  /** At most one of `members`, by their names; exactly one where `required`. */
  exclusive: z.array(z.object({ required: z.boolean(), members: z.array(z.string()) })),
  prefix_chars: z.string(),
  /** Signs that make a word of the command line the name of a file with arguments. */
  fromfile: z.string(),
  /** Is -1 a value, rather than a flag? */
  negative_values: z.boolean(),
});

const commandFacts = z.object({
  name: z.string(),
  required: z.boolean(),
  title: z.string().nullable(),
  help: z.string().nullable(),
});

/** One parser: that of the script, or of one of its commands. */
export type Parser = z.infer<typeof parser> & { commands: Commands | null };

/** The commands of a parser (argparse's subparsers): one is chosen, and has arguments of its own. */
export type Commands = z.infer<typeof commandFacts> & { choices: Command[] };

export type Command = Parser & { value: string; aliases: string[]; help: string | null; deprecated: boolean };

const parserShape: z.ZodType<Parser> = parser.extend({
  get commands(): z.ZodType<Commands | null> {
    return commandFacts.extend({ choices: z.array(commandShape) }).nullable();
  },
});
const commandShape: z.ZodType<Command> = parser.extend({
  value: z.string(),
  aliases: z.array(z.string()),
  help: z.string().nullable(),
  deprecated: z.boolean(),
  get commands(): z.ZodType<Commands | null> {
    return commandFacts.extend({ choices: z.array(commandShape) }).nullable();
  },
});

const about = z.object({
  /** SHA-256 of the script and of the files beside it that it imports: the description holds as long as they stay. */
  files: z.record(z.string(), z.string()),
  /** The time that the script took to its parser. */
  seconds: z.number(),
  uses_trackside: z.boolean(),
});

/** What a script's own parser takes, as `trackside/_describe` prints it. */
export type Description = { parser: Parser } & z.infer<typeof about>;

/** Null for anything else than a description. */
export function readDescription(value: unknown): Description | null {
  const read = parserShape.safeParse(value);
  const more = about.safeParse(value);
  return read.success && more.success ? { parser: read.data, ...more.data } : null;
}

/** What a form shows for an argument, and how its value is read. */
export type Kind = 'switch' | 'boolean' | 'count' | 'integer' | 'number' | 'choice' | 'list' | 'lists' | 'text';

/**
 * `lists`: several lists of values, each a line. An option with `nargs="?"` may also be given without a value: that is
 * `<name>?` in a form and a record.
 */
export function kindOf(of: ScriptArgument): Kind {
  const { action, nargs } = of;
  if (action === 'boolean_optional') return 'boolean';
  if (action === 'count') return 'count';
  if (['store_true', 'store_false', 'store_const'].includes(action) || nargs === 0) return 'switch';
  const several = nargs === '*' || nargs === '+' || nargs === '...' || nargs === 'A...' || typeof nargs === 'number';
  if (action === 'append') return several ? 'lists' : 'list';
  if (several || action === 'extend') return 'list';
  if (of.booleans) return 'boolean';
  if (of.tokens) return 'choice';
  if (of.type === 'int') return 'integer';
  return of.type === 'float' ? 'number' : 'text';
}

/** Help, version and other actions that end the script. */
export function isShown(of: ScriptArgument): boolean {
  return !['help', 'version'].includes(of.action);
}

/** May it be given without a value? Of a type that knows only yes and no, that is a yes. */
export function takesNone(of: ScriptArgument): boolean {
  return of.nargs === '?' && of.flags.length > 0 && !of.booleans;
}

/** The chosen command of a parser, also by an alias; null without one. */
export function chosenCommand({ commands }: Parser, values: Record<string, unknown>): Command | null {
  const value = commands && values[commands.name];
  return commands?.choices.find((each) => each.value === value || each.aliases.includes(String(value))) ?? null;
}

/** The parsers that read a command line with these values: the script's, its command's, and so on. */
export function chosenParsers(parser: Parser, values: Record<string, unknown>): Parser[] {
  const command = chosenCommand(parser, values);
  return command ? [parser, ...chosenParsers(command, values)] : [parser];
}

/** All parsers of a script, at every depth. */
export function allParsers(parser: Parser): Parser[] {
  return [parser, ...(parser.commands?.choices ?? []).flatMap(allParsers)];
}

/** The argument that plainly says where a script writes; null without one. */
export function outputArgument(parsers: readonly Parser[]): ScriptArgument | null {
  const all = parsers.flatMap((each) => each.arguments).filter((each) => isShown(each) && kindOf(each) === 'text');
  return OUTPUTS.map((named) => all.find(({ name }) => named.test(name))).find(Boolean) ?? null;
}

const OUTPUTS = [
  /(?:^|\/)out(?:put)?s?[-_]?(?:dir|directory|folder)$/i,
  /(?:^|\/)(?:save|results?|checkpoints?|ckpt)[-_]?(?:dir|directory|folder)$/i,
];
