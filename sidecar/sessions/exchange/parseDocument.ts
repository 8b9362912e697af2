import { isObject, jsonOrNull, scanJson } from '../../files/exactJson.js';
import { Problem } from '../../problem.js';

/** A record of ten thousand pictures has some hundred thousand. */
const MOST_VALUES = 400_000;
const DEEPEST = 32;

/**
 * Parses the text of a file that is to be imported. Throws a Problem for one that is no JSON object, that could not be written
 * again as it was, or that would hold everybody up.
 *
 * @param field of the form: how the file was named
 */
export function parseDocument(text: string, field: 'file' | 'found'): Record<string, unknown> {
  const { number, depth, values } = scanJson(text);
  if (number) throw new Problem('large_number', `${number} and would be rounded. Nothing was imported.`, { field });
  if (depth > DEEPEST || values > MOST_VALUES) {
    const message = 'The file is nested too deeply, or has too many values. Nothing was imported.';
    throw new Problem('bad_document', message, { field });
  }
  const value = jsonOrNull(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  if (isObject(value)) return value;
  const message = 'This is not a JSON file with an object in it. Choose the file that Export downloaded.';
  throw new Problem('bad_document', message, { field });
}
