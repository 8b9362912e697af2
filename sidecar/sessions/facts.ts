import { z } from 'zod';
import { shown } from '../telemetry/progress.js';
import { handJobFacts } from './byHandFacts.js';
import { resumeFacts } from './savedFacts.js';

/**
 * The facts of a session, as the API answers and describes them and the pages show them. Times are ISO 8601 in UTC, except
 * `timestamp` (seconds since 1970). Steps and epochs are absolute over all attempts of the session, null where unknown.
 */
const status = z.enum(['draft', 'pending', 'starting', 'running', 'stopping', 'stopped', 'completed', 'failed']);
export type Status = z.infer<typeof status>;

const attemptKind = z.enum(['start', 'resume', 'relaunch']);
export type AttemptKind = z.infer<typeof attemptKind>;

const textOrNull = z.string().nullable();
const numberOrNull = z.number().nullable();

export const attemptFacts = z
  .object({
    number: z.number(),
    /** Random; in a job's name. */
    id: z.string(),
    kind: attemptKind,
    started_at: z.string(),
    ended_at: textOrNull,
    /** The launcher that runs it. */
    launcher: z.enum(['local', 'slurm']),
    /** Its job on a cluster: the number, empty while the cluster has not said it, and how the cluster said that it ended. */
    job: z.object({ id: z.string(), cluster: textOrNull, end: textOrNull }).nullable(),
    /** The runner's process, which leads the process group. */
    pid: numberOrNull,
    alive: z.boolean(),
    /** Absolute path of the state folder. */
    resumed_from: textOrNull,
    first_epoch: z.number(),
    step_offset: z.number(),
    /** What to add to the trainer's own steps: 0 if it counts from the beginning of the training. */
    steps_added: z.number(),
    /** Steps that the weights it began from had seen beyond `step_offset`: they are trained twice. */
    repeated_steps: z.number(),
    exit_code: numberOrNull,
    /** "SIGKILL", … */
    signal: textOrNull,
    /** Its end, in words. */
    reason: textOrNull,
    /** The end as a code: `out_of_memory`, `disk_full`, `exception:ValueError:0b1c…`, …; null in older records. */
    reason_code: textOrNull,
    argv: z.array(z.string()),
    /** Byte range in training.log; `log_end` is null while it lives. */
    log_start: z.number(),
    log_end: numberOrNull,
    /** Begun by Trackside itself, after an interruption or a crash. */
    automatic: z.boolean(),
    /** Its GPUs, by nvidia-smi's index there; may be empty. */
    gpus: z.array(z.number()),
    /** The most memory that its fullest GPU had in use so far, in bytes; null where no GPU told. */
    peak_gpu_memory: numberOrNull,
    /** The other host, or container, in which it lives; null when it lives here, or has ended. */
    host: textOrNull,
  })
  .meta({ id: 'Attempt' });
export type AttemptFacts = z.infer<typeof attemptFacts>;

/** What stopping a running training costs now. */
const stopCost = z.object({
  /** Does it save state folders? Without them a stopped training starts over. */
  saves: z.boolean(),
  /** Steps since the newest state, which a resume trains again, and their time. Null when unknown. */
  lost_steps: numberOrNull,
  lost_seconds: numberOrNull,
  /** Seconds until its next state is saved; null when unknown, or when it saves none. */
  next_save_seconds: numberOrNull,
});
export type StopCost = z.infer<typeof stopCost>;

/** Whether a session is resumed automatically after an interruption or a crash. */
const autoResumeFacts = z.object({
  /** `enable_monitoring`: off by default. */
  on: z.boolean(),
  /** It has ended, and is to be resumed. */
  will: z.boolean(),
  /** Automatic resumes of the last ten minutes without a new checkpoint. */
  tries: z.number(),
  /** Seconds until this Trackside resumes it; null when no resume is scheduled. */
  in_seconds: numberOrNull,
  /** Why it is not resumed, though it is switched on and nobody stopped it, in words. */
  reason: textOrNull,
});
export type AutoResumeFacts = z.infer<typeof autoResumeFacts>;

/** A session's place in the queue. */
const queueFacts = z.object({
  /** Of all that wait, from 1; null until this Trackside has looked. */
  place: numberOrNull,
  /** What it waits for, in words; null until this Trackside has looked. */
  waits: textOrNull,
  /** Lower is earlier. */
  position: z.number(),
  queued_at: textOrNull,
  /** What will be begun, and from which state; the default is the newest one. */
  kind: attemptKind,
  state: textOrNull,
  max_train_epochs: numberOrNull,
  /** The GPUs that it asks for, as `gpus` of the settings. */
  gpus: z.string(),
  /** It waits for a person: put on hold, or its start was refused (`failed`, in words). */
  held: z.boolean(),
  failed: textOrNull,
  /** After it ran out of memory: tried once more, with the next smaller preset. */
  retry_smaller: z.boolean(),
});
export type QueueFacts = z.infer<typeof queueFacts>;

