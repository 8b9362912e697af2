import type { Argument } from '../trainers/arguments.js';
import { expectedSteps } from '../trainers/expectedSteps.js';
import type { Setting } from '../trainers/trainingSettings.js';
import { type DatasetCard, datasetCard, type ImagesView, imagesView } from './datasets.js';
import { plural, sentence } from './formatting.js';
import type { NewTrainingModel, TrainerForm } from './models.js';

export type NewTrainingView = {
  title: string;
  /** Where the form is sent to. */
  address: string;
  /** The session's name while a draft is edited, else null. */
  draft: string | null;
  saveLabel: string;
  formId: string;
  given: boolean;
  problem: NewTrainingModel['problem'];
  /** How many fields are wrong, in words. */
  summary: string | null;
  loras: NewTrainingModel['loras'];
  name: FieldView;
  description: string;
  datasetError: string | null;
  datasets: (DatasetCard & { chosen: boolean })[];
  pictures: ImagesView | null;
  /** Captions that no picture of the dataset has. */
  orphans: string[];
  trainers: { id: string; label: string; chosen: boolean }[];
  trainer: TrainerForm | null;
  /** `open` groups stand on the page, the others wait behind a summary. */
  groups: { title: string; open: boolean; fields: FieldView[] }[];
  further: { title: string; fields: FieldView[] }[];
  furtherOpen: boolean;
  furtherCount: number;
  expected: string;
  resumable: boolean;
};

export type FieldView = {
  id: string;
  name: string;
  label: string;
  kind: 'text' | 'lines' | 'number' | 'switch' | 'choice';
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
  fixed?: boolean;
};

/** The form of a new training: every field with its label, default, unit, what was typed and what is wrong with it. */
export function newTrainingView(model: NewTrainingModel): NewTrainingView {
  const { values, errors, dataset, trainers, draft = null } = model;
  const trainer = trainers.find(({ id }) => id === values.trainer) ?? trainers[0] ?? null;
  const fields = (trainer?.settings ?? []).map((each) => settingField(each, values, errors));
  const further = (trainer?.further ?? []).map((each) => argumentField(each, values, errors));
  const wrong = Object.keys(errors).length;
  const nameField: FieldView = {
    ...settingField({ ...plainSetting, label: 'LoRA name' }, values, errors),
    id: 'f-lora_name',
    name: 'lora_name',
    value: values.lora_name ?? '',
    error: errors.lora_name ?? null,
    help: draft
      ? 'Stays: the folder of the draft has it.'
      : 'What it will be called. A name that exists becomes its next version.',
    fixed: draft !== null,
  };
  return {
    title: draft ? `Edit the draft ${values.lora_name ?? draft.name} V${draft.version}` : 'New training',
    address: draft ? `${model.root}new?draft=${encodeURIComponent(draft.name)}` : `${model.root}sessions`,
    draft: draft?.name ?? null,
    saveLabel: draft ? 'Save draft' : 'Save as draft',
    formId: model.formId,
    given: model.given || wrong > 0,
    problem: model.problem,
    summary: wrong
      ? `${plural(wrong, 'field needs', 'fields need')} another look; everything you typed is still here.`
      : null,
    loras: model.loras,
    name: nameField,
    description: values.description ?? '',
    datasetError: errors.dataset ?? null,
    datasets: model.datasets.map((each) => ({ ...datasetCard(each, model.root), chosen: each.name === dataset?.name })),
    pictures: dataset && imagesView({ root: model.root, dataset }),
    orphans: dataset?.orphan_captions ?? [],
    trainers: trainers.map(({ id, label }) => ({ id, label, chosen: id === trainer?.id })),
    trainer,
    groups: grouped(fields),
    further: furtherGroups(trainer?.further ?? [], further),
    furtherOpen: further.some(({ value, error }) => value !== '' || error !== null),
    furtherCount: further.length,
    expected: expected(dataset?.images ?? 0, fields, values),
    resumable: fields.find(({ name }) => name === 'enable_checkpointing')?.value !== 'false',
  };
}

const layout: { title: string; open: boolean; names: string[] }[] = [
  { title: '', open: true, names: ['concept_sentence', 'base_model', 'vram'] },
  {
    title: 'Training',
    open: true,
    names: ['num_repeats', 'max_train_epochs', 'resolution', 'network_dim', 'learning_rate'],
  },
  { title: 'Checkpoints', open: true, names: ['save_every_n_epochs', 'enable_checkpointing'] },
  { title: 'Samples', open: true, names: ['sample_prompts', 'sample_every_n_steps'] },
];

