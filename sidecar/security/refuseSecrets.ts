import { Problem } from '../problem.js';
import { holdsSecret } from './redact.js';

/** Throws a Problem that names the field in which something stands that would be masked. */
export function refuseSecrets(fields: Record<string, unknown>): void {
  const field = fieldWithSecret(fields, '');
  if (field === null) return;
  const message = `${field} holds a token, a password, or something that looks like one. It would stand in files and in the list of processes. Put tokens on the page “Secrets”: a trainer finds them in its environment. It is not shown again.`;
  throw new Problem('secret_here', message, { field, about: 'secrets' });
}

/** "arguments.log_prefix"; null where none does. What a field is called counts, too. */
function fieldWithSecret(value: unknown, name: string): string | null {
  if (typeof value === 'string' || typeof value === 'number') return holdsSecret(String(value)) ? name : null;
  if (value === null || typeof value !== 'object') return null;
  for (const [key, inner] of Object.entries(value)) {
    if (holdsSecret(key)) return name || 'A name';
    const found = fieldWithSecret(inner, name ? `${name}.${key}` : key);
    if (found !== null) return found;
  }
  return null;
}
