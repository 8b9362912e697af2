import { readFileSync, statSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ended, ifUnreadable, logged } from '../caught.js';
import { writeWhole } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { SHORTEST_SECRET, secretVariables } from './secretVariables.js';

/** What may be kept here, by the environment variable in which the trainer looks for it. */
export const SECRET_NAMES = ['HF_TOKEN', 'WANDB_API_KEY'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** All that is ever told about a secret. `environment` wins over `kept`; `set_at` is null where it was not set here. */
export type SecretFacts = { name: SecretName; from: 'environment' | 'kept' | null; set_at: string | null };

export type Secrets = {
  get(name: SecretName): string | null;
  /** Null forgets it. Throws a Problem for what can be no token. */
  set(name: SecretName, value: string | null): Promise<void>;
  facts(): SecretFacts[];
  /** Every value that has to be masked: kept ones, those of our environment, what was taught, and what was forgotten since the start. */
  all(): readonly string[];
  /** One more value to mask: a login token that was made. */
  teach(value: string): void;
  /** What a trainer is given beside our own environment. */
  environment(): Record<string, string>;
};

/**
 * Tokens of other services, which a person sets once and nobody sees again. They are kept in `secrets.json`, mode 0600,
 * in a folder that only its owner may enter; an environment variable of the same name wins.
 */
export function openSecrets(options: { folder: string; environment: NodeJS.ProcessEnv }): Secrets {
  const { folder, environment } = options;
  const path = join(folder, 'secrets.json');
  const further = new Set(secretVariables(environment));
  let kept: Kept = {};
  let signature = '';
  let values: readonly string[] = [];

  /** Another Trackside of the same person may have written it; looking costs microseconds. */
  function read(): Kept {
    const now = signatureOf(path);
    if (now === signature) return kept;
    signature = now;
    kept = readKept(path);
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
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeWhole(path, `${JSON.stringify(changed, null, 2)}\n`, 0o600);
    // Made by somebody else with a wider mode, perhaps.
    await chmod(folder, 0o700).catch(logged('security', 'The private folder could not be closed to others.'));
    read();
  }

  let writing = Promise.resolve();
  collect();
  return {
    get: (name) => environment[name] || read()[name]?.value || null,
    async set(name, value) {
      const entry = value === null ? undefined : { value: checked(name, value), set_at: new Date().toISOString() };
      writing = ended(writing).then(() => write({ ...read(), [name]: entry }));
      await writing;
    },
    facts: () =>
      SECRET_NAMES.map((name) => {
        if (environment[name]) return { name, from: 'environment', set_at: null };
        const entry = read()[name];
        return { name, from: entry ? 'kept' : null, set_at: entry?.set_at ?? null };
      }),
    all() {
      read();
      return values;
    },
    teach(value) {
      further.add(value);
      collect();
    },
    environment() {
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

/** A file that can't be read holds no secrets: then they are set anew, on the page. */
function readKept(path: string): Kept {
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    return ifUnreadable({}, 'security')(error);
  }
}

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
          : 'holds spaces or characters that no token has';
  if (wrong)
    throw new Problem('bad_secret', `What was given for ${name} ${wrong}.`, {
      field: 'value',
    });
  return value;
}
