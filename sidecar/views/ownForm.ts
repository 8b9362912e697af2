import {
  type Command,
  type Commands,
  chosenCommand,
  type Description,
  isShown,
  kindOf,
  outputArgument,
  type Parser,
  type ScriptArgument,
  takesNone,
} from '../trainers/script/description.js';
import { labelOf } from '../trainers/script/tokens.js';
import { exclusiveField, OF_FORM, prefixOf } from '../trainers/script/values.js';
import { type FieldView, option, plain, type Typed } from './field.js';

export type OwnFormView = NonNullable<ReturnType<typeof ownFormView>>;

/** Fields that stand together, one of several of which one counts, or the commands of a parser. */
export type OwnPart =
  | { kind: 'fields'; fields: FieldView[] }
  | { kind: 'one of'; legend: string; note: string | null; error: string | null; name: string; options: OwnOption[] };

/** A radio button, and what belongs to it: shown while it is chosen. */
export type OwnOption = {
  value: string;
  label: string;
  help: string | null;
  chosen: boolean;
  parts: OwnPart[];
  groups: OwnGroup[];
};

export type OwnGroup = { title: string; note: string | null; parts: OwnPart[] };

/** The form of a script: its own parser's groups. */
export function ownFormView({ parser }: Description, typed: Typed) {
  return { marker: nameOf(OF_FORM), groups: groupsOf(parser, typed, outputArgument([parser])) };
}

/** All fields of a form, at every depth. */
export function ownFieldsOf(groups: readonly OwnGroup[]): FieldView[] {
  const ofPart = (part: OwnPart): FieldView[] =>
    part.kind === 'fields'
      ? part.fields
      : part.options.flatMap((each) => [...each.parts.flatMap(ofPart), ...ownFieldsOf(each.groups)]);
  return groups.flatMap(({ parts }) => parts.flatMap(ofPart));
}

/** How argparse calls the groups that it makes by itself, by version. */
const PLAIN_GROUPS = ['positional arguments', 'options', 'optional arguments'];

function groupsOf(parser: Parser, typed: Typed, output: ScriptArgument | null): OwnGroup[] {
  const groups = new Map<string, { note: string | null; members: ScriptArgument[] }>();
  for (const argument of parser.arguments) {
    if (!isShown(argument) || argument.hidden) continue;
    const title = PLAIN_GROUPS.includes(argument.group ?? '') ? '' : (argument.group ?? '');
    const note = parser.groups.find((each) => each.title === argument.group)?.description ?? null;
    const group = groups.get(title) ?? { note, members: [] };
    group.members.push(argument);
    groups.set(title, group);
  }
  const found = [...groups].map(([title, { note, members }]) => ({
    title: title || 'Arguments',
    note,
    parts: partsOf(parser, members, typed, output),
  }));
  if (!parser.commands) return found;
  const { title, help } = parser.commands;
  return [...found, { title: title ?? 'Command', note: help, parts: [commandsPart(parser, parser.commands, typed)] }];
}

/** Fields in the order of the parser; an exclusive group stands where its first member does. */
function partsOf(
  parser: Parser,
  members: readonly ScriptArgument[],
  typed: Typed,
  output: ScriptArgument | null,
): OwnPart[] {
  const parts: OwnPart[] = [];
  const done = new Set<number>();
  for (const argument of members) {
    const at = parser.exclusive.findIndex((group) => group.members.includes(argument.name));
    if (at >= 0 && !done.has(at)) parts.push(exclusivePart(parser, at, typed));
    if (at >= 0) done.add(at);
    else {
      const last = parts.at(-1);
      const fields = fieldsOf(argument, typed, argument === output);
      if (last?.kind === 'fields') last.fields.push(...fields);
      else parts.push({ kind: 'fields', fields });
    }
  }
  return parts;
}

function exclusivePart(parser: Parser, at: number, typed: Typed): OwnPart {
  const { members, required } = parser.exclusive[at] ?? { members: [], required: false };
  const known = members.flatMap((name) => parser.arguments.find((each) => each.name === name) ?? []);
  const field = exclusiveField(prefixOf(parser), at);
  const isTyped = ({ name }: ScriptArgument) => typedIn(typed, name) !== '' || typedIn(typed, `${name}?`) !== '';
  const chosen = typed.values[`arguments.${field}`] ?? known.find(isTyped)?.name ?? '';
  const options = known.map((argument) => ({
    value: argument.name,
    label: labelOf(argument),
    help: argument.help,
    chosen: chosen === argument.name,
    parts:
      kindOf(argument) === 'switch'
        ? []
        : [{ kind: 'fields' as const, fields: fieldsOf({ ...argument, help: null }, typed, false).map(ofRadio) }],
    groups: [],
  }));
  const none = { value: '', label: 'none of them', help: null, chosen: chosen === '', parts: [], groups: [] };
  return {
    kind: 'one of',
    legend: required ? 'One of these' : 'At most one of these',
    note: null,
    error: options.some(({ parts }) => parts.length === 0) ? firstError(members, typed) : null,
    name: nameOf(field),
    options: required ? options : [none, ...options],
  };
}

