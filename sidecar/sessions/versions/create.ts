import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Beginning } from '../attempt/begin.js';
import { startOrQueue } from '../attempt/startOrQueue.js';
import { makeVersionFolder } from '../names.js';
import type { Outputs } from '../outputs/outputs.js';
import { LARGEST_RECORD } from '../record/copies.js';
import { updateStateFile } from '../record/stateFile.js';
import { SETTING_NAMES } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import { isStart, mayQueue, type NewSession, readNewSession } from './asked.js';
import { CLUSTER_FIELDS, type Where } from './clusterFields.js';
import { withConfig } from './configDraft.js';

export const SCHEMA_VERSION = 1;

/** `existed`: the same form was sent before. `refused`: why the requested start did not happen. */
export type Created = { session: Session; existed: boolean; refused: Problem | null };

/**
 * Makes a session from a form or a JSON body, perhaps with a configuration file in it, and starts it on request. An existing LoRA's name becomes its next
 * version. The same form sent twice gives the same session. Throws a Problem as `readNewSession` does, before anything
 * is made. A failed start leaves a draft with the settings.
 */
export async function createSession(trackside: Beginning, sent: Record<string, unknown>): Promise<Created> {
  const fields = await withConfig(trackside, sent);
  const start = isStart(fields);
  const asked = await readNewSession(trackside, fields, start);
  const { session, existed } = await makeOnce(trackside, asked);
  if (existed || !start) return { session, existed, refused: null };
  try {
    const begun = await startOrQueue(trackside, session.name, { kind: 'start' }, mayQueue(fields));
    return { session: begun, existed, refused: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const more = { kept: 'Its settings are kept in a draft.', about: { session: session.name } };
    return { session, existed, refused: new Problem(error.code, error.ahead, more) };
  }
}

/** Makes a draft: its folder and its `ui_state.json`. */
async function makeOnce({ outputs, underWay }: Beginning, asked: NewSession): Promise<Omit<Created, 'refused'>> {
  const { formId } = asked;
  if (!formId) return { session: await outputs.read(await make(outputs, asked)), existed: false };
  const twin = underWay.forms.get(formId);
  if (twin) return { session: await outputs.read(await twin), existed: true };
  let existed = false;
  const making = findByForm(outputs, formId).then((earlier) => {
    existed = earlier !== null;
    return earlier ?? make(outputs, asked);
  });
  underWay.forms.set(formId, making);
  try {
    return { session: await outputs.read(await making), existed };
  } finally {
    underWay.forms.delete(formId);
  }
}

async function make(outputs: Outputs, asked: NewSession): Promise<string> {
  outputs.requireRoot();
  const { name, version } = await makeVersionFolder(outputs.root, asked.loraName);
  await updateStateFile(join(outputs.root, name), (raw) => {
    raw.lora_name = asked.loraName.trim();
    putSettings(raw, asked);
    raw.resume_from_checkpoint = '';
    raw.status = 'draft';
    raw.schema_version = SCHEMA_VERSION;
    raw.version = version;
    raw.notes ??= '';
    raw.created_at = new Date().toISOString();
    if (asked.formId) raw.form_id = asked.formId;
    raw.attempts = [];
    raw.outputs = { final_checkpoint: null };
  });
  log.info('sessions', 'Created.', { session: name, trainer: asked.trainer });
  return name;
}

/** Puts the settings of a form into a state file. */
export function putSettings(raw: Record<string, unknown>, asked: NewSession): void {
  const { dataset, settings, trainer, description, notes } = asked;
  const known = settings as Record<string, unknown>;
  for (const key of SETTING_NAMES) if (key in known) raw[key] = known[key];
  Object.assign(raw, { trainer, description, arguments: asked.arguments }, whereOf(asked.where));
  if (notes !== null) raw.notes = notes;
  raw.dataset = dataset && { ...dataset, repeats: settings.num_repeats };
}

/** What is asked of a cluster is kept while a draft is for this machine. */
export function whereOf({ launcher, ...cluster }: Where): Record<string, unknown> {
  if (launcher === undefined) return {};
  const fields = CLUSTER_FIELDS.map((name) => [name, cluster[name]]);
  return { launcher, ...(launcher === 'slurm' ? Object.fromEntries(fields) : {}) };
}

/** Finds the session of a form, even from before this start of the sidecar, among the newest sessions. */
async function findByForm(outputs: Outputs, formId: string): Promise<string | null> {
  const recent = (await outputs.list()).slice(0, 20);
  for (const { name } of recent) {
    const text = await readText(join(outputs.root, name, 'ui_state.json'), LARGEST_RECORD).catch(
      ifUnreadable('', 'sessions'),
    );
    if (text.includes(JSON.stringify(formId))) return name;
  }
  return null;
}
