import { Problem } from '../problem.js';
import type { Setting, SettingName, TrainingSettings } from './setting.js';
import { settingValue } from './settingValue.js';

/** A setting as in most trainers, with one trainer's differences. */
export function setting(name: SettingName, otherwise: Partial<Omit<Setting, 'name'>> = {}): Setting {
  return { name, ...PLAIN, ...COMMON[name], ...otherwise };
}

/**
 * Checks a form or a JSON body against the trainer's table, and fills in defaults; settings that the trainer does not
 * use get the common default, so that a record has them all. Text is converted to a number or a switch as the table
 * says. An absent switch gets its default, so a form has to send "off". Throws a Problem with one message per field,
 * without the field's name, which `what` has.
 */
export function readTrainingSettings(table: readonly Setting[], given: Record<string, unknown>): TrainingSettings {
  const settings: Record<string, unknown> = {};
  const wrong: string[] = [];
  const fields: Record<string, string> = {};
  for (const name of Object.keys(COMMON) as SettingName[]) {
    const used = table.find((each) => each.name === name);
    const field = used ?? setting(name);
    const value = used ? given[name] : undefined;
    const parsed = settingValue(field).safeParse(value);
    if (parsed.success) settings[name] = parsed.data;
    else {
      const words = parsed.error.issues[0]?.message ?? '';
      wrong.push(`${field.label}: ${words}`);
      fields[name] = words.charAt(0).toUpperCase() + words.slice(1);
    }
  }
  if (wrong.length > 0) throw new Problem('bad_settings', wrong.join(' '), { fields });
  return settings as TrainingSettings;
}

const PLAIN = { help: null, min: null, max: null, unit: null, choices: null, fixedOnResume: false } as const;

type Common = Pick<Setting, 'label' | 'type' | 'default'> & Partial<Setting>;

const of = (label: string, type: Setting['type'], start: Setting['default']): Common => ({
  label,
  type,
  default: start,
});
/** A whole number, within these two. */
const whole = (label: string, start: number, min: number, max: number): Common => {
  return { ...of(label, 'integer', start), min, max };
};

const COMMON: Record<SettingName, Common> = {
  concept_sentence: {
    ...of('Trigger word', 'text', ''),
    help: 'A made-up word for your subject, e.g. gngrcat. Use it in prompts later.',
  },
  base_model: { label: 'Base model', type: 'text', default: '', fixedOnResume: true },
  vram: { label: 'GPU memory', type: 'text', default: '', fixedOnResume: true },
  num_repeats: { ...whole('Repeats per picture', 10, 1, 10_000), unit: 'per epoch', fixedOnResume: true },
  max_train_epochs: { ...whole('Epochs', 16, 1, 100_000), help: 'How many times the whole dataset is trained.' },
  sample_prompts: {
    ...of('Sample prompts', 'lines', ''),
    help: 'One prompt per line; leave empty for no samples. Options at the end: --w width, --h height, --d seed.',
  },
  sample_every_n_steps: { ...whole('Sample every', 0, 0, 1_000_000), unit: 'steps', help: '0 turns samples off.' },
  resolution: {
    ...whole('Resolution', 512, 64, 4096),
    unit: 'pixels',
    help: 'Pictures are scaled to about this size. Larger shows more detail and needs more memory.',
    fixedOnResume: true,
  },
  enable_checkpointing: {
    ...of('Save state folders', 'switch', true),
    help: 'One with every checkpoint, to resume from. Without them, a stopped training has to start over.',
  },
  enable_monitoring: {
    ...of('Auto-resume', 'switch', false),
    help: 'Restarts by itself after a crash, not after you press Stop.',
  },
  retry_smaller: {
    ...of('Retry smaller', 'switch', false),
    help: 'If the GPU runs out of memory before a state is saved: starts over once, with the preset of the next smaller GPU.',
  },
  seed: {
    ...whole('Seed', 42, 0, 4_294_967_295),
    help: 'The same seed and settings make the same random choices.',
    fixedOnResume: true,
  },
  workers: whole('Data loader workers', 2, 0, 64),
  learning_rate: {
    ...of('Learning rate', 'decimal', '8e-4'),
    min: 0,
    max: 100,
    help: 'How fast it learns. Too high spoils the result, too low learns little.',
    fixedOnResume: true,
  },
  save_every_n_epochs: {
    ...whole('Save every', 4, 1, 100_000),
    unit: 'epochs',
    help: 'Stopping loses what was trained since the last save.',
  },
  guidance_scale: { label: 'Guidance scale', type: 'number', default: 1, min: 0, max: 100, fixedOnResume: true },
  timestep_sampling: { label: 'Timestep sampling', type: 'text', default: 'shift', fixedOnResume: true },
  network_dim: {
    ...whole('Network dimension (rank)', 4, 1, 1024),
    help: 'How much the LoRA can learn. Higher makes a larger file.',
    fixedOnResume: true,
  },
  gpus: {
    ...of('GPUs', 'text', ''),
    help: 'Leave empty to use the first free GPU. Otherwise numbers as in nvidia-smi: 0, or 0,1 for both, or all.',
  },
  more_datasets: {
    ...of('More datasets', 'lines', ''),
    help: 'One per line, followed by its repeats: close-ups 5. Trained together with the pictures above. @768 after them sets a resolution of its own.',
    fixedOnResume: true,
  },
  reg_datasets: {
    ...of('Regularisation pictures', 'lines', ''),
    help: 'Datasets of similar subjects without the trigger word, one per line. Words after the repeats become the caption of pictures that have none: any-cats 1 cat.',
    fixedOnResume: true,
  },
};
