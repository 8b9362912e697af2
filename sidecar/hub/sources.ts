import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { projectRoot } from '../bridge.js';
import { requireAnswer } from '../files/answers.js';
import { FileRefused, readText } from '../files/regularFile.js';
import { type ModelRole, modelRoles } from '../models/roles.js';
import { hubFile } from './hub.js';

/** Folders in the models folder, named as FluxGym and ComfyUI do. */
export const modelKinds = ['unet', 'checkpoints', 'clip', 'vae'] as const;

const entry = z
  .strictObject({
    label: z.string().min(1).max(100),
    /** The `base_model` of a session; null if all share it. */
    base_model: z.string().nullable().default(null),
    folder: z.enum(modelKinds),
    repo: z.string(),
    /** Path inside the repository. */
    file: z.string().regex(/\.(safetensors|sft)$/, 'only .safetensors files can be loaded'),
    revision: z.string().min(1).default('main'),
    /** Its download needs a token, and a licence accepted on its page. */
    gated: z.boolean().default(false),
    /** Approximate; the hub gives the exact size before a download. */
    bytes: z.int().positive().nullable().default(null),
  })
  .transform(({ repo, file, revision, base_model: baseModel, ...rest }, context) => {
    try {
      return { ...rest, ...hubFile(repo, file, revision), baseModel };
    } catch (error) {
      context.addIssue((error as Error).message);
      return z.NEVER;
    }
  });

/** A model on the hub that people can choose. */
export type HubSource = z.infer<typeof entry> & { role: ModelRole };

/** `wrong`: unusable entries of the user's file, in words. */
export type HubSources = { sources: readonly HubSource[]; wrong: readonly string[] };

const OWN = 'sources.toml';
/** Bytes. An entry has some 200. */
const LARGEST = 500_000;

/** The sources that come with Trackside. The first of a role is the default. */
export const shippedSources = shipped();

function shipped(): readonly HubSource[] {
  const { sources, wrong } = readEntries(readFileSync(join(projectRoot, 'sidecar/hub', OWN), 'utf8'));
  if (wrong.length > 0) throw new Error(wrong.join(' '));
  return sources;
}

/** Reads the sources that come with Trackside, then those of `sources.toml` in the models folder. Never throws. */
export async function readSources(models: string): Promise<HubSources> {
  try {
    await requireAnswer(models);
    const { sources, wrong } = readEntries(await readText(join(models, OWN), LARGEST));
    return { sources: [...shippedSources, ...sources], wrong };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = error instanceof FileRefused ? `it ${error.words}` : (code ?? message.split('\n')[0]);
    const wrong = code === 'ENOENT' ? [] : [`${OWN} can't be read: ${why}.`];
    return { sources: shippedSources, wrong };
  }
}

/**
 * Chooses the source of a role; `baseModel` decides between several main models. Null without a known source: the page then
 * asks for a repository and a file.
 */
export function hubSource(
  sources: readonly HubSource[],
  role: ModelRole,
  baseModel: string | null = null,
): HubSource | null {
  const all = sources.filter((source) => source.role === role);
  return all.find((source) => source.baseModel === baseModel && baseModel !== null) ?? all[0] ?? null;
}

/** Skips wrong entries. Throws an Error for invalid TOML. */
function readEntries(text: string): HubSources {
  const sources: HubSource[] = [];
  const wrong: string[] = [];
  for (const [name, entries] of Object.entries(parse(text))) {
    const role = modelRoles.find((each) => each === name);
    if (!role) wrong.push(`${OWN}: “${name}” is not a kind of model. The kinds are ${modelRoles.join(', ')}.`);
    else if (!Array.isArray(entries)) wrong.push(`${OWN}: ${name} must be a list of entries in [ ].`);
    else
      for (const [index, each] of entries.entries()) {
        const { data, error } = entry.safeParse(each);
        if (data) sources.push({ ...data, role });
        else wrong.push(`${OWN}: entry ${index + 1} of ${name} is ignored: ${inWords(error.issues[0])}.`);
      }
  }
  return { sources, wrong };
}

function inWords(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'it can’t be read';
  const message = issue.message.replace(/\.$/, '');
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${message}` : message;
}
