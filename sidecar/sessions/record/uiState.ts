import { z } from 'zod';
import { scanJson } from '../../files/exactJson.js';

/**
 * `ui_state.json`: the one record of a session. Flat at the top, so that one-line jq works. The first 21 names are what
 * existing tools and scripts read. Values that people typed in another type than ours (`"seed": "42"`) are read all the
 * same; a value that makes no sense reads as absent. Nothing unknown is ever dropped: writing goes through the raw object.
 */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String).optional().catch(undefined);
export const number = z
  .union([z.number(), z.string().trim().min(1).pipe(z.coerce.number())])
  .optional()
  .catch(undefined);
const flag = z.union([z.boolean(), z.stringbool()]).optional().catch(undefined);

const attempt = z.looseObject({
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
  log_start: z.number().default(0),
  log_end: z.number().nullable().default(null),
  exit_code: z.number().nullable().default(null),
  signal: z.string().nullable().default(null),
  reason: z.string().nullable().default(null),
  /** What tells one reason from another, whatever its words: `out_of_memory`, `exception:ValueError:0b1c…`, … */
  reason_code: z.string().nullable().default(null).catch(null),
  /** How it ended, once settled from the evidence; null while it lives or nobody has looked. */
  outcome: z.enum(['completed', 'stopped', 'failed', 'interrupted']).nullable().default(null),
  /** However it ended: every epoch was trained by then, and the final weights were whole. */
  all_trained: z.boolean().default(false).catch(false),
  /** When somebody asked for the end, and whether it may wait for the next save. */
  stop_requested_at: z.string().nullable().default(null),
  stop_when: z.enum(['now', 'after-save']).nullable().default(null),
  /** What `<name>.safetensors` was before the attempt ("inode:mtime:size"), to tell a new one from an old one. */
  final_before: z.string().nullable().default(null),
  /** Begun by Trackside itself, after an interruption or a crash. */
  automatic: z.boolean().default(false),
  /** What its launcher knows it by (see launchers/launcher.ts `JobRef`); null, too, where only this machine was known. */
  job: z
    .object({ launcher: z.enum(['local']), attempt: z.string(), id: z.string(), cluster: z.string().nullable() })
    .nullable()
    .default(null)
    .catch(null),
  /** The GPUs that it has to itself, by nvidia-smi's index. */
  gpus: z.array(z.number().int()).default([]).catch([]),
  /** Optimizer steps in an epoch, as its own console told: a changed dataset changes them. */
  steps_per_epoch: z.number().nullable().default(null).catch(null),
  /** Absolute step of the state it was begun from; 0 from the beginning. */
  begun_step: z.number().nullable().default(null),
  /** What speaks against trying again: an error that would only repeat, an end by somebody's hand. */
  no_retry: z.enum(['repeats', 'by hand']).nullable().default(null).catch(null),
  /** PIDs of it that a stop left behind: they survived SIGKILL. */
  survivors: z.array(z.int()).default([]).catch([]),
  /** Ended by Trackside because nothing moved any more: what is then said of it. */
  stalled: z.string().nullable().default(null),
});

/** Names that tools and scripts have read from `ui_state.json` since FluxGym, in their order; then ours. */
const settings = {
  lora_name: text,
  concept_sentence: text,
  base_model: text,
  vram: text,
  num_repeats: number,
  max_train_epochs: number,
  sample_prompts: text,
  sample_every_n_steps: number,
  resolution: number,
  enable_checkpointing: flag,
  resume_from_checkpoint: text,
  enable_monitoring: flag,
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
};

const uiState = z.looseObject({
  ...settings,
  timestamp: number,
  status: text,
  error: text,
  completed_at: text,
  schema_version: number,
  version: number,
  description: text,
  notes: text,
  trainer: text,
  created_at: text,
  form_id: text,
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).default({}),
  dataset: z
    .looseObject({ path: text, images: number, captions: number, repeats: number, fingerprint: text })
    .nullish()
    .catch(undefined),
  attempts: z.array(attempt).default([]),
  outputs: z.looseObject({ final_checkpoint: z.string().nullish() }).optional().catch(undefined),
});

export type UiState = z.infer<typeof uiState>;
export type AttemptEntry = z.infer<typeof attempt>;

/** An attempt of which only so much is known yet: the rest is as a file that does not tell it is read. */
export function newAttempt(known: z.input<typeof attempt>): AttemptEntry {
  return attempt.parse(known);
}

/** What is written: the raw object, unknown keys and the user's own spelling included. */
export type RawState = Record<string, unknown>;

/** The settings of a training, by their names in `ui_state.json`. */
export const SETTING_NAMES = Object.keys(settings) as (keyof typeof settings)[];

export type ParsedState = { raw: RawState; state: UiState };

/**
 * Why a text is no state file. `broken`: no JSON object at all, as a crash, a slip or half a write leaves it. `refused`:
 * valid JSON that we would spoil or misread, and which is therefore left alone.
 */
export class StateTextError extends Error {
  constructor(
    readonly kind: 'broken' | 'refused',
    message: string,
  ) {
    super(message);
  }
}

/** Deeper than anything a person writes; what is deeper still would overflow the stack of whoever writes it again. */
const DEEPEST = 400;

/** Reads the text of a `ui_state.json`. Throws a StateTextError that says in words what is wrong and where. */
export function parseUiState(content: string): ParsedState {
  let raw: unknown;
  try {
    // Some editors put a byte order mark in front.
    raw = JSON.parse(content.charCodeAt(0) === 0xfeff ? content.slice(1) : content);
  } catch (error) {
    throw new StateTextError('broken', `it is not valid JSON (${(error as Error).message})`);
  }
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
    throw new StateTextError('broken', 'it is not a JSON object');
  }
  const { number, depth } = scanJson(content);
  if (number) {
    throw new StateTextError('refused', `${number} and would be rounded; write it in quotes or make it smaller`);
  }
  if (depth > DEEPEST) throw new StateTextError('refused', `it is nested ${depth} levels deep, more than ${DEEPEST}`);
  const parsed = uiState.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new StateTextError('refused', `${issue?.path.join('.') || 'it'} is not as expected (${issue?.message})`);
  }
  return { raw: raw as RawState, state: parsed.data };
}

/** The settings as they are shown, under the names of the record. */
export function settingsOf(state: UiState | null): Record<string, unknown> {
  if (!state) return {};
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) if (state[name] !== undefined) settings[name] = state[name];
  settings.arguments = state.arguments;
  return settings;
}

/** Changes one attempt in a raw record; what else the user put into it stays. */
export function editAttempt(raw: RawState, id: string, change: Partial<AttemptEntry>): void {
  const attempts = (raw.attempts ?? []) as AttemptEntry[];
  raw.attempts = attempts.map((each) => (each.id === id ? { ...each, ...change } : each));
}