/** Steps are absolute; a loss is the trainer's own running mean, the best one its lowest. */
const results = z.object({
  steps: numberOrNull,
  final_loss: numberOrNull,
  best_loss: numberOrNull,
  best_step: numberOrNull,
});
export type Results = z.infer<typeof results>;

export const putBackFacts = z.object({
  /** Absolute path of the broken file. */
  broken: z.string(),
  /** Its fault, in words. */
  reason: z.string(),
  /** The restored version's id in history/, and its time; null when unknown. */
  version: textOrNull,
  saved_at: textOrNull,
});
export type PutBackFacts = z.infer<typeof putBackFacts>;

export const sessionFacts = z
  .object({
    name: z.string(),
    lora_name: z.string(),
    version: z.number(),
    /** What a person calls the version, such as `lr_0001`; null while it is V1, V2, … */
    version_name: textOrNull,
    /** A person's marks: the best of its LoRA, kept from tidying up, 1 to 5, and words of their own. */
    marked_best: z.boolean(),
    pinned: z.boolean(),
    rating: numberOrNull,
    tags: z.array(z.string()),
    /** The session whose settings it repeats; null when it was made by itself. */
    made_from: textOrNull,
    /** What it was imported from, as that told it; null when it was made here. */
    imported: z.record(z.string(), z.unknown()).nullable(),
    /** How far it came; null before the first step, or when unknown. */
    results: results.nullable(),
    /** Null where neither its record nor its files tell. */
    trainer: textOrNull,
    status,
    /** Stopped by nobody: the pod or the runner disappeared. */
    interrupted: z.boolean(),
    /** Who stopped it, through Trackside or with `kill`; null when nobody did, or unknown. */
    stopped_by: z.enum(['you', 'a signal']).nullable(),
    /** Why it failed or stopped, in words. */
    reason: textOrNull,
    /** The code of its last attempt, when that is the reason. */
    reason_code: textOrNull,
    /** The state of ui_state.json. `found`: there is none, the folder was filled by another program. */
    record: z.enum(['whole', 'found', 'unreadable']),
    /**
     * False for a while after a start with thousands of sessions: only the record has been read, and `progress`,
     * `resume`, `next`, `newest_sample` and `loss_curve` are unknown. A request for the session itself always has them.
     */
    looked_into: z.boolean(),
    description: z.string(),
    notes: z.string(),
    /** The sample picture that a person liked best, a file name under samples/. */
    best_sample: textOrNull,
    output_path: z.string(),
    dataset_path: textOrNull,
    /** Its pictures, and those with a caption, at the last start; null when unknown. */
    images: numberOrNull,
    captions: numberOrNull,
    log_path: z.string(),
    final_checkpoint: textOrNull,
    /** Seconds since 1970, with fraction, when training was started; null for a draft. */
    timestamp: numberOrNull,
    created_at: z.string(),
    completed_at: textOrNull,
    /** The path of the original, when its folder is a copy in which nothing was begun since; else null. */
    copy_of: textOrNull,
    /** Every epoch is trained and the final weights are whole, whatever ended the last attempt. */
    all_trained: z.boolean(),
    progress: shown,
    attempts: z.array(attemptFacts),
    resume: resumeFacts.nullable(),
    auto_resume: autoResumeFacts,
    /** Null when it does not wait in the queue. */
    queue: queueFacts.nullable(),
    /** The presets, as `vram` of the settings, after it ran out of memory and was tried once more; null where it was not. */
    retried_smaller: z.object({ from: z.string(), to: z.string() }).nullable(),
    /** Null while it can't be stopped here. */
    stop_cost: stopCost.nullable(),
    /** It stops after the next checkpoint; that can still be cancelled. */
    stops_after_save: z.boolean(),
    /** Whether it can be paused after any step, and if not, why; null before it says so, and while it does not run. */
    exact_pause: z.object({ available: z.boolean(), why: textOrNull }).nullable(),
    /** It was asked to pause, and is about to. */
    pausing: z.boolean(),
    /** Seconds without progress, once over the phase's limit; null while it moves, or does not run. */
    stalled_seconds: numberOrNull,
    /** A run that was started in a terminal, or submitted by hand: its topmost process or its job, and its start. Null otherwise. */
    by_hand: z.object({ pid: numberOrNull, job: handJobFacts.nullable(), since: z.string() }).nullable(),
    /** The one thing that makes sense to do next. */
    next: z.enum(['start', 'stop', 'resume', 'train further', 'start over']).nullable(),
    /** Newest sample picture, a file name under samples/. */
    newest_sample: textOrNull,
    /** Up to 60 points of the loss curve, oldest first, for the small chart. */
    loss_curve: z.array(z.number()),
    settings: z.record(z.string(), z.unknown()),
    /** Set when a broken ui_state.json was replaced by its last good version, until the broken file is removed. */
    put_back: putBackFacts.nullable(),
  })
  .meta({ id: 'Session' });
export type SessionFacts = z.infer<typeof sessionFacts>;
export type NextAction = SessionFacts['next'];
