import type { FieldView } from './field.js';

/** In the order of the page; a setting that is named nowhere goes to "More settings". */
const GROUPS = {
  Model: ['base_model'],
  GPU: ['vram', 'gpus'],
  Training: ['num_repeats', 'max_train_epochs', 'resolution', 'network_dim', 'learning_rate'],
  Checkpoints: ['save_every_n_epochs', 'enable_checkpointing'],
  Samples: ['sample_prompts', 'sample_every_n_steps'],
};

/**
 * Settings that belong together. `folded`: behind a summary, `open` or not. `hint`: what form.js draws anew while values are
 * typed, under this id; '' where there is nothing to say.
 *
 * @param models stand with the base model that needs them
 * @param preset why this preset, beside the GPU that it is for
 * @param savedLate what is not saved in time, beside the settings that decide it
 */
export function settingGroups(fields: FieldView[], models: FieldView[], preset: string | null, savedLate: string) {
  const of = (names: string[]) => fields.filter(({ name }) => names.includes(name));
  const plain = { folded: false, open: true, note: null, hint: null };
  const placed = Object.values(GROUPS).flat();
  const rest = fields.filter(({ name }) => !placed.includes(name));
  const groups = [
    { ...plain, title: 'Model', fields: [...of(GROUPS.Model), ...models] },
    { ...plain, title: 'GPU', fields: of(GROUPS.GPU), note: preset },
    { ...plain, title: 'Training', fields: of(GROUPS.Training) },
    { ...plain, title: 'Checkpoints', fields: of(GROUPS.Checkpoints), hint: { id: 'saved-late', text: savedLate } },
    { ...plain, title: 'Samples', fields: of(GROUPS.Samples) },
    { ...plain, title: 'More settings', fields: rest, folded: true, open: rest.some(({ error }) => error !== null) },
  ];
  return groups.filter((group) => group.fields.length > 0);
}
