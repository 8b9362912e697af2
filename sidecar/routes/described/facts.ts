import { z } from 'zod';
import { problemStatus } from '../../problemStatus.js';
import type {
  AttemptFacts,
  AutoResumeFacts,
  CheckpointFacts,
  HandRunFacts,
  PutBackFacts,
  QueueFacts,
  Results,
  ResumeFacts,
  SampleFacts,
  SessionFacts,
  StateFacts,
  StopCost,
} from '../../sessions/facts.js';
import type { MetricPoint } from '../../sessions/products/curve.js';
import { type Progress, shown } from '../../telemetry/progress.js';

/**
 * The facts of sessions as schemas, for openapi.json. `satisfies` keeps them true: a fact that is added to the type and not
 * here does not compile. More fields may come, so each is loose.
 */
const text = z.string();
const textOrNull = z.string().nullable();
const number = z.number();
const numberOrNull = z.number().nullable();
const status = z.enum(['draft', 'pending', 'starting', 'running', 'stopping', 'stopped', 'completed', 'failed']);
const kind = z.enum(['start', 'resume', 'relaunch']);

export const progress = shown.clone().meta({ id: 'Progress' }) satisfies z.ZodType<Progress>;

const handJob = z.looseObject({
  id: text,
  hosts: z.array(text),
  waits: z.looseObject({ reason: text, place: numberOrNull }).nullable(),
});

export const attempt = z
  .looseObject({
    number,
    id: text,
    kind,
    started_at: text,
    ended_at: textOrNull,
    launcher: z.enum(['local', 'slurm']),
    job: z.object({ id: text, cluster: textOrNull, end: textOrNull }).nullable(),
    pid: numberOrNull,
    alive: z.boolean(),
    resumed_from: textOrNull,
    first_epoch: number,
    step_offset: number,
    steps_added: number,
    repeated_steps: number,
    exit_code: numberOrNull,
    signal: textOrNull,
    reason: textOrNull,
    reason_code: textOrNull,
    argv: z.array(text),
    log_start: number,
    log_end: numberOrNull,
    automatic: z.boolean(),
    gpus: z.array(number),
    peak_gpu_memory: numberOrNull,
    host: textOrNull,
  })
  .meta({ id: 'Attempt' }) satisfies z.ZodType<AttemptFacts>;

const saved = { name: text, path: text, epoch: numberOrNull, step: numberOrNull, bytes: number, saved_at: text };

export const state = z
  .looseObject({
    ...saved,
    kind: z.enum(['epoch', 'step', 'final']),
    complete: z.boolean(),
    reason: textOrNull,
    refused: textOrNull,
    repeated_steps: number,
    exact: z.boolean(),
  })
  .meta({ id: 'State' }) satisfies z.ZodType<StateFacts>;

export const checkpoint = z
  .looseObject({
    ...saved,
    kind: z.enum(['epoch', 'step', 'final', 'other']),
    metadata: z.record(text, text),
    problem: textOrNull,
  })
  .meta({ id: 'Checkpoint' }) satisfies z.ZodType<CheckpointFacts>;

export const sample = z
  .looseObject({
    name: text,
    epoch: numberOrNull,
    step: numberOrNull,
    prompt: number,
    seed: textOrNull,
    lost: z.boolean(),
    saved_at: text,
  })
  .meta({ id: 'Sample' }) satisfies z.ZodType<SampleFacts>;

export const metric = z
  .looseObject({ tag: text, step: number, value: number.nullable(), attempt: number, wall_time: number })
  .meta({ id: 'Metric' }) satisfies z.ZodType<Omit<MetricPoint, 'value'> & { value: number | null }>;

const resume = z
  .looseObject({
    state: text,
    path: text,
    epoch: number,
    step: number,
    first_epoch: number,
    lost_steps: numberOrNull,
    repeated_steps: number,
    exact: z.boolean(),
    differs: z.array(text),
    passed_over: z.array(z.looseObject({ state: text, path: text, reason: text })),
    doubt: textOrNull,
  })
  .meta({ id: 'Resume' }) satisfies z.ZodType<ResumeFacts>;

const autoResume = z.looseObject({
  on: z.boolean(),
  will: z.boolean(),
  tries: number,
  in_seconds: numberOrNull,
  reason: textOrNull,
}) satisfies z.ZodType<AutoResumeFacts>;

