import type { Argument, ArgumentValue } from '../trainers/arguments.js';
import type { Setting } from '../trainers/setting.js';

export type FieldView = {
  id: string;
  name: string;
  label: string;
  kind: 'text' | 'lines' | 'number' | 'switch' | 'choice' | 'password';
  value: string;
  placeholder: string;
  min: number | null;
  max: number | null;
  step: string;
  unit: string | null;
  help: string | null;
  choices: { value: string; label: string; chosen: boolean }[];
  error: string | null;
  /** Shown, and not to be changed. */
  fixed: boolean;
  /** A switch that is off is sent as "false"; otherwise not at all. */
  sendsOff: boolean;
  /** It is not what the trainer would do by itself: a preset gives it, or a person typed it. */
  differs: 'preset' | 'changed' | null;
  /** A link under it, as “Download one”. */
  link: { href: string; label: string } | null;
  /** The id of its form, where it stands outside of that. */
  form: string | null;
  /** The id of a list of suggestions. */
  suggestions: string | null;
};

const kinds = {
  text: 'text',
  lines: 'lines',
  list: 'lines',
  integer: 'number',
  number: 'number',
  decimal: 'text',
  switch: 'switch',
  choice: 'choice',
} as const;

export type Typed = { values: Record<string, string>; errors: Record<string, string> };

export function settingField(setting: Setting, { values, errors }: Typed): FieldView {
  const value = values[setting.name] ?? String(setting.default);
  return {
    ...plain,
    id: `f-${setting.name}`,
    name: setting.name,
    label: setting.label,
    kind: kinds[setting.type],
    sendsOff: true,
    value,
    min: setting.min,
    max: setting.max,
    step: setting.type === 'integer' ? '1' : 'any',
    unit: setting.unit,
    help: setting.help,
    choices: (setting.choices ?? []).map((choice) => ({ ...choice, chosen: choice.value === value })),
    error: errors[setting.name] ?? null,
  };
}

/**
 * Empty means that the flag is not given: its default is shown where a value would stand. `given` is what the preset
 * gives for it; a switch of the preset can be switched off.
 */
export function argumentField(
  argument: Argument,
  given: ArgumentValue | undefined,
  { values, errors }: Typed,
): FieldView {
  const key = `arguments.${argument.name}`;
  const value = values[key] ?? '';
  const preset = given === undefined || given === false ? null : given;
  const fallback = fallbackOf(argument, preset);
  const field: FieldView = {
    ...plain,
    id: `f-arguments-${argument.name}`,
    name: `arguments[${argument.name}]`,
    label: `--${argument.name}`,
    kind: argument.choices ? 'choice' : kinds[argument.type],
    value,
    placeholder: fallback,
    step: argument.type === 'integer' ? '1' : 'any',
    help: argument.help,
    choices: (argument.choices ?? []).map((choice) => option(String(choice), value)),
    error: errors[key] ?? null,
    differs: value !== '' ? 'changed' : preset !== null ? 'preset' : null,
  };
  if (argument.type === 'switch' && preset === true) {
    const choices = [option('', value, 'on (preset)'), option('false', value, 'off')];
    return { ...field, kind: 'choice', choices };
  }
  if (argument.choices) field.choices.unshift(option('', value, fallback || 'not set'));
  return field;
}

function fallbackOf({ default: own, type }: Argument, preset: ArgumentValue | null): string {
  if (preset !== null && type === 'list') return [preset].flat().join('\n');
  if (preset !== null) return `${String(preset)} (preset)`;
  return own == null || own === '' || own === false ? '' : `default ${String(own)}`;
}

export function option(value: string, chosen: string, label = value): FieldView['choices'][number] {
  return { value, label, chosen: value === chosen };
}

export const plain: FieldView = {
  id: '',
  name: '',
  label: '',
  kind: 'text',
  value: '',
  placeholder: '',
  min: null,
  max: null,
  step: 'any',
  unit: null,
  help: null,
  choices: [],
  error: null,
  fixed: false,
  sendsOff: false,
  differs: null,
  link: null,
  form: null,
  suggestions: null,
};