/** Its radio button is called as the argument is. */
function ofRadio(field: FieldView): FieldView {
  return { ...field, label: `Value of ${field.label}` };
}

function firstError(names: readonly string[], { errors }: Typed): string | null {
  return names.flatMap((name) => errors[`arguments.${name}`] ?? [])[0] ?? null;
}

function commandsPart(parser: Parser, commands: Commands, typed: Typed): OwnPart {
  const value = typedIn(typed, commands.name);
  const chosen = chosenCommand(parser, { [commands.name]: value });
  const optionOf = (command: Command): OwnOption => ({
    value: command.value,
    label: [command.value, ...command.aliases].join(', ') + (command.deprecated ? ' (deprecated)' : ''),
    help: command.help ?? command.description,
    chosen: command === chosen,
    parts: [],
    groups: groupsOf(command, typed, outputArgument([command])),
  });
  const none: OwnOption = { value: '', label: 'no command', help: null, chosen: !chosen, parts: [], groups: [] };
  return {
    kind: 'one of',
    legend: 'What to run',
    note: null,
    error: typed.errors[`arguments.${commands.name}`] ?? null,
    name: nameOf(commands.name),
    options: [...(commands.required ? [] : [none]), ...commands.choices.map(optionOf)],
  };
}

/** An option that may be given without a value has a switch for that beside its field. */
function fieldsOf(argument: ScriptArgument, typed: Typed, isOutput: boolean): FieldView[] {
  const field = fieldOf(argument, typed, isOutput);
  if (!takesNone(argument)) return [field];
  const told = argument.const === null ? '' : ` (${shown(argument.const)})`;
  return [
    field,
    { ...base(`${argument.name}?`, `${labelOf(argument)} without a value${told}`, typed), kind: 'switch', help: null },
  ];
}

function fieldOf(argument: ScriptArgument, typed: Typed, isOutput: boolean): FieldView {
  const kind = kindOf(argument);
  const marks = [argument.required ? 'required' : '', argument.deprecated ? 'deprecated' : ''].filter(Boolean);
  const label = labelOf(argument) + (marks.length > 0 ? ` (${marks.join(', ')})` : '');
  const fallback = isOutput ? 'this session’s folder' : fallbackOf(argument);
  const help = [
    argument.help,
    HINTS[kind] ?? null,
    kind === 'list' && typeof argument.nargs === 'number' ? `${argument.nargs} values.` : null,
  ];
  const field: FieldView = {
    ...base(argument.name, label, typed),
    placeholder: fallback,
    help: help.filter(Boolean).join(' ') || null,
    min: argument.bounds ? Math.min(...argument.bounds.slice(0, 2)) : kind === 'count' ? 0 : null,
    max: argument.bounds ? Math.max(...argument.bounds.slice(0, 2)) : null,
  };
  const { value } = field;
  switch (kind) {
    case 'switch':
      return { ...field, kind: 'switch' };
    case 'boolean':
      return {
        ...field,
        kind: 'choice',
        choices: [option('', value, fallback || 'not set'), option('true', value, 'on'), option('false', value, 'off')],
      };
    case 'choice': {
      const offered = (argument.tokens ?? []).filter((token) => token !== null);
      return {
        ...field,
        kind: 'choice',
        choices: [option('', value, fallback || 'not set'), ...offered.map((token) => option(token, value))],
      };
    }
    case 'integer':
    case 'count':
      return { ...field, kind: 'number', step: '1' };
    case 'list':
    case 'lists':
      return { ...field, kind: 'lines' };
    default:
      // As typed: 8e-4 stays 8e-4, and a browser's number field takes no "inf".
      return { ...field, kind: 'text' };
  }
}

const HINTS: Partial<Record<ReturnType<typeof kindOf>, string>> = {
  list: 'One value per line.',
  lists: 'One list per line; put words with spaces in quotes.',
  count: 'How many times.',
};

function base(name: string, label: string, typed: Typed): FieldView {
  return {
    ...plain,
    id: `f-arguments-${name.replaceAll(/[^\w-]/g, '-')}`,
    name: nameOf(name),
    label,
    value: typedIn(typed, name),
    error: typed.errors[`arguments.${name}`] ?? null,
  };
}

function typedIn({ values }: Typed, name: string): string {
  return values[`arguments.${name}`] ?? '';
}

function nameOf(name: string): string {
  return `arguments[${name}]`;
}

/** "default 0.1"; of a choice the text that gives it. */
function fallbackOf(argument: ScriptArgument): string {
  const { default: own, choices, tokens, action } = argument;
  if (own === null || own === '' || (Array.isArray(own) && own.length === 0)) return '';
  if (kindOf(argument) === 'boolean') return `default ${own === true ? 'on' : own === false ? 'off' : String(own)}`;
  if (action === 'count' && own === 0) return '';
  const token = tokens?.[choices?.indexOf(own as string) ?? -1];
  return `default ${token ?? shown(own)}`;
}

function shown(value: NonNullable<ScriptArgument['default']>): string {
  return [value].flat().join(' ');
}
