import { basename } from 'node:path';
import { beginAttempt } from '../sessions/attempt/begin.js';
import type { SessionFacts } from '../sessions/facts.js';
import type { Session } from '../sessions/status/session.js';
import { readNewSession } from '../sessions/versions/asked.js';
import { editDraft } from '../sessions/versions/edit.js';
import type { Trackside } from '../trackside.js';

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
  return start ? (await beginAttempt(trackside, name, { kind: 'start' })).session : edited;
}

export function isStart({ start }: Record<string, unknown>): boolean {
  return start === true || start === 'true';
}

/** A session's settings as the form's fields. */
export function valuesOf(facts: SessionFacts): Record<string, unknown> {
  const { lora_name, trainer, description, settings, dataset_path } = facts;
  return { ...settings, lora_name, trainer, description, ...(dataset_path ? { dataset: basename(dataset_path) } : {}) };
}
