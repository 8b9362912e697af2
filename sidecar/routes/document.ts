import type { Context } from 'hono';
import { Problem } from '../problem.js';
import { refuseSecretsIn } from '../security/refuseSecrets.js';
import { parseDocument } from '../sessions/exchange/parseDocument.js';
import { wellFormed } from './respond.js';

/** A file of a person's: its JSON object, as text too, and its name where the form tells it. */
export type Document = { value: Record<string, unknown>; text: string; file: string | null };

/**
 * Reads a JSON file that was sent as it is, or as the field `file` of a form. Throws a Problem for one that is no JSON
 * object, that holds a secret, or that could not be written again as it was.
 */
export async function readDocument(c: Context): Promise<Document> {
  const { text, file } = await readSent(c);
  const document = parseDocument(text, 'file');
  await refuseSecretsIn(document);
  return { value: document, text, file };
}

async function readSent(c: Context): Promise<{ text: string; file: string | null }> {
  const type = c.req.header('content-type') ?? '';
  if (!type.includes('multipart')) return { text: await c.req.text(), file: null };
  const sent = (await wellFormed(c, c.req.formData())).get('file');
  if (sent instanceof File && sent.size > 0) return { text: await sent.text(), file: sent.name };
  throw new Problem('bad_document', 'Choose a file first.', { field: 'file' });
}
