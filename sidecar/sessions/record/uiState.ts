import { z } from 'zod';
import { trainerNamed } from '../../trainers/recordTrainer.js';
import { counted, flag, lines, moment, side } from './otherSpellings.js';

/**
 * `ui_state.json`: the record of a session. Flat at the top, so that one-line jq works. Existing tools and scripts read
 * the first 21 names. Values of another type (`"seed": "42"`) are converted; invalid ones read as absent. Unknown keys
 * are never dropped: writes go through the raw object.
 */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String).optional().catch(undefined);
export const number = counted.optional().catch(undefined);
const seconds = moment
  .transform((at) => at / 1000)
  .optional()
  .catch(undefined);
const date = moment
  .transform((at) => new Date(at).toISOString())
  .optional()
  .catch(undefined);
const count = counted.pipe(z.int().min(0)).optional().catch(undefined);
const whole = z.int().min(0).nullable().default(null).catch(null);
const loss = z.number().nullable().default(null).catch(null);

/** The pictures of an attempt, by dataset, and the commit of its trainer's checkout. */
const madeOf = z.object({
  datasets: z.array(z.object({ name: z.string(), fingerprint: z.string(), repeats: z.number() })),
  commit: z.string().nullable(),
});

const LAUNCHERS = ['local', 'slurm'] as const;

const attempt = z
  .looseObject({
    number: z.number().int(),
    kind: z.enum(['start', 'resume', 'relaunch']),
    id: z.string(),
    started_at: z.string(),
    ended_at: z.string().nullable().default(null),
    argv: z.array(z.string()),
    cwd: z.string().nullable().default(null),
    resumed_from: z.string().nullable().default(null),
    first_epoch: z.number().default(1),
    step_offset: z.number().default(0),
    /** What to add to its trainer's own steps: 0 if these are absolute. Null in older records: `step_offset`. */
    steps_added: z.number().nullable().default(null).catch(null),
    log_start: z.number().default(0),
    log_end: z.number().nullable().default(null),
    exit_code: z.number().nullable().default(null),
    signal: z.string().nullable().default(null),
    reason: z.string().nullable().default(null),
    /** The reason as a code, to compare: `out_of_memory`, `exception:ValueError:0b1c…`, … */
    reason_code: z.string().nullable().default(null).catch(null),
    /** Its end, once settled from the evidence; null while it lives, or before a sidecar has looked. */
    outcome: z.enum(['completed', 'stopped', 'failed', 'interrupted']).nullable().default(null),
    /** Every epoch was trained and the final weights were whole, whatever ended it. */
    all_trained: z.boolean().default(false).catch(false),
    /** The time of a stop request, and whether it waits for the next save. */
    stop_requested_at: z.string().nullable().default(null),
    stop_when: z.enum(['now', 'after-save']).nullable().default(null),
    /** The time of a request to pause; null again once the trainer has refused it. */
    pause_requested_at: z.string().nullable().default(null).catch(null),
    /** The signature of `<name>.safetensors` before the attempt ("inode:mtime:size"), to recognise a new one. */
    final_before: z.string().nullable().default(null),
    /** Begun by Trackside itself, after an interruption or a crash. */
    automatic: z.boolean().default(false),
    /** The folder that it was begun in, and its inode: in a copy of that folder it never ran. Null in older records. */
    output: z.string().nullable().default(null).catch(null),
    output_inode: z.number().nullable().default(null).catch(null),
    /** Its launcher's reference (see launchers/launcher.ts `JobRef`); null in older records, of this machine. */
    job: z
      .object({ launcher: z.enum(LAUNCHERS), attempt: z.string(), id: z.string(), cluster: z.string().nullable() })
      .nullable()
      .default(null)
      .catch(null),
    /** How its cluster said that the job ended (launchers/launcher.ts `EndedHow`), or `forgotten`; null until it did. */
    job_end: z.string().nullable().default(null).catch(null),
    /** Its GPUs, by nvidia-smi's index. */
    gpus: z.array(z.number().int()).default([]).catch([]),
    /** Steps that its weights had seen beyond `step_offset`, which it trained again. */
    repeated_steps: z.number().default(0).catch(0),
    /** Its pictures and its trainer's commit, for a later resume to compare with. Null in older records. */
    made_of: madeOf.nullable().default(null).catch(null),
    /** Optimizer steps per epoch, from its console: a changed dataset changes them. */
    steps_per_epoch: z.number().nullable().default(null).catch(null),
    /** The most memory that its fullest GPU had in use, in bytes; null where unknown, or before it is settled. */
    peak_gpu_memory: z.number().min(0).nullable().default(null).catch(null),
    /** Absolute step of the state that it began from; 0 from the beginning. */
    begun_step: z.number().nullable().default(null),
    /** Why auto-resume would not help: the error would repeat, or somebody ended it by hand. */
    no_retry: z.enum(['repeats', 'by hand']).nullable().default(null).catch(null),
    /** Its PIDs that survived SIGKILL at a stop. */
    survivors: z.array(z.int()).default([]).catch([]),
    /** The reason in words, when Trackside ended it as stalled. */
    stalled: z.string().nullable().default(null),
  })
  .transform((each) => ({ ...each, reason_code: each.reason_code ?? codeOf(each.reason) }));

/** The code of an end that was recorded without one, where a button depends on it. */
function codeOf(reason: string | null): string | null {
  return reason?.includes('A cache file beside the pictures is broken') ? 'broken_cache' : null;
}

