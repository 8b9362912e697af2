import { join } from 'node:path';
import { z } from 'zod';
import { isObject } from '../../files/exactJson.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { SessionFacts } from '../facts.js';
import { freeName, makeVersionFolder, versionName, visible } from '../names.js';
import type { Lora } from '../outputs/loras.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import type { RawState } from '../record/uiState.js';
import { SCHEMA_VERSION } from './create.js';

/** The file that other tools keep of a LoRA's versions, in their names and their order. */
const number = z.union([z.number(), z.string().trim().min(1).max(40).pipe(z.coerce.number())]).nullish();
/** A word such as "AdamW8bit", "cosine" or "bf16": no path, no flag. */
const word = z
  .string()
  .max(60)
  .regex(/^[A-Za-z0-9][\w.+-]*$/)
  .nullish();
const words = z.string().max(2000).nullish();
const moment = z.union([z.string().max(60), z.number()]).nullish();

const parameters = z.object({
  network_dim: number,
  network_alpha: number,
  learning_rate: number,
  max_train_steps: number,
  lr_scheduler: word,
  lr_warmup_steps: number,
  optimizer_type: word,
  batch_size: number,
  num_repeats: number,
  gradient_dtype: word,
  save_every_n_steps: number,
  class_tokens: words,
});

const version = z.object({
  id: z.union([z.string().min(1).max(200), z.number()]),
  name: z.string().transform(visible).pipe(z.string().min(1).max(60)),
  timestamp: moment,
  parameters: parameters.default(parameters.parse({})),
  status: z.enum(['completed', 'training', 'pending', 'failed', 'draft']).catch('draft'),
  /** An address that is told again, and never followed. */
  loraUrl: z
    .string()
    .max(1000)
    .regex(/^(?:https?:\/\/[^\s@"'<>\\]+|(?!.*\.\.)[\w%-][\w./%-]*)$/)
    .nullish(),
  completedAt: moment,
  selectionSetId: z.union([z.string().max(200), z.number()]).nullish(),
  imageCount: number,
  description: words,
});

export type TrainingVersion = z.infer<typeof version>;

const MOST_VERSIONS = 1000;

/** The file of a LoRA, oldest version first. The same LoRA gives the same bytes. */
export function trainingVersions(lora: Lora): string {
  const versions = lora.versions.toReversed().map(exported);
  return `${JSON.stringify({ versions }, null, 2)}\n`;
}

function exported(facts: SessionFacts): TrainingVersion {
  const { imported, settings, progress, results, attempts, dataset_path, final_checkpoint: final } = facts;
  const kept = attempts.length === 0 ? version.safeParse(imported).data : undefined;
  const own = { name: versionName(facts), description: facts.description || null };
  if (kept) return { ...kept, ...own };
  const flags = (settings.arguments ?? {}) as Record<string, unknown>;
  const plain = (value: unknown) => (value === undefined || value === '' ? null : value);
  const amount = (value: unknown) => (plain(value) === null || Number.isNaN(Number(value)) ? null : Number(value));
  const text = (value: unknown) => (plain(value) === null ? null : String(value));
  return {
    id: facts.name,
    name: own.name,
    timestamp: facts.timestamp === null ? facts.created_at : new Date(facts.timestamp * 1000).toISOString(),
    parameters: {
      network_dim: amount(settings.network_dim),
      network_alpha: amount(flags.network_alpha),
      learning_rate: amount(settings.learning_rate),
      max_train_steps: progress.total_steps ?? results?.steps ?? null,
      lr_scheduler: text(flags.lr_scheduler),
      lr_warmup_steps: amount(flags.lr_warmup_steps),
      optimizer_type: text(flags.optimizer_type),
      batch_size: amount(flags.train_batch_size ?? 1),
      num_repeats: amount(settings.num_repeats),
      gradient_dtype: text(flags.mixed_precision),
      save_every_n_steps: amount(flags.save_every_n_steps),
      class_tokens: text(settings.concept_sentence),
    },
    status: statusWord(facts),
    loraUrl: final ? `sessions/${facts.name}/checkpoints/${final.split('/').at(-1)}` : null,
    completedAt: facts.completed_at,
    selectionSetId: dataset_path?.split('/').at(-1) ?? null,
    imageCount: facts.images,
    description: own.description,
  };
}

/** In the words of that file: a stopped training waits where it can be resumed. */
function statusWord({ status, resume }: SessionFacts): TrainingVersion['status'] {
  if (status === 'completed' || status === 'failed' || status === 'draft' || status === 'pending') return status;
  if (status === 'stopped') return resume ? 'pending' : 'failed';
  return 'training';
}

/** `skipped`: versions that are here already. `left_out`: values that have no place here, with their versions. */
export type ImportedVersions = { created: string[]; skipped: string[]; left_out: string[] };

/**
 * Makes a version of each in the file, as it is told there; those that are here already are skipped. Nothing of it is
 * started, and nothing but these values is taken: no path, no flag. Throws a Problem before anything is made.
 */
export async function importVersions(
  outputs: Outputs,
  loraName: string,
  lora: Lora | null,
  document: Record<string, unknown>,
): Promise<ImportedVersions> {
  const { found, left } = readVersions(document);
  outputs.requireRoot();
  const here = new Set(lora?.versions.flatMap(({ name, imported }) => [name, String(idOf(imported) ?? name)]));
  const names = new Set(lora?.versions.map((each) => versionName(each).toLowerCase()));
  const result: ImportedVersions = { created: [], skipped: [], left_out: left };
  const trainer = lora?.versions.find((each) => each.trainer)?.trainer ?? null;
  for (const each of found) {
    if (here.has(String(each.id))) {
      result.skipped.push(each.name);
      continue;
    }
    const { name, version: count } = await makeVersionFolder(outputs.root, lora?.name ?? loraName);
    const called = each.name === `V${count}` ? null : freeName(each.name, [...names]);
    await updateStateFile(join(outputs.root, name), (raw) => {
      Object.assign(raw, recordOf(each, lora?.name ?? loraName, count, called, trainer));
    });
    names.add((called ?? `V${count}`).toLowerCase());
    await outputs.read(name);
    result.created.push(name);
  }
  log.info('sessions', 'Versions were imported.', { lora: loraName, created: result.created.length });
  return result;
}

function readVersions(document: Record<string, unknown>): { found: TrainingVersion[]; left: string[] } {
  const all = document.versions;
  if (!Array.isArray(all) || all.length > MOST_VERSIONS) {
    const message = `The file has no list of versions, or one of more than ${MOST_VERSIONS}. Nothing was imported.`;
    throw new Problem('bad_document', message, { field: 'versions' });
  }
  const left: string[] = [];
  const found = all.map((each: unknown, at) => {
    const { value, dropped } = lenient(each);
    const parsed = version.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const message = `Version ${at + 1}: ${issue?.path.join('.') || 'it'} is not as expected. Nothing was imported.`;
      throw new Problem('bad_document', message, { field: 'versions' });
    }
    left.push(...dropped.map((key) => `${parsed.data.name}: ${key}`));
    return parsed.data;
  });
  return { found, left };
}

/** Without the values that have no place here, which are named. */
function lenient(each: unknown): { value: unknown; dropped: string[] } {
  if (each === null || typeof each !== 'object' || Array.isArray(each)) return { value: each, dropped: [] };
  const dropped: string[] = [];
  const keep = (shape: z.ZodObject, from: Record<string, unknown>, at: string, needed: readonly string[]) => {
    const entries = Object.entries(from).filter(([key, value]) => {
      const field = (shape.shape as Record<string, z.ZodType>)[key];
      const fits = field !== undefined && (needed.includes(key) || field.safeParse(value).success);
      if (!fits) dropped.push(`${at}${key.slice(0, 60)}`);
      return fits;
    });
    return Object.fromEntries(entries);
  };
  const value = keep(version, each as Record<string, unknown>, '', ['id', 'name', 'parameters']);
  const { parameters: given } = value;
  if (isObject(given)) value.parameters = keep(parameters, given, 'parameters.', []);
  else delete value.parameters;
  return { value, dropped };
}

function idOf(imported: unknown): unknown {
  return (imported as { id?: unknown } | null)?.id;
}

function recordOf(each: TrainingVersion, lora: string, count: number, name: string | null, trainer: string | null) {
  const { parameters: of, status, description, timestamp, completedAt } = each;
  const further = {
    network_alpha: of.network_alpha,
    lr_scheduler: of.lr_scheduler,
    lr_warmup_steps: of.lr_warmup_steps,
    optimizer_type: of.optimizer_type,
    train_batch_size: of.batch_size,
    mixed_precision: of.gradient_dtype,
    save_every_n_steps: of.save_every_n_steps,
    max_train_steps: of.max_train_steps,
  };
  const record: RawState = {
    lora_name: lora,
    concept_sentence: of.class_tokens,
    num_repeats: of.num_repeats,
    learning_rate: of.learning_rate == null ? null : String(of.learning_rate),
    network_dim: of.network_dim,
    timestamp: secondsOf(timestamp),
    status: status === 'training' || status === 'pending' ? 'stopped' : status,
    completed_at: completedAt,
    schema_version: SCHEMA_VERSION,
    version: count,
    version_name: name,
    description: description ?? '',
    trainer,
    arguments: Object.fromEntries(Object.entries(further).filter(([, value]) => value != null)),
    created_at: new Date().toISOString(),
    attempts: [],
    imported: each,
  };
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value != null));
}

/** Since 1970; tools write seconds, milliseconds or a date. */
function secondsOf(moment: TrainingVersion['timestamp']): number | null {
  if (moment == null) return null;
  const at = typeof moment === 'number' ? (Math.abs(moment) < 1e11 ? moment * 1000 : moment) : Date.parse(moment);
  return Math.abs(at) <= 8.64e15 ? at / 1000 : null;
}
