import type { Launcher } from '../launchers/launcher.js';
import type { Progress } from '../telemetry/progress.js';

/**
 * The facts of a session, as the API answers them and the pages show them. Times are ISO 8601 in UTC, except
 * `timestamp` (seconds since 1970). Steps and epochs are absolute over all attempts of the session, null where unknown.
 */
export type Status = 'draft' | 'pending' | 'starting' | 'running' | 'stopping' | 'stopped' | 'completed' | 'failed';
export type AttemptKind = 'start' | 'resume' | 'relaunch';

export type AttemptFacts = {
  number: number;
  /** Random; in a job's name. */
  id: string;
  kind: AttemptKind;
  started_at: string;
  ended_at: string | null;
  /** The launcher that runs it. */
  launcher: Launcher['id'];
  /** Its job on a cluster: the number, empty while the cluster has not said it, and how the cluster said that it ended. */
  job: { id: string; cluster: string | null; end: string | null } | null;
  /** The runner's process, which leads the process group. */
  pid: number | null;
  alive: boolean;
  /** Absolute path of the state folder. */
  resumed_from: string | null;
  first_epoch: number;
  step_offset: number;
  /** What to add to the trainer's own steps: 0 if it counts from the beginning of the training. */
  steps_added: number;
  /** Steps that the weights it began from had seen beyond `step_offset`: they are trained twice. */
  repeated_steps: number;
  exit_code: number | null;
  /** "SIGKILL", … */
  signal: string | null;
  /** Its end, in words. */
  reason: string | null;
  /** The end as a code: `out_of_memory`, `disk_full`, `exception:ValueError:0b1c…`, …; null in older records. */
  reason_code: string | null;
  argv: string[];
  /** Byte range in training.log; `log_end` is null while it lives. */
  log_start: number;
  log_end: number | null;
  /** Begun by Trackside itself, after an interruption or a crash. */
  automatic: boolean;
  /** Its GPUs, by nvidia-smi's index there; may be empty. */
  gpus: number[];
  /** The most memory that its fullest GPU had in use so far, in bytes; null where no GPU told. */
  peak_gpu_memory: number | null;
  /** The other host, or container, in which it lives; null when it lives here, or has ended. */
  host: string | null;
};

type SavedFacts = {
  name: string;
  /** Relative to the output folder; differs from `name` for what was moved to `earlier/`. */
  path: string;
  kind: 'epoch' | 'step' | 'final';
  /** Of the saved weights, absolute. */
  epoch: number | null;
  step: number | null;
  bytes: number;
  saved_at: string;
};

/** A state folder. */
export type StateFacts = SavedFacts & {
  complete: boolean;
  /** Why it is not complete, in words. */
  reason: string | null;
  /** Why it can't be resumed from now, complete or not, in words. Null when only the times of its files are in doubt. */
  refused: string | null;
  /** Steps of a begun epoch in it, which a resume would train again. */
  repeated_steps: number;
  /** A resume goes on with its next step, bit for bit. */
  exact: boolean;
};

export type CheckpointFacts = Omit<SavedFacts, 'kind'> & {
  /** `other`: weights that don't say when they were saved. */
  kind: SavedFacts['kind'] | 'other';
  /** Its header's metadata as text, by sd-scripts' names (`ss_*`, sd-scripts.md section 8). */
  metadata: Record<string, string>;
  /** Why it is not offered, in words; null when it is: it leads out of the outputs, or is cut, empty or no weights. */
  problem: string | null;
};

/** Folders with the files of earlier attempts, relative to the output folder, newest first. */
export type KeptEarlier = { states: string[]; samples: string[] };

export type SampleFacts = {
  name: string;
  /** Set for a sample by epochs. */
  epoch: number | null;
  /** Set for a sample by steps; absolute. */
  step: number | null;
  /** Index of the prompt, from 0. */
  prompt: number;
  seed: string | null;
  /** Its weights were thrown away: a later attempt trained those steps again. */
  lost: boolean;
  saved_at: string;
};