/** What a session waits for in the queue; it counts only until an attempt has begun (see status/queued.ts). */
const queue = z.looseObject({
  /** Lower is earlier. */
  position: z.number().default(0).catch(0),
  queued_at: z.string().nullable().default(null).catch(null),
  kind: z.enum(['start', 'resume', 'relaunch']).default('start').catch('start'),
  /** As of an attempt: see attempt/plan.ts `Begin`. */
  state: z.string().nullable().default(null).catch(null),
  max_train_epochs: z.number().nullable().default(null).catch(null),
  gpus: z.string().nullable().default(null).catch(null),
  held: z.boolean().default(false).catch(false),
  /** Why its start was refused, in words: it waits for a person, and the rest goes on. */
  failed: z.string().nullable().default(null).catch(null),
  /** The number of its last attempt when it was queued; 0 without one. */
  after: z.number().default(0).catch(0),
});

/** Names that tools and scripts have read from `ui_state.json` since FluxGym, in their order; then ours. */
const settings = {
  lora_name: text,
  concept_sentence: text,
  base_model: text,
  vram: text,
  num_repeats: number,
  max_train_epochs: number,
  sample_prompts: lines,
  sample_every_n_steps: number,
  resolution: side,
  enable_checkpointing: flag,
  resume_from_checkpoint: text,
  enable_monitoring: flag,
  /** After it ran out of memory: tried once more by the queue, with the next smaller preset. Off once that was done. */
  retry_smaller: flag,
  seed: number,
  workers: number,
  learning_rate: text,
  save_every_n_epochs: number,
  guidance_scale: number,
  timestep_sampling: text,
  network_dim: number,
  gpus: text,
  more_datasets: text,
  reg_datasets: text,
  /** Where it trains, and what it asks its cluster for (see launchers/launcher.ts `Wants`); absent: this machine. */
  launcher: z.enum(LAUNCHERS).optional().catch(undefined),
  cluster_queue: text,
  cluster_account: text,
  cluster_qos: text,
  cluster_gpus: count,
  cluster_gpu_type: text,
  cluster_nodes: count,
  cluster_cpus: count,
  cluster_memory_mib: count,
  cluster_minutes: count,
  cluster_constraint: text,
  /** Further options of `sbatch`, separated by spaces. */
  cluster_options: text,
};

export const uiState = z.looseObject({
  ...settings,
  timestamp: seconds,
  status: text,
  /** Another tool's outdated `status`, before it was corrected. */
  status_found: text,
  error: text,
  completed_at: date,
  schema_version: number,
  version: number,
  /** What a person calls the version in place of V1, V2, …; their marks, and the session that it repeats. */
  version_name: text,
  marked_best: flag,
  pinned: flag,
  rating: number,
  tags: z.array(z.string()).optional().catch(undefined),
  made_from: text,
  imported: z.record(z.string(), z.unknown()).optional().catch(undefined),
  description: text,
  best_sample: text,
  notes: text,
  trainer: text.transform((said) => (said?.trim() ? trainerNamed(said) : undefined)),
  created_at: date,
  form_id: text,
  /** Off: it is started so that it can't be paused after any step. */
  exact_pause: flag,
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).default({}),
  dataset: z
    .looseObject({ path: text, images: number, captions: number, repeats: number, fingerprint: text })
    .nullish()
    .catch(undefined),
  attempts: z.array(attempt).default([]),
  queue: queue.nullish().catch(undefined),
  /** `retry_smaller` was done: from which preset to which. */
  retried_smaller: z.looseObject({ from: z.string(), to: z.string() }).nullish().catch(undefined),
  outputs: z.looseObject({ final_checkpoint: z.string().nullish() }).optional().catch(undefined),
  /** How far it came, when the newest attempt ended; steps absolute. */
  results: z
    .looseObject({ steps: whole, final_loss: loss, best_loss: loss, best_step: whole })
    .optional()
    .catch(undefined),
});

export type UiState = z.infer<typeof uiState>;
export type MadeOf = z.infer<typeof madeOf>;
export type AttemptEntry = z.infer<typeof attempt>;
export type QueueEntry = z.infer<typeof queue>;

/** A new attempt; other fields get the defaults of the schema. */
export function newAttempt(known: z.input<typeof attempt>): AttemptEntry {
  return attempt.parse(known);
}

/** The object as it is written, with unknown keys and the person's own spelling. */
export type RawState = Record<string, unknown>;

/** The settings of a training, by their names in `ui_state.json`. */
export const SETTING_NAMES = Object.keys(settings) as (keyof typeof settings)[];

/** The settings for the page, under the record's names. */
export function settingsOf(state: UiState | null): Record<string, unknown> {
  if (!state) return {};
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) if (state[name] !== undefined) settings[name] = state[name];
  settings.arguments = state.arguments;
  return settings;
}

/** What to add to the steps that an attempt's trainer counts, to make them absolute. */
export function stepsAdded({ steps_added, step_offset }: Pick<AttemptEntry, 'steps_added' | 'step_offset'>): number {
  return steps_added ?? step_offset;
}

/** Changes one attempt in a raw record; the person's own keys stay. */
export function editAttempt(raw: RawState, id: string, change: Partial<AttemptEntry>): void {
  const attempts = (raw.attempts ?? []) as AttemptEntry[];
  raw.attempts = attempts.map((each) => (each.id === id ? { ...each, ...change } : each));
}
