import { atOnce, inTurns } from '../files/inTurns.js';
import { Problem } from '../problem.js';
import { holdsSecret } from './redact.js';

/** Throws a Problem that names a field with a secret in it. */
export function refuseSecrets(fields: Record<string, unknown>): void {
  refuse(atOnce(fieldWithSecret(fields, '')));
}

/** The same for a large file, which holds nobody up. */
export async function refuseSecretsIn(document: Record<string, unknown>): Promise<void> {
  refuse(await inTurns(fieldWithSecret(document, '')));
}

function refuse(field: string | null): void {
  if (field === null) return;
  const message = `${field} contains a token, a password, or something that looks like one, which would be saved in files for everybody to see. Save tokens on the Secrets page instead: the trainer gets them from there. The value is not shown again.`;
  throw new Problem('secret_here', message, { field, about: 'secrets' });
}

/** The field, such as "arguments.log_prefix"; null without a secret. Names of fields count too. */
function* fieldWithSecret(value: unknown, name: string): Generator<void, string | null> {
  if (typeof value === 'string' || typeof value === 'number') return holdsSecret(String(value)) ? name : null;
  if (value === null || typeof value !== 'object') return null;
  for (const [key, inner] of Object.entries(value)) {
    if (holdsSecret(key)) return name || 'A name';
    yield;
    const found = yield* fieldWithSecret(inner, name ? `${name}.${key}` : key);
    if (found !== null) return found;
  }
  return null;
}
