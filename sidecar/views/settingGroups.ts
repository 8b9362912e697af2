import type { FieldView } from './field.js';

/** What everybody looks at before a start. */
const BASICS = ['vram', 'max_train_epochs', 'num_repeats', 'resolution'];

/** Behind "Advanced", in the order of the page; a setting that is named nowhere goes to the last. */
const GROUPS = {
  Training: ['network_dim', 'learning_rate'],
  Checkpoints: ['save_every_n_epochs', 'enable_checkpointing'],
  Samples: ['sample_prompts', 'sample_every_n_steps'],
  GPU: ['gpus'],
};
const MODEL = ['base_model'];

/** Settings that belong together. */
export type SettingGroup = { title: string; fields: FieldView[] };

/** The fields by where they stand: with the model, in sight, or folded. */
export function settingGroups(fields: FieldView[], description: FieldView) {
  const of = (names: string[]) => fields.filter(({ name }) => names.includes(name));
  const placed = [...MODEL, ...BASICS, ...Object.values(GROUPS).flat()];
  const rest = fields.filter(({ name }) => !placed.includes(name));
  const advanced: SettingGroup[] = [
    ...Object.entries(GROUPS).map(([title, names]) => ({ title, fields: of(names) })),
    { title: 'More settings', fields: [...rest, description] },
  ];
  return { model: of(MODEL), basics: of(BASICS), advanced: advanced.filter((group) => group.fields.length > 0) };
}

export function isWrong(fields: readonly FieldView[]): boolean {
  return fields.some(({ error }) => error !== null);
}