function grouped(fields: FieldView[]): NewTrainingView['groups'] {
  const placed = new Set(layout.flatMap(({ names }) => names));
  const rest = fields.filter(({ name }) => !placed.has(name));
  const groups = layout.map(({ title, open, names }) => ({
    title,
    open,
    fields: fields.filter(({ name }) => names.includes(name)),
  }));
  return [...groups, { title: 'More settings', open: rest.some(({ error }) => error !== null), fields: rest }].filter(
    (group) => group.fields.length > 0,
  );
}

function furtherGroups(known: readonly Argument[], fields: FieldView[]): NewTrainingView['further'] {
  const groups = new Map<string, FieldView[]>();
  fields.forEach((field, i) => {
    const title = known[i]?.group ?? '';
    groups.set(title, [...(groups.get(title) ?? []), field]);
  });
  return [...groups].map(([title, own]) => ({ title, fields: own }));
}

const plainSetting: Setting = {
  name: 'concept_sentence',
  label: '',
  help: null,
  type: 'text',
  default: '',
  min: null,
  max: null,
  unit: null,
  choices: null,
  fixedOnResume: false,
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

function settingField(setting: Setting, values: Record<string, string>, errors: Record<string, string>): FieldView {
  const value = values[setting.name] ?? String(setting.default);
  return {
    id: `f-${setting.name}`,
    name: setting.name,
    label: setting.label,
    kind: kinds[setting.type],
    value,
    placeholder: '',
    min: setting.min,
    max: setting.max,
    step: setting.type === 'integer' ? '1' : 'any',
    unit: setting.unit,
    help: setting.help,
    choices: (setting.choices ?? []).map((choice) => ({ ...choice, chosen: choice.value === value })),
    error: withoutLabel(errors[setting.name], setting.label),
  };
}

/** Beside its field a message does not name the field again: "Epochs: has to be …" → "Has to be …". */
function withoutLabel(error: string | undefined, label: string): string | null {
  if (error === undefined) return null;
  return sentence(error.startsWith(`${label}: `) ? error.slice(label.length + 2) : error);
}

/** Empty means that the flag is not given: its default is shown where a value would stand. */
function argumentField(argument: Argument, values: Record<string, string>, errors: Record<string, string>): FieldView {
  const key = `arguments.${argument.name}`;
  const value = values[key] ?? '';
  const fallback = argument.default == null || argument.default === '' ? '' : `default ${String(argument.default)}`;
  return {
    id: `f-arguments-${argument.name}`,
    name: `arguments[${argument.name}]`,
    label: `--${argument.name}`,
    kind: argument.choices ? 'choice' : kinds[argument.type],
    value,
    placeholder: fallback,
    min: null,
    max: null,
    step: argument.type === 'integer' ? '1' : 'any',
    unit: null,
    help: argument.help,
    choices: argument.choices
      ? [
          { value: '', label: fallback || 'not given', chosen: value === '' },
          ...argument.choices.map((choice) => ({
            value: String(choice),
            label: String(choice),
            chosen: value === String(choice),
          })),
        ]
      : [],
    error: errors[key] ?? null,
  };
}

/** "10 pictures × 10 repeats × 16 epochs = 1 600 steps"; form.js keeps it true while values are typed. */
function expected(images: number, fields: FieldView[], values: Record<string, string>): string {
  const value = (name: string) => Number(fields.find((field) => field.name === name)?.value);
  const repeats = value('num_repeats');
  const epochs = value('max_train_epochs');
  const batchSize = Number(values['arguments.train_batch_size'] || 1);
  const accumulation = Number(values['arguments.gradient_accumulation_steps'] || 1);
  if (!images) return 'Pick the pictures to see how many steps it takes.';
  if (!(repeats > 0 && epochs > 0)) return '';
  const steps = expectedSteps({ images, repeats, epochs, batchSize, accumulation });
  if (!(steps > 0)) return '';
  const atOnce = batchSize * accumulation > 1 ? ` ÷ ${batchSize * accumulation} a step` : '';
  return `${plural(images, 'picture')} × ${plural(repeats, 'repeat')} × ${plural(epochs, 'epoch')}${atOnce} = ${plural(steps, 'step')}`;
}
