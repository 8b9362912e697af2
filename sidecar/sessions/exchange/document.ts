import { z } from 'zod';
import { whyNoFlag } from '../../trainers/flagPolicy.js';
import { provenance } from '../provenance/provenance.js';
import { SETTING_NAMES } from '../record/uiState.js';

/** Texts and lists that a person may have written, bounded. */
const words = z.string().max(100_000);
const short = z.string().max(2000);
const count = z.number().nullable().default(null);
const maybe = short.nullable().default(null);
const value = z.union([z.string().max(100_000), z.number(), z.boolean(), z.null(), z.array(short).max(1000)]);
const values = z.record(z.string().max(100), value);

const picture = z.object({
  file: short,
  bytes: z.number(),
  width: count,
  height: count,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
});
const spread = z
  .object({ mean: z.number(), median: z.number(), p95: z.number(), max: z.number() })
  .nullable()
  .default(null);

const attempt = z.object({
  number: z.number(),
  kind: short,
  started_at: short,
  ended_at: maybe,
  exit_code: count,
  signal: maybe,
  reason: words.nullable().default(null),
  first_epoch: count,
  step_offset: count,
  /** With `$MODELS` and the like in place of folders. */
  command: z.array(words).max(2000),
});

/**
 * `training_metadata_<time>.json`: a session as one file, for people, for other tools and for another pod. What is not
 * named here is not taken. Null is unknown.
 */
export const metadata = z.object({
  training_session: z.object({
    id: short,
    name: short,
    lora_name: short,
    version: z.number(),
    description: words,
    notes: words,
    tags: z.array(short).max(100),
    trigger_word: words,
    created_at: short,
  }),
  dataset_config: z.object({
    name: maybe,
    images: count,
    captions: count,
    repeats: count,
    resolution: count,
    fingerprint: maybe,
    bytes: count,
    sizes: z.record(short, z.number()).default({}),
    width: spread,
    height: spread,
    files: z.array(picture).max(50_000).default([]),
  }),
  text_analysis: z.object({
    captions: count,
    without: count,
    characters: spread,
    tokens: spread,
    /** Absent: words and signs were counted, of which a tokenizer makes as many, or more. */
    tokenizer: short.optional(),
    tags: z.record(words, z.number()).default({}),
  }),
  model_config: z.object({
    trainer: maybe,
    base_model: maybe,
    network_dim: count,
    learning_rate: maybe,
    seed: count,
    parameters: values,
    files: z
      .array(z.object({ flag: short, name: short, bytes: count, sha256: maybe }))
      .max(50)
      .default([]),
  }),
  execution_status: z.object({
    status: z.enum(['pending', 'running', 'completed', 'failed']),
    started_at: maybe,
    completed_at: maybe,
    error_message: words.nullable().default(null),
    steps: count,
    duration_seconds: count,
    final_loss: count,
    best_loss: count,
    best_step: count,
  }),
  output_paths: z.object({
    folder: short,
    final_checkpoint: maybe,
    checkpoints: z.array(short).max(10_000).default([]),
  }),
  trackside: z.object({
    schema_version: z.literal(1),
    /** Of Trackside that made it. */
    version: short,
    status: short,
    settings: values,
    arguments: values,
    attempts: z.array(attempt).max(10_000),
    provenance: provenance.nullable().default(null),
  }),
});

export type Metadata = z.infer<typeof metadata>;

/** The file, without settings that nobody knows, and without flags that Trackside sets itself or that hold secrets. */
export function textOf(document: Metadata): string {
  const { trackside, model_config } = document;
  const settings = only(trackside.settings, (name) => (SETTING_NAMES as readonly string[]).includes(name));
  const flags = only(trackside.arguments, (name) => whyNoFlag(name) === null);
  const parameters = only(model_config.parameters, (name) => whyNoFlag(name) === null);
  const clean = {
    ...document,
    model_config: { ...model_config, parameters },
    trackside: { ...trackside, settings, arguments: flags },
  };
  return `${JSON.stringify(clean, null, 2)}\n`;
}

function only<T>(values: Record<string, T>, wanted: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted(name)));
}
