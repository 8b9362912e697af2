import type { DatasetDetail, DatasetFacts } from '../datasets/facts.js';
import type { Subject } from '../problem.js';
import { datasetCard, imagesView, notTrainedWords, uploadView } from './datasets.js';
import { type DraftModel, draftView } from './draft.js';
import { type FieldView, plain, settingField, type Typed } from './field.js';
import { flagsView } from './flags.js';
import type { PageModel } from './frame.js';
import { modelField } from './modelField.js';
import { type HintsModel, hintsView } from './newTrainingHints.js';
import { ownFieldsOf, ownFormView } from './ownForm.js';
import { targetOf } from './problem.js';
import { isWrong, settingGroups } from './settingGroups.js';
import type { TrainerForm } from './trainerForm.js';
import { rulesFor } from './training.js';
import { type WhereModel, whereView } from './where.js';

export type NewTrainingModel = PageModel & {
  datasets: DatasetFacts[];
  /** The chosen one. */
  dataset: DatasetDetail | null;
  /** What can be chosen, `group` after `group`. */
  trainers: { id: string; label: string; group: string }[];
  trainer: TrainerForm | null;
  /** Why there is no sd-scripts here, in words; null where there is one. */
  noCheckout?: string | null;
  /** What was typed, or what `?from=` fills in, by field (further flags as `arguments.<name>`); absent shows the default. */
  values: Record<string, string>;
  /** One sentence a field, named as in `values`. */
  errors: Record<string, string>;
  /** What is wrong beyond the fields, with where to look. */
  problem: { message: string; about?: Subject | undefined } | null;
  formId: string;
  loras: HintsModel['loras'];
  /** The draft that is edited; null for a new training. */
  draft?: { name: string; version: number } | null;
  /** What is kept of the form while it is typed. */
  kept: DraftModel;
  /** Null where there is no cluster. */
  where?: WhereModel | null;
};

export type NewTrainingView = ReturnType<typeof newTrainingView>;

/** The form of a new training: every field with its label, default, unit, what was typed and what is wrong with it. */
export function newTrainingView(model: NewTrainingModel) {
  const { values, errors, dataset, trainer, draft = null } = model;
  const typed: Typed = { values, errors };
  // A choice of one is none.
  const settings = (trainer?.settings ?? []).filter(({ choices }) => choices?.length !== 1);
  const all = settings.map((each) => settingField(each, typed));
  const trigger = all.filter(({ name }) => name === 'concept_sentence');
  const models = (trainer?.models ?? []).map((each) => modelField(each, model.root, typed));
  const flags = trainer && flagsView(trainer, typed);
  // A script has no pictures of ours, and no settings.
  const isOwn = trainer?.own !== undefined;
  const ownForm = trainer?.own ? ownFormView(trainer.own, typed) : null;
  const hints = hintsView({
    values: { ...values, ...Object.fromEntries(all.map(({ name, value }) => [name, value])) },
    images: dataset?.images ?? 0,
    loras: model.loras,
    isDraft: draft !== null,
  });
  const name = nameField(model);
  const where = model.where
    ? whereView(model.where, typed, model.kept.draft?.view.open.includes('where') ?? false)
    : null;
  const fields = [
    name,
    ...all,
    ...models,
    ...(flags?.groups ?? []).flatMap((each) => each.fields),
    ...ownFieldsOf(ownForm?.groups ?? []),
    ...(where?.all ?? []),
  ];
  const groups = settingGroups(
    all.filter((field) => !trigger.includes(field)),
    descriptionField(typed),
  );
  const kept = draftView(model.kept, model.root, labelsOf(fields));
  return {
    title: draft ? `Edit draft ${values.lora_name ?? draft.name} V${draft.version}` : 'New training',
    /** Where the form is sent to. */
    address: draft ? `${model.root}new?draft=${encodeURIComponent(draft.name)}` : `${model.root}sessions`,
    /** A session that is a draft is edited. */
    isDraft: draft !== null,
    formId: model.formId,
    kept,
    problem: model.problem && { message: model.problem.message, target: targetOf(model.problem.about) },
    /** Which fields are wrong, in words. */
    summary: summaryOf(errors, fields),
    loras: model.loras,
    /** What it is called, and what it is of. */
    about: [name, ...trigger],
    ...picturesView(model, isOwn),
    /** Where there is more than one, by group, in the order of the page. */
    choice: model.trainers.length > 1 ? groupedTrainers(model) : null,
    /** The chosen trainer; its name where it is the only one. */
    trainer: trainer && {
      id: trainer.id,
      name: model.trainers.length > 1 ? null : `${trainer.label}.`,
      description: trainer.description,
    },
    noCheckout: Boolean(model.noCheckout),
    groups: { ...groups, model: outside(groups.model) },
    /** Folded where all of them are found. */
    models: { fields: outside(models), open: models.some(({ error, link }) => error !== null || link !== null) },
    /** Why this preset, beside the GPU that it is for. */
    preset: trainer?.preset ?? null,
    advancedOpen: kept.open.includes('advanced') || isWrong(groups.advanced.flatMap((each) => each.fields)),
    flags: isOwn || !flags ? null : { ...flags, open: flags.open || kept.open.includes('further-flags') },
    isOwn,
    /** The fields of a script's own parser; null for another trainer, or where it could not be read. */
    own: ownForm,
    /** Why a script's parser could not be read; and is it being read? */
    unread: trainer?.own === null ? (trainer.unread ?? null) : null,
    reading: trainer?.own === null && (trainer.reading ?? false),
    where,
    hints,
    /** Where the hints are asked for while values are typed. */
    hintsAddress: `${model.root}new/hints${draft ? `?draft=${encodeURIComponent(draft.name)}` : ''}`,
    /** Where another trainer's fields are asked for, and a draft is kept without a script. */
    showAddress: `${model.root}new${draft ? `?draft=${encodeURIComponent(draft.name)}` : ''}`,
    /** Trainer and base model that these fields are for. */
    shown: `${trainer?.id ?? ''} ${all.find(({ name }) => name === 'base_model')?.value ?? ''}`.trim(),
  };
}

