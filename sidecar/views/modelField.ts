import type { ModelNeed } from '../trainers/trainer.js';
import { type FieldView, option, plain, type Typed } from './field.js';

/** A model file to choose. */
export type ModelChoice = ModelNeed & {
  /** What is there, the best first. */
  files: { path: string; label: string }[];
  /** It may be left out, for it lies inside the main model. */
  inside: boolean;
};

/** A model file to choose from those that are here; where there is none, the way to download one. */
export function modelField(choice: ModelChoice, root: string, { values, errors }: Typed): FieldView {
  const key = `arguments.${choice.flag}`;
  const value = values[key] ?? '';
  const missing = choice.files.length === 0 && value === '';
  const none = choice.inside ? 'included in the model' : choice.required ? 'Choose a file' : 'the one in the model';
  const choices = choice.files.map(({ path, label }) => option(path, value, label));
  // One that is typed into ui_state.json, or gone by now, stays to be seen.
  if (value && !choices.some(({ chosen }) => chosen)) choices.unshift(option(value, value));
  return {
    ...plain,
    id: `f-arguments-${choice.flag}`,
    name: `arguments[${choice.flag}]`,
    label: choice.label,
    kind: 'choice',
    value,
    choices: [
      option('', value, missing && choice.required && !choice.inside ? 'Not downloaded yet' : none),
      ...choices,
    ],
    error: errors[key] ?? null,
    link: missing && choice.required && !choice.inside ? { href: `${root}models`, label: 'Download one' } : null,
  };
}
