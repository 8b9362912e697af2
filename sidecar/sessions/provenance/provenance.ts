import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../../caught.js';
import { jsonOrNull, scanJson } from '../../files/exactJson.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';

/** Beside `ui_state.json`: what the session's files were made from. */
export const PROVENANCE_FILE = 'provenance.json';
/** Bytes, and levels. Ten thousand captions are some megabytes. */
const LARGEST = 16 * 1024 * 1024;
const DEEPEST = 20;

const text = z.string().nullable().default(null).catch(null);
const count = z.number().nullable().default(null).catch(null);
/** Mean, median, 95th percentile and maximum of a number; null without any. */
const spread = z.object({ mean: z.number(), median: z.number(), p95: z.number(), max: z.number() }).nullable();
/** How many have it, the most frequent first: "1024x768", or a part of captions between commas. */
const counts = z.record(z.string(), z.number());

export const difference = z.object({ what: z.string(), was: z.string(), now: z.string() });

/** One line of what differs, in words for people. */
export type Difference = z.infer<typeof difference>;

const file = z.object({
  file: z.string(),
  bytes: z.number(),
  width: count,
  height: count,
  /** SHA-256; null until it is known. */
  sha256: text,
  caption: text,
});

const model = z.object({ flag: z.string(), path: z.string(), bytes: count, modified_at: text, sha256: text });

/** What a methods section needs of a training. Null is unknown, or not known yet. */
export const provenance = z.object({
  schema_version: z.literal(1),
  trackside: z.string(),
  attempt: z.object({ number: z.number(), kind: z.string(), id: z.string() }),
  recorded_at: z.string(),
  /** When what takes long was filled in: hashes, packages, uncommitted changes. */
  completed_at: text,
  command: z.object({ argv: z.array(z.string()), cwd: z.string(), environment: z.record(z.string(), z.string()) }),
  seed: count,
  /** `sha256`: of the script, where that is a file. */
  trainer: z.object({ id: z.string(), script: text, folder: text, commit: text, uncommitted: text, sha256: text }),
  environment: z.record(z.string(), z.string().nullable()),
  packages: z.array(z.string()).nullable(),
  dataset: z
    .object({
      name: z.string(),
      path: z.string(),
      fingerprint: z.string(),
      repeats: count,
      files: z.array(file),
      pictures: z.object({ count: z.number(), bytes: z.number(), sizes: counts, width: spread, height: spread }),
      text: z.object({
        captions: z.number(),
        without: z.number(),
        characters: spread,
        /** As `tokenizer` counts them. Without one: words, digits and signs, of which CLIP makes as many tokens, or more. */
        tokens: spread,
        tokenizer: z.string().optional(),
        tags: counts,
      }),
    })
    .nullable(),
  models: z.array(model),
  /** What differed when it was resumed, attempt by attempt. */
  resumed: z.array(z.object({ attempt: z.number(), at: z.string(), differs: z.array(difference) })).default([]),
});

export type Provenance = z.infer<typeof provenance>;
export type ModelRecord = z.infer<typeof model>;

/** Null without a readable one. */
export async function readProvenance(folder: string): Promise<Provenance | null> {
  const content = await readText(join(folder, PROVENANCE_FILE), LARGEST, 'refused').catch(ifUnreadable('', 'sessions'));
  if (scanJson(content).depth > DEEPEST) return null;
  return provenance.safeParse(jsonOrNull(content)).data ?? null;
}

export function writeProvenance(folder: string, record: Provenance): Promise<void> {
  return writeWhole(join(folder, PROVENANCE_FILE), `${JSON.stringify(record, null, 1)}\n`);
}
