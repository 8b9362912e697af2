import { z } from 'zod';
import { refuseUnknown } from '../../nearestName.js';
import { Problem } from '../../problem.js';
import { findTrainer } from '../../trainers/catalogue.js';
import type { Beginning } from '../attempt/begin.js';
import { startOrQueue } from '../attempt/startOrQueue.js';
import type { Outputs } from '../outputs/outputs.js';
import { withSessionLock } from '../record/lock.js';
import { updateStateFile } from '../record/stateFile.js';
import { isChangeable } from '../status/queued.js';
import type { Session } from '../status/session.js';
import {
  DRAFT_FIELDS,
  FIELDS,
  isStart,
  LONGEST_DESCRIPTION,
  mayQueue,
  type NewSession,
  readNewSession,
  valuesOf,
} from './asked.js';
import { CLUSTER_FIELDS } from './clusterFields.js';
import { putSettings, whereOf } from './create.js';
import { checkMarks, MARKS, marks, putMarks } from './marks.js';
import { readWhere } from './where.js';

/** What may be changed of a session at any time. */
export const words = z.object({
  description: z.string('must be text').max(LONGEST_DESCRIPTION, 'is longer than 2,000 characters').optional(),
  notes: z.string('must be text').max(100_000, 'is longer than 100,000 characters').optional(),
  enable_monitoring: z.union([z.boolean(), z.stringbool()], 'must be on or off').optional(),
  retry_smaller: z.union([z.boolean(), z.stringbool()], 'must be on or off').optional(),
  exact_pause: z.union([z.boolean(), z.stringbool()], 'must be on or off').optional(),
  best_sample: z.string('must be text').max(255, 'is longer than 255 characters').optional(),
  ...marks,
});

/**
 * Changes a session: its description, notes, best sample, auto-resume, retry and where its next attempt runs at any time, everything else while it is a draft or waits for its first start. A draft
 * is started on request. Throws a Problem for settings of a session that was started, and for an invalid value.
 */
export async function changeSession(
  trackside: Beginning,
  name: string,
  fields: Record<string, unknown>,
): Promise<Session> {
  const isForDraft = changesDraft(fields) || changesWhere(fields);
  const isDraft = isForDraft && isChangeable((await trackside.outputs.read(name)).facts);
  return isDraft ? changeDraft(trackside, name, fields) : changeWords(trackside, name, fields);
}

/**
 * Changes a draft, and starts it on request. Fields that are not sent stay as they are; missing pictures matter only
 * for a start. Throws a Problem as `readNewSession` and `beginAttempt` do.
 */
export async function changeDraft(
  trackside: Beginning,
  name: string,
  fields: Record<string, unknown>,
): Promise<Session> {
  const before = valuesOf((await trackside.outputs.read(name)).facts);
  const start = isStart(fields);
  if (!start) delete before.dataset;
  if (fields.max_train_steps) delete before.max_train_epochs;
  const asked = await readNewSession(trackside, { ...before, ...fields }, start);
  const dataset = fields.dataset ? asked.dataset : undefined;
  const edited = await writeDraft(trackside.outputs, name, { ...asked, dataset });
  return start ? startOrQueue(trackside, name, { kind: 'start' }, mayQueue(fields)) : edited;
}

async function changeWords(
  { settings, outputs }: Beginning,
  name: string,
  change: Record<string, unknown>,
): Promise<Session> {
  const session = await outputs.read(name);
  refuseUnknown(change, [...FIELDS, 'best_sample', 'exact_pause', ...MARKS]);
  const { description, notes, best_sample, enable_monitoring, retry_smaller, exact_pause, ...marked } =
    readWords(change);
  if (changesDraft(change)) throw notADraft(name);
  // What its next attempt asks for: more time, another partition.
  const where = changesWhere(change)
    ? await readWhere(settings, findTrainer(settings, session.trainer), { ...valuesOf(session.facts), ...change })
    : {};
  const unmark = await checkMarks(outputs, session.facts, marked);
  await updateStateFile(session.folder, (raw) => {
    putMarks(raw, marked);
    Object.assign(raw, whereOf(where));
    for (const [name, is] of Object.entries({ enable_monitoring, retry_smaller, exact_pause }))
      if (is !== undefined) raw[name] = is;
    if (best_sample !== undefined) raw.best_sample = best_sample;
    if (description !== undefined) raw.description = description.replaceAll('\r\n', '\n');
    if (notes !== undefined) raw.notes = notes.replaceAll('\r\n', '\n');
  });
  await unmark();
  return outputs.read(name);
}

function readWords(change: Record<string, unknown>): z.infer<typeof words> {
  const parsed = words.safeParse(change);
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0]);
  throw new Problem('bad_text', `${field}: ${parsed.error.issues[0]?.message}.`, { field });
}

/** Does a change touch fields that only a draft may change? */
function changesDraft(change: Record<string, unknown>): boolean {
  const ofDraft = new Set(DRAFT_FIELDS);
  for (const name of ['enable_monitoring', 'retry_smaller', 'launcher', ...CLUSTER_FIELDS]) ofDraft.delete(name);
  return Object.keys(change).some((key) => ofDraft.has(key));
}

function changesWhere(change: Record<string, unknown>): boolean {
  return ['launcher', ...CLUSTER_FIELDS].some((name) => name in change);
}

/**
 * Rewrites a draft's settings. Its name can't change: the folder has it. Throws a Problem if it was started meanwhile.
 *
 * @param asked `dataset` undefined leaves the present one
 */
async function writeDraft(
  outputs: Outputs,
  name: string,
  asked: Omit<NewSession, 'dataset'> & { dataset: NewSession['dataset'] | undefined },
): Promise<Session> {
  const { folder, facts } = await outputs.read(name);
  if (asked.loraName !== facts.lora_name) {
    const message = "A draft can't be renamed: its folder is named after it. Duplicate it under another name instead.";
    throw new Problem('name_stays', message, { field: 'lora_name' });
  }
  await withSessionLock(folder, async () => {
    const now = await outputs.read(name);
    if (!isChangeable(now.facts)) throw notADraft(name);
    await updateStateFile(folder, (raw) => {
      const { dataset = raw.dataset as NewSession['dataset'] } = asked;
      putSettings(raw, { ...asked, dataset });
    });
  });
  return outputs.read(name);
}

function notADraft(name: string): Problem {
  const message = 'This training was started with these settings. Duplicate it to change them.';
  return new Problem('not_a_draft', message, { about: { newFrom: name } });
}
