import { statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ended, logged } from '../caught.js';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { Problem } from '../problem.js';
import { SHORTEST_SECRET, secretVariables } from './secretVariables.js';

/** The secrets kept here, named by the trainer's environment variables. */
export const SECRET_NAMES = ['HF_TOKEN', 'WANDB_API_KEY'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** Everything that is ever shown of a secret. `environment` wins over `kept`; `set_at` is null if it was not set here. */
export const secretFacts = z.object({
  name: z.enum(SECRET_NAMES),
  from: z.enum(['environment', 'kept']).nullable(),
  set_at: z.string().nullable(),
});
export type SecretFacts = z.infer<typeof secretFacts>;

export type Secrets = ReturnType<typeof openSecrets>;

/**
 * Keeps tokens of other services, which a person sets once and nobody sees again, in `secrets.json`, mode 0600, in a folder
 * that only its owner may enter. An environment variable of the same name wins.
 */
export function openSecrets(options: { folder: string; environment: NodeJS.ProcessEnv }) {
  const { folder, environment } = options;
  const path = join(folder, 'secrets.json');
  const further = new Set(secretVariables(environment));
  let kept: Kept = {};
  let signature = '';
  let values: readonly string[] = [];

  /** Checks for a change by another Trackside of the same person, which costs microseconds. */
  function read(): Kept {
    const now = signatureOf(path);
    if (now === signature) return kept;
    signature = now;
    // None of an unreadable file: people then set them again on the page.
    kept = readJsonNow<Kept>(path, LARGEST, file, {}, 'security');
    collect();
    return kept;
  }

  function collect(): void {
    for (const name of SECRET_NAMES) {
      for (const value of [environment[name], kept[name]?.value]) if (value) further.add(value);
    }
    values = [...further];
  }

  async function write(changed: Kept): Promise<void> {
    await writePrivate(path, `${JSON.stringify(changed, null, 2)}\n`);
    // The folder may be older and have a wider mode.
    await chmod(folder, 0o700).catch(logged('security', 'The private folder’s permissions could not be restricted.'));
    read();
  }

  let writing = Promise.resolve();
  collect();
  return {
    get: (name: SecretName): string | null => environment[name] || read()[name]?.value || null,
    /** Null forgets it. Throws a Problem for a value that can't be a token. */
    async set(name: SecretName, value: string | null) {
      const entry = value === null ? undefined : { value: checked(name, value), set_at: new Date().toISOString() };
      writing = ended(writing).then(() => write({ ...read(), [name]: entry }));
      await writing;
    },
    facts: () =>
      SECRET_NAMES.map((name): SecretFacts => {
        if (environment[name]) return { name, from: 'environment', set_at: null };
        const entry = read()[name];
        return { name, from: entry ? 'kept' : null, set_at: entry?.set_at ?? null };
      }),
    /** Every value to mask: kept, from our environment, taught, and forgotten since the start. */
    all() {
      read();
      return values;
    },
    /** Adds a value to mask: a login token. */
    teach(value: string) {
      further.add(value);
      collect();
    },
    /** The variables that a trainer gets in addition to our own environment. */
    environment(): Record<string, string> {
      const entries = Object.entries(read()).filter(([name]) => !environment[name]);
      return Object.fromEntries(entries.flatMap(([name, entry]) => (entry ? [[name, entry.value]] : [])));
    },
  };
}

const entry = z.object({ value: z.string().min(1), set_at: z.string().nullable().catch(null) });
const file = z.object({
  HF_TOKEN: entry.optional().catch(undefined),
  WANDB_API_KEY: entry.optional().catch(undefined),
});
type Kept = z.infer<typeof file>;

/** Bytes. */
const LARGEST = 10_000;

function signatureOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : 'none';
}

/** The message never repeats what was typed. */
function checked(name: SecretName, typed: string): string {
  const value = typed.trim();
  const wrong =
    value.length < SHORTEST_SECRET
      ? 'is too short for a token'
      : value.length > 500
        ? 'is too long for a token'
        : /^[\x21-\x7e]+$/.test(value)
          ? null
          : 'contains spaces or characters that no token has';
  if (wrong) throw new Problem('bad_secret', `The value for ${name} ${wrong}.`, { field: 'value' });
  return value;
}