const queue = z.looseObject({
  place: numberOrNull,
  waits: textOrNull,
  position: number,
  queued_at: textOrNull,
  kind,
  state: textOrNull,
  max_train_epochs: numberOrNull,
  gpus: text,
  held: z.boolean(),
  failed: textOrNull,
  retry_smaller: z.boolean(),
}) satisfies z.ZodType<QueueFacts>;

const stopCost = z.looseObject({
  saves: z.boolean(),
  lost_steps: numberOrNull,
  lost_seconds: numberOrNull,
  next_save_seconds: numberOrNull,
}) satisfies z.ZodType<StopCost>;

const putBack = z.looseObject({
  broken: text,
  reason: text,
  version: textOrNull,
  saved_at: textOrNull,
}) satisfies z.ZodType<PutBackFacts>;

const results = z.looseObject({
  steps: numberOrNull,
  final_loss: numberOrNull,
  best_loss: numberOrNull,
  best_step: numberOrNull,
}) satisfies z.ZodType<Results>;

export const session = z
  .looseObject({
    name: text,
    lora_name: text,
    version: number,
    version_name: textOrNull,
    marked_best: z.boolean(),
    pinned: z.boolean(),
    rating: numberOrNull,
    tags: z.array(text),
    made_from: textOrNull,
    imported: z.record(text, z.unknown()).nullable(),
    results: results.nullable(),
    trainer: textOrNull,
    status,
    interrupted: z.boolean(),
    stopped_by: z.enum(['you', 'a signal']).nullable(),
    reason: textOrNull,
    reason_code: textOrNull,
    record: z.enum(['whole', 'found', 'unreadable']),
    looked_into: z.boolean(),
    description: text,
    notes: text,
    best_sample: textOrNull,
    output_path: text,
    dataset_path: textOrNull,
    images: numberOrNull,
    captions: numberOrNull,
    log_path: text,
    final_checkpoint: textOrNull,
    timestamp: numberOrNull,
    created_at: text,
    completed_at: textOrNull,
    copy_of: textOrNull,
    all_trained: z.boolean(),
    progress,
    attempts: z.array(attempt),
    resume: resume.nullable(),
    auto_resume: autoResume,
    queue: queue.nullable(),
    retried_smaller: z.looseObject({ from: text, to: text }).nullable(),
    stop_cost: stopCost.nullable(),
    stops_after_save: z.boolean(),
    exact_pause: z.looseObject({ available: z.boolean(), why: textOrNull }).nullable(),
    pausing: z.boolean(),
    stalled_seconds: numberOrNull,
    by_hand: z.looseObject({ pid: numberOrNull, job: handJob.nullable(), since: text }).nullable(),
    next: z.enum(['start', 'stop', 'resume', 'train further', 'start over']).nullable(),
    newest_sample: textOrNull,
    loss_curve: z.array(number),
    settings: z.record(text, z.unknown()),
    put_back: putBack.nullable(),
  })
  .meta({ id: 'Session' }) satisfies z.ZodType<SessionFacts>;

export const handRun = z
  .looseObject({
    name: text,
    status: z.enum(['pending', 'running', 'stopping']),
    output_dir: text,
    output_name: textOrNull,
    script: text,
    pid: numberOrNull,
    job: handJob.nullable(),
    since: text,
    progress,
    attempt: textOrNull,
  })
  .meta({ id: 'HandRun' }) satisfies z.ZodType<HandRunFacts>;

/** Codes of the login, which are no Problems: a stranger is told nothing more. */
const LOGIN_CODES = { login_needed: 401, wrong_token: 401, too_many: 429 } as const;

/** Every code of an error with its status, in the order of the statuses. */
export const errorCodes: [code: string, status: number][] = Object.entries({ ...problemStatus, ...LOGIN_CODES }).sort(
  ([code, status], [other, its]) => status - its || (code < other ? -1 : 1),
);

export const refusal = z
  .looseObject({
    error: z.looseObject({
      code: z.enum(errorCodes.map(([code]) => code)),
      message: z.string().describe('A sentence for people: what happened, what was not lost, what to do.'),
      field: z.string().optional().describe('The field that it is about.'),
      fields: z.record(text, text).optional().describe('A sentence for each field, where several are wrong.'),
      after_name: z.string().optional().describe('The message without the name of the file at its beginning.'),
      link: z.string().optional().describe('The address of what it is about.'),
    }),
  })
  .meta({ id: 'Error' });
