import { basename } from 'node:path';
import { checkDataset } from '../datasets/check.js';
import { fingerprintDataset } from '../datasets/fingerprint.js';
import { readDataset } from '../datasets/read.js';
import { Problem } from '../problem.js';
import { beginAttempt } from '../sessions/attempt/begin.js';
import { checkLoraName, type NewSession } from '../sessions/create.js';
import { editDraft, LONGEST_DESCRIPTION } from '../sessions/edit.js';
import type { SessionFacts } from '../sessions/facts.js';
import { requirePackage } from '../sessions/preflight/requirePackage.js';
import { SETTING_NAMES } from '../sessions/record/uiState.js';
import type { Session } from '../sessions/status/session.js';
import type { Trackside } from '../trackside.js';
import { findTrainer } from '../trainers/catalogue.js';
import type { Trainer } from '../trainers/trainer.js';
import { readTrainerFields } from './trainerFields.js';

/**
 * What a form or a JSON body asks for, checked all at once, so that one answer names everything that is wrong. Throws a
 * Problem, 422, with a sentence for each field.
 *
 * @param start a draft may do without pictures; a start may not
 */
export async function readNewSession(
  trackside: Trackside,
  fields: Record<string, unknown>,
  start: boolean,
): Promise<NewSession> {
  const trainer = findTrainer(trackside.settings, textOf(fields.trainer) || 'practice');
  const wrong: Record<string, string> = {};
  const loraName = textOf(fields.lora_name);
  const take = (error: unknown): null => {
    if (!(error instanceof Problem)) throw error;
    Object.assign(wrong, error.fields ?? { [error.field ?? 'form']: error.message });
    return null;
  };
  try {
    checkLoraName(loraName);
  } catch (error) {
    take(error);
  }
  const description = textOf(fields.description);
  if (description.length > LONGEST_DESCRIPTION) wrong.description = 'The description is longer than 2,000 characters.';
  const read = await readTrainerFields(trackside, trainer, fields, start).catch(take);
  const dataset = await readChosenDataset(trackside, textOf(fields.dataset), start ? trainer : null).catch(
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      wrong.dataset = error.message.replace(/ Nothing was started\.$/, '');
      return null;
    },
  );
  if (Object.keys(wrong).length > 0 || !read) {
    throw new Problem('bad_fields', 422, `${Object.values(wrong).join(' ')} Nothing was started.`, { fields: wrong });
  }
  const ours = new Set<string>([
    ...SETTING_NAMES,
    'trainer',
    'dataset',
    'arguments',
    'start',
    'form_id',
    'description',
    'notes',
    'page',
    'shown',
  ]);
  return {
    loraName,
    trainer: trainer.id,
    ...read,
    dataset,
    description,
    notes: fields.notes === undefined ? null : textOf(fields.notes).replaceAll('\r\n', '\n'),
    formId: textOf(fields.form_id) || null,
    unknown: Object.fromEntries(Object.entries(fields).filter(([key]) => !ours.has(key))),
  };
}

/**
 * Changes a draft, and starts it where that was asked for. What is not sent stays as it is: pictures that are gone by now,
 * too, as long as nothing is started. Throws a Problem as `readNewSession` and `beginAttempt` do.
 */
export async function changeDraft(
  trackside: Trackside,
  name: string,
  fields: Record<string, unknown>,
): Promise<Session> {
  const { outputs } = trackside;
  const before = valuesOf((await outputs.read(name)).facts);
  const start = isStart(fields);
  if (!start) delete before.dataset;
  const asked = await readNewSession(trackside, { ...before, ...fields }, start);
  const dataset = fields.dataset ? asked.dataset : undefined;
  const edited = await editDraft(outputs, name, { ...asked, dataset });
  return start ? beginAttempt(trackside, name, { kind: 'start' }) : edited;
}

export function isStart({ start }: Record<string, unknown>): boolean {
  return start === true || start === 'true';
}

/** A session's settings as the form's fields. */
export function valuesOf(facts: SessionFacts): Record<string, unknown> {
  const { lora_name, trainer, description, settings, dataset_path } = facts;
  return { ...settings, lora_name, trainer, description, ...(dataset_path ? { dataset: basename(dataset_path) } : {}) };
}

/** @param trainer what is to be started on it; null where nothing is */
async function readChosenDataset(
  { settings }: Trackside,
  name: string,
  trainer: Trainer | null,
): Promise<NewSession['dataset']> {
  if (!name) {
    if (!trainer) return null;
    throw new Problem('no_dataset', 422, 'Choose a dataset, or upload pictures to make one.', { field: 'dataset' });
  }
  const detail = await readDataset(settings.datasets, name);
  const { errors } = checkDataset(detail);
  if (trainer && errors.length > 0) throw new Problem('bad_dataset', 422, errors.join(' '), { field: 'dataset' });
  const pictures = detail.files.map(({ file }) => file);
  if (trainer) await requirePackage(trainer, pictures, settings.python);
  const { path, images, captions } = detail;
  return { path, images, captions, fingerprint: fingerprintDataset(detail) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