export type ResumeFacts = {
  /** Folder name, and its path relative to the output folder. */
  state: string;
  path: string;
  /** Epochs and steps inside the state, which are kept. */
  epoch: number;
  step: number;
  /** The first epoch that will be trained. */
  first_epoch: number;
  /** Steps that were trained since the state and are lost; null when unknown. */
  lost_steps: number | null;
  /** Steps inside the state that are trained again: it, or one before it, was saved in the middle of an epoch. */
  repeated_steps: number;
  /** It goes on with the next step, bit for bit: in the middle of an epoch, too. */
  exact: boolean;
  /** Why it can't, though a state has all it needs: what differs from when it was saved, in words. */
  differs: string[];
  /** Newer states that are not used, with the reason. */
  passed_over: PassedOver[];
  /** Why it may not be whole, in words, when no state surely is: a person has to decide. Null when it is. */
  doubt: string | null;
};

/** A state folder that was not chosen: its path relative to the output folder, and the reason in words. */
export type PassedOver = { state: string; path: string; reason: string };

/** What stopping a running training costs now. */
export type StopCost = {
  /** Does it save state folders? Without them a stopped training starts over. */
  saves: boolean;
  /** Steps since the newest state, which a resume trains again, and their time. Null when unknown. */
  lost_steps: number | null;
  lost_seconds: number | null;
  /** Seconds until its next state is saved; null when unknown, or when it saves none. */
  next_save_seconds: number | null;
};

/** Whether a session is resumed automatically after an interruption or a crash. */
export type AutoResumeFacts = {
  /** `enable_monitoring`: off by default. */
  on: boolean;
  /** It has ended, and is to be resumed. */
  will: boolean;
  /** Automatic resumes of the last ten minutes without a new checkpoint. */
  tries: number;
  /** Seconds until this Trackside resumes it; null when no resume is scheduled. */
  in_seconds: number | null;
  /** Why it is not resumed, though it is switched on and nobody stopped it, in words. */
  reason: string | null;
};

/** A session's place in the queue. */
export type QueueFacts = {
  /** Of all that wait, from 1; null until this Trackside has looked. */
  place: number | null;
  /** What it waits for, in words; null until this Trackside has looked. */
  waits: string | null;
  /** Lower is earlier. */
  position: number;
  queued_at: string | null;
  /** What will be begun, and from which state; the default is the newest one. */
  kind: AttemptKind;
  state: string | null;
  max_train_epochs: number | null;
  /** The GPUs that it asks for, as `gpus` of the settings. */
  gpus: string;
  /** It waits for a person: put on hold, or its start was refused (`failed`, in words). */
  held: boolean;
  failed: string | null;
  /** After it ran out of memory: tried once more, with the next smaller preset. */
  retry_smaller: boolean;
};

/** The one thing that makes sense to do next. */
export type NextAction = 'start' | 'stop' | 'resume' | 'train further' | 'start over' | null;

