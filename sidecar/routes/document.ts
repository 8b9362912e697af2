import type { Context } from 'hono';
import { jsonOrNull, scanJson } from '../files/exactJson.js';
import { Problem } from '../problem.js';
import { refuseSecretsIn } from '../security/refuseSecrets.js';
import { wellFormed } from './respond.js';

/** A file of a person's: its JSON object, as text too, and its name where the form tells it. */
export type Document = { value: Record<string, unknown>; text: string; file: string | null };

/** A record of ten thousand pictures has some hundred thousand. */
const MOST_VALUES = 400_000;
const DEEPEST = 32;

/**
 * Reads a JSON file that was sent as it is, or as the field `file` of a form. Throws a Problem for one that is no JSON
 * object, that holds a secret, or that could not be written again as it was.
 */
export async function readDocument(c: Context): Promise<Document> {
  const { text, file } = await readSent(c);
  const { number, depth, values } = scanJson(text);
  if (number) throw new Problem('large_number', `${number} and would be rounded. Nothing was imported.`);
  if (depth > DEEPEST || values > MOST_VALUES)
    throw new Problem('bad_document', 'The file is nested too deep, or holds too many values. Nothing was imported.');
  const value = jsonOrNull(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    const message = 'This is no JSON file with an object in it. Choose the file that Export downloaded.';
    throw new Problem('bad_document', message, { field: 'file' });
  }
  const document = value as Record<string, unknown>;
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
