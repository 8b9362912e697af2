import { basename } from 'node:path';
import { checkDataset } from '../../datasets/check.js';
import { fingerprintDataset } from '../../datasets/fingerprint.js';
import { BEFORE_A_START, readDataset } from '../../datasets/read.js';
import { unknownNames } from '../../nearestName.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { findTrainer } from '../../trainers/catalogue.js';
import type { Trainer } from '../../trainers/trainer.js';
import type { SessionFacts } from '../facts.js';
import { folderName, INVISIBLE } from '../names.js';
import { requirePackage } from '../preflight/requirePackage.js';
import { SETTING_NAMES } from '../record/uiState.js';
import type { Where } from './clusterFields.js';
import { epochsForSteps } from './stepsAsked.js';
import {
  addProblem,
  addWrong,
  type Checks,
  readTrainerFields,
  type TrainerFields,
  type Wrong,
} from './trainerFields.js';
import { readWhere } from './where.js';

export const LONGEST_DESCRIPTION = 2000;

/** A request for a new session, checked. */
export type NewSession = {
  loraName: string;
  trainer: string;
  settings: TrainerFields['settings'];
  arguments: Record<string, ArgumentValue>;
  dataset: { path: string; images: number; captions: number; fingerprint: string } | null;
  description: string;
  where: Where;
  /** Null leaves them as they are. */
  notes: string | null;
  /** The form's id, so that a double click makes one session. */
  formId: string | null;
};

/**
 * Reads a form or a JSON body, and checks all of it, so that one answer names everything that is wrong. Throws a
 * Problem with a sentence for each field.
 *
 * @param start a draft may do without pictures; a start may not
 */
export async function readNewSession(
  checks: Checks,
  fields: Record<string, unknown>,
  start: boolean,
): Promise<NewSession> {
  const trainer = findTrainer(checks.settings, textOf(fields.trainer) || 'practice');
  const wrong: Wrong = { fields: {}, words: [] };
  const loraName = textOf(fields.lora_name);
  const take = (error: unknown): null => {
    addProblem(wrong, error);
    return null;
  };
  try {
    checkLoraName(loraName);
  } catch (error) {
    take(error);
  }
  const description = textOf(fields.description);
  if (description.length > LONGEST_DESCRIPTION)
    addWrong(wrong, { description: 'The description is longer than 2,000 characters.' });
  addWrong(wrong, unknownFields(fields, trainer));
  const read = await readTrainerFields(checks, trainer, fields, start).catch(take);
  const where = (await readWhere(checks.settings, trainer, fields).catch(take)) ?? {};
  const dataset = await readChosenDataset(
    checks.settings,
    textOf(fields.dataset),
    start && !trainer.own ? trainer : null,
  ).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    addWrong(wrong, { dataset: error.ahead });
    return null;
  });
  if (read?.settings.seed !== undefined) {
    const own = { settings: read.settings, arguments: read.arguments };
    const epochs = await epochsForSteps(fields, trainer, own, dataset?.images ?? null).catch(take);
    if (epochs) read.settings.max_train_epochs = epochs;
  }
  if (wrong.words.length > 0 || !read) {
    throw new Problem('bad_fields', wrong.words.join(' '), { fields: wrong.fields });
  }
  return {
    loraName,
    trainer: trainer.id,
    ...read,
    where,
    dataset,
    description,
    notes: fields.notes === undefined ? null : textOf(fields.notes).replaceAll('\r\n', '\n'),
    formId: textOf(fields.form_id) || null,
  };
}

/** What of a draft may be changed, and of nothing that was started. */
export const DRAFT_FIELDS: readonly string[] = [
  ...SETTING_NAMES,
  'max_train_steps',
  'trainer',
  'dataset',
  'arguments',
  'start',
  'queue',
];

/** What a request may name, beside the trainer's flags in `arguments`. */
export const FIELDS: readonly string[] = [
  ...DRAFT_FIELDS,
  'form_id',
  'description',
  'notes',
  'page',
  'shown',
  'template',
  'kept_as',
  'kept_version',
];

/** One sentence for each name that would have no effect: a slip, or a flag in the wrong place. */
function unknownFields(fields: Record<string, unknown>, trainer: Trainer): Record<string, string> {
  const flags = new Set(trainer.furtherArguments(trainer.basics ?? []).map(({ name }) => name));
  const wrong = unknownNames(fields, FIELDS);
  for (const name of Object.keys(wrong)) {
    if (flags.has(name)) wrong[name] = `“${name}” is a flag of the trainer: give it inside arguments.`;
  }
  return wrong;
}

/** Throws a Problem for the field `lora_name`, before anything is made. */
function checkLoraName(loraName: string): void {
  folderName(loraName);
  if (INVISIBLE.test(loraName.trim())) {
    const message = 'The name has an invisible character in it, such as a line break. Type it again.';
    throw new Problem('bad_name', message, { field: 'lora_name' });
  }
  if (loraName.trim().length > 200) {
    throw new Problem('bad_name', 'The name is longer than 200 characters.', { field: 'lora_name' });
  }
}

/** @param trainer the trainer to start; null for a draft */
async function readChosenDataset(
  settings: Settings,
  name: string,
  trainer: Trainer | null,
): Promise<NewSession['dataset']> {
  if (!name) {
    if (!trainer) return null;
    throw new Problem('missing_dataset', 'Choose a dataset, or upload pictures to make one.', { field: 'dataset' });
  }
  const detail = await readDataset(settings.datasets, name, trainer ? BEFORE_A_START : undefined);
  const { errors } = checkDataset(detail);
  if (trainer && errors.length > 0) throw new Problem('bad_dataset', errors.join(' '), { field: 'dataset' });
  const pictures = detail.files.map(({ file }) => file);
  if (trainer) await requirePackage(trainer, pictures, settings.python);
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Should the session be started, too? */
export function isStart({ start }: Record<string, unknown>): boolean {
  return start === true || start === 'true';
}

/** May a start wait in the queue, when its GPU is in use? */
export function mayQueue({ queue }: Record<string, unknown>): boolean {
  return queue === true || queue === 'true';
}

/** A session's settings as the form's fields. */
export function valuesOf(facts: SessionFacts): Record<string, unknown> {
  const { lora_name, trainer, description, settings, dataset_path } = facts;
  return {
    ...settings,
    lora_name,
    trainer: trainer ?? 'unknown',
    description,
    ...(dataset_path ? { dataset: basename(dataset_path) } : {}),
  };
}
