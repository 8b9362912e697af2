import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import type { TrainingSettings } from '../../trainers/setting.js';
import { folderName, makeVersionFolder } from '../names.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import { SETTING_NAMES } from '../record/uiState.js';
import type { Session } from '../status/session.js';
import type { UnderWay } from '../underWay.js';

export const SCHEMA_VERSION = 1;

/** A new session as it was asked for, checked. */
export type NewSession = {
  loraName: string;
  trainer: string;
  settings: TrainingSettings;
  arguments: Record<string, ArgumentValue>;
  dataset: { path: string; images: number; captions: number; fingerprint: string } | null;
  description: string;
  /** Null leaves them as they are. */
  notes: string | null;
  /** The form that asked for it, so that a double click makes one session. */
  formId: string | null;
  /** Keys that the caller wrote and that are none of ours: kept. */
  unknown: Record<string, unknown>;
};

/**
 * Makes a session: its folder and its `ui_state.json`, a draft that nothing was started in yet. A LoRA's name that
 * exists becomes its next version. The same form sent twice gives the same session. Throws a Problem for a bad name.
 */
export async function createSession(
  { outputs, underWay }: { outputs: Outputs; underWay: UnderWay },
  asked: NewSession,
): Promise<{ session: Session; existed: boolean }> {
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
  const { name, version } = await makeVersionFolder(outputs.root, asked.loraName);
  await updateStateFile(join(outputs.root, name), (raw) => {
    Object.assign(raw, asked.unknown, { lora_name: asked.loraName.trim() });
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
  return name;
}

/** What a form of settings says, into a state file. */
export function putSettings(raw: Record<string, unknown>, asked: NewSession): void {
  const { dataset, settings, trainer, description, notes } = asked;
  const known = settings as Record<string, unknown>;
  for (const key of SETTING_NAMES) if (key in known) raw[key] = known[key];
  Object.assign(raw, { trainer, description, arguments: asked.arguments });
  if (notes !== null) raw.notes = notes;
  raw.dataset = dataset && { ...dataset, repeats: settings.num_repeats };
}

/** A form that was sent before this start of the sidecar, too. Only the newest sessions can be its twin. */
async function findByForm(outputs: Outputs, formId: string): Promise<string | null> {
  const recent = (await outputs.list()).slice(0, 20);
  for (const { name } of recent) {
    const text = await readFile(join(outputs.root, name, 'ui_state.json'), 'utf8').catch(() => '');
    if (text.includes(JSON.stringify(formId))) return name;
  }
  return null;
}

/** Throws the Problem for the field `lora_name` that creating would throw, before anything is made. */
export function checkLoraName(loraName: string): void {
  folderName(loraName);
  if (/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u.test(loraName.trim())) {
    const message =
      'The name holds a character that cannot be seen, as a line break or a change of direction. Type it anew.';
    throw new Problem('bad_name', message, { field: 'lora_name' });
  }
  if (loraName.trim().length > 200) {
    throw new Problem('bad_name', 'The name is longer than 200 characters.', { field: 'lora_name' });
  }
}