export type SessionFacts = {
  name: string;
  lora_name: string;
  version: number;
  /** What a person calls the version, such as `lr_0001`; null while it is V1, V2, … */
  version_name: string | null;
  /** A person's marks: the best of its LoRA, kept from tidying up, 1 to 5, and words of their own. */
  marked_best: boolean;
  pinned: boolean;
  rating: number | null;
  tags: string[];
  /** The session whose settings it repeats; null when it was made by itself. */
  made_from: string | null;
  /** What it was imported from, as that told it; null when it was made here. */
  imported: Record<string, unknown> | null;
  /** How far it came; null before the first step, or when unknown. */
  results: Results | null;
  /** Null where neither its record nor its files tell. */
  trainer: string | null;
  status: Status;
  /** Stopped by nobody: the pod or the runner disappeared. */
  interrupted: boolean;
  /** Who stopped it, through Trackside or with `kill`; null when nobody did, or unknown. */
  stopped_by: 'you' | 'a signal' | null;
  /** Why it failed or stopped, in words. */
  reason: string | null;
  /** The code of its last attempt, when that is the reason. */
  reason_code: string | null;
  /** The state of ui_state.json. `found`: there is none, the folder was filled by another program. */
  record: 'whole' | 'found' | 'unreadable';
  /**
   * False for a while after a start with thousands of sessions: only the record has been read, and `progress`,
   * `resume`, `next`, `newest_sample` and `loss_curve` are unknown. A request for the session itself always has them.
   */
  looked_into: boolean;
  description: string;
  notes: string;
  /** The sample picture that a person liked best, a file name under samples/. */
  best_sample: string | null;
  output_path: string;
  dataset_path: string | null;
  /** Its pictures, and those with a caption, at the last start; null when unknown. */
  images: number | null;
  captions: number | null;
  log_path: string;
  final_checkpoint: string | null;
  /** Seconds since 1970, with fraction, when training was started; null for a draft. */
  timestamp: number | null;
  created_at: string;
  completed_at: string | null;
  /** The path of the original, when its folder is a copy in which nothing was begun since; else null. */
  copy_of: string | null;
  /** Every epoch is trained and the final weights are whole, whatever ended the last attempt. */
  all_trained: boolean;
  progress: Progress;
  attempts: AttemptFacts[];
  resume: ResumeFacts | null;
  auto_resume: AutoResumeFacts;
  /** Null when it does not wait in the queue. */
  queue: QueueFacts | null;
  /** The presets, as `vram` of the settings, after it ran out of memory and was tried once more; null where it was not. */
  retried_smaller: { from: string; to: string } | null;
  /** Null while it can't be stopped here. */
  stop_cost: StopCost | null;
  /** It stops after the next checkpoint; that can still be cancelled. */
  stops_after_save: boolean;
  /** Whether it can be paused after any step, and if not, why; null before it says so, and while it does not run. */
  exact_pause: { available: boolean; why: string | null } | null;
  /** It was asked to pause, and is about to. */
  pausing: boolean;
  /** Seconds without progress, once over the phase's limit; null while it moves, or does not run. */
  stalled_seconds: number | null;
  /** A run that was started in a terminal, or submitted by hand: its topmost process or its job, and its start. Null otherwise. */
  by_hand: { pid: number | null; job: HandJobFacts | null; since: string } | null;
  next: NextAction;
  /** Newest sample picture, a file name under samples/. */
  newest_sample: string | null;
  /** Up to 60 points of the loss curve, oldest first, for the small chart. */
  loss_curve: number[];
  settings: Record<string, unknown>;
  /** Set when a broken ui_state.json was replaced by its last good version, until the broken file is removed. */
  put_back: PutBackFacts | null;
};

/** Steps are absolute; a loss is the trainer's own running mean, the best one its lowest. */
export type Results = {
  steps: number | null;
  final_loss: number | null;
  best_loss: number | null;
  best_step: number | null;
};

export type PutBackFacts = {
  /** Absolute path of the broken file. */
  broken: string;
  /** Its fault, in words. */
  reason: string;
  /** The restored version's id in history/, and its time; null when unknown. */
  version: string | null;
  saved_at: string | null;
};

/**
 * A job on the cluster that somebody submitted by hand. `waits`: why, in words, and its place in the queue, from 1; null once it
 * runs.
 */
export type HandJobFacts = { id: string; hosts: string[]; waits: { reason: string; place: number | null } | null };

/** A training that was started in a terminal, or submitted by hand, and writes outside the outputs folder. */
export type HandRunFacts = {
  /** Its `--output_name`, else the name of its folder. */
  name: string;
  /** `pending` while its job waits. */
  status: 'pending' | 'running' | 'stopping';
  output_dir: string;
  output_name: string | null;
  /** "flux_train_network.py" */
  script: string;
  /** Of its topmost process: launcher or trainer; null for a job. */
  pid: number | null;
  job: HandJobFacts | null;
  since: string;
  progress: Progress;
  /** The attempt's id, when Trackside began it, and its folder is not where it was; else null. */
  attempt: string | null;
};
