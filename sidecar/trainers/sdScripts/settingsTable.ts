import type { Setting } from '../setting.js';
import { setting } from '../trainingSettings.js';
import type { Family } from './family.js';
import { presetsOf } from './layers.js';

/** The fields of a family's form: the names of ui_state.json that it uses, with its own defaults. */
export function settingsOf(family: Family): Setting[] {
  const { settings, baseModels, timestepSampling } = family;
  const field = (name: Setting['name'], otherwise: Partial<Setting> = {}) => {
    const start = settings[name];
    return setting(name, { ...(start === undefined ? {} : { default: start }), ...otherwise });
  };
  return [
    field('concept_sentence'),
    field('base_model', {
      type: 'choice',
      default: baseModels[0].value,
      choices: baseModels.map(({ value, label }) => ({ value, label })),
    }),
    field('vram', {
      type: 'choice',
      default: family.presets.at(-1)?.vram ?? '',
      choices: presetsOf(family).map(({ vram, label }) => ({ value: vram, label })),
      help: 'Chooses settings that fit into this much memory.',
    }),
    field('gpus'),
    field('num_repeats'),
    field('max_train_epochs'),
    field('resolution'),
    field('network_dim'),
    field('learning_rate'),
    field('save_every_n_epochs', {
      min: 0,
      help: 'Stopping loses what was trained since the last save. 0 saves by --save_every_n_steps alone.',
    }),
    field('enable_checkpointing'),
    field('enable_monitoring'),
    field('retry_smaller'),
    field('sample_prompts', family.promptHelp ? { help: family.promptHelp } : {}),
    field('sample_every_n_steps'),
    field('seed'),
    field('workers'),
    field('more_datasets'),
    field('reg_datasets'),
    ...(family.guidance ? [field('guidance_scale')] : []),
    ...(timestepSampling
      ? [
          field('timestep_sampling', {
            type: 'choice',
            choices: timestepSampling.map((value) => ({ value, label: value })),
          }),
        ]
      : []),
  ];
}