/** The most that stand on the page, and the most pictures of the chosen one. */
const DATASETS_IN_SIGHT = 3;
const PICTURES_IN_SIGHT = 12;

function picturesView(model: NewTrainingModel, isOwn: boolean) {
  const { dataset, root, kept } = model;
  const usual = model.trainer?.settings.find(({ name }) => name === 'resolution')?.default ?? 512;
  const resolution = model.values.resolution || usual;
  const cards = model.datasets.map((each) => ({ ...datasetCard(each, root), chosen: each.name === dataset?.name }));
  const sorted = isOwn ? [] : [...cards.filter(({ chosen }) => chosen), ...cards.filter(({ chosen }) => !chosen)];
  const pictures =
    !isOwn && dataset ? imagesView({ root, dataset, rules: rulesFor(Number(resolution), model.values) }) : null;
  return {
    datasetError: model.errors.dataset ?? null,
    datasets: sorted.slice(0, DATASETS_IN_SIGHT),
    /** Behind a summary. */
    moreDatasets: sorted.slice(DATASETS_IN_SIGHT),
    pictures,
    strip: pictures?.images.slice(0, PICTURES_IN_SIGHT) ?? [],
    beyond: Math.max(0, (pictures?.images.length ?? 0) - PICTURES_IN_SIGHT),
    /** The captions are folded. */
    captionsOpen: kept.draft?.view.open.includes('captions') ?? false,
    notTrained: dataset ? notTrainedWords(dataset) : [],
    upload: uploadView('new', null, freeName(model.datasets)),
  };
}

/** A name for the pictures that somebody is about to upload, so that nobody has to think of one. */
function freeName(datasets: readonly DatasetFacts[]): string {
  const names = new Set(datasets.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'my-pictures' : `my-pictures-${number}`;
    if (!names.has(name)) return name;
  }
}

/** The card of the model stands before that of the pictures, which has forms of its own. */
function outside(fields: readonly FieldView[]): FieldView[] {
  return fields.map((field) => ({ ...field, form: 'training' }));
}

function nameField({ values, errors, draft }: NewTrainingModel): FieldView {
  return {
    ...plain,
    label: 'LoRA name',
    id: 'f-lora_name',
    name: 'lora_name',
    value: values.lora_name ?? '',
    error: errors.lora_name ?? null,
    suggestions: 'loras',
    help: draft
      ? "Can't be changed: the draft's folder is named after it."
      : 'An existing name becomes its next version.',
    fixed: Boolean(draft),
  };
}

function labelsOf(fields: readonly FieldView[]): Map<string, string> {
  const labels = new Map(fields.map(({ name, label }) => [name.replace(/\[([^[\]]+)\]/, '.$1'), label]));
  return labels.set('description', 'Description').set('dataset', 'Pictures').set('trainer', 'Trainer');
}

/** Which fields are wrong; and what no field on the page can say for itself. */
function summaryOf(errors: Record<string, string>, fields: readonly FieldView[]): string | null {
  const wrong = Object.entries(errors);
  const labels = labelsOf(fields);
  const named = wrong.flatMap(([name]) => labels.get(name) ?? []);
  const unsaid = wrong.filter(([name]) => !labels.has(name)).map(([, message]) => message);
  const check = named.length > 0 ? [`Please check: ${named.join(', ')}.`] : [];
  return wrong.length > 0 ? [...check, ...unsaid].join(' ') : null;
}

function descriptionField({ values, errors }: Typed): FieldView {
  return {
    ...plain,
    label: 'Description',
    id: 'f-description',
    name: 'description',
    value: values.description ?? '',
    placeholder: 'A note to yourself',
    error: errors.description ?? null,
  };
}

function groupedTrainers({ trainers, trainer }: NewTrainingModel) {
  return [...new Set(trainers.map(({ group }) => group))].map((group) => ({
    group,
    members: trainers
      .filter((each) => each.group === group)
      .map(({ id, label }) => ({ id, label, chosen: id === trainer?.id })),
  }));
}
