import type { Launcher } from '../launchers/launcher.js';
import type { Progress } from '../telemetry/progress.js';

/**
 * What is known about a session, as the API answers it and as the pages show it. Times are ISO 8601 in UTC, except
 * `timestamp` (seconds since 1970). Steps and epochs are absolute over all attempts of the session, null where unknown.
 */
export type Status = 'draft' | 'pending' | 'starting' | 'running' | 'stopping' | 'stopped' | 'completed' | 'failed';
export type AttemptKind = 'start' | 'resume' | 'relaunch';

export type AttemptFacts = {
  number: number;
  kind: AttemptKind;
  started_at: string;
  ended_at: string | null;
  /** Where it runs. */
  launcher: Launcher['id'];
  /** The runner's process, which leads the process group. */
  pid: number | null;
  alive: boolean;
  /** Absolute path of the state folder. */
  resumed_from: string | null;
  first_epoch: number;
  step_offset: number;
  exit_code: number | null;
  /** "SIGKILL", … */
  signal: string | null;
  /** How it ended, in words. */
  reason: string | null;
  /** The same to compare: `out_of_memory`, `disk_full`, `exception:ValueError:0b1c…`, …; null where an older record has none. */
  reason_code: string | null;
  argv: string[];
  /** Byte range in training.log; `log_end` is null while it lives. */
  log_start: number;
  log_end: number | null;
  /** Begun by Trackside itself, after an interruption or a crash. */
  automatic: boolean;
  /** The GPUs that it has to itself, by nvidia-smi's index; empty where it uses none. */
  gpus: number[];
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
  /** Why it can't be resumed from as things are, complete or not, in words. */
  refused: string | null;
};

export type CheckpointFacts = SavedFacts & {
  /** What its header tells, by the names of sd-scripts (`ss_*`, sd-scripts.md section 8), as text. */
  metadata: Record<string, string>;
  /** Why it can't be downloaded, in words; null where it can. */
  problem: string | null;
};

/** Folders that hold what earlier attempts left, relative to the output folder, newest first. */
export type KeptEarlier = { states: string[]; samples: string[] };

export type SampleFacts = {
  name: string;
  /** The epoch, where the epoch triggered it. */
  epoch: number | null;
  /** The step, where a step triggered it; absolute. */
  step: number | null;
  /** Index of the prompt, from 0. */
  prompt: number;
  seed: string | null;
  saved_at: string;
};

export type ResumeFacts = {
  /** Folder name, and its path relative to the output folder. */
  state: string;
  path: string;
  /** Of the state: epochs and steps that are kept. */
  epoch: number;
  step: number;
  /** The first epoch that will be trained. */
  first_epoch: number;
  /** Steps that were trained since the state and are lost, 0 where none; null where unknown. */
  lost_steps: number | null;
  /** Steps inside the state that are trained again, because it was saved in the middle of an epoch. */
  repeated_steps: number;
  /** Newer states that were passed over, with the reason. */
  passed_over: PassedOver[];
};

/** A state folder, with its path relative to the output folder, and why it was not taken, in words. */
export type PassedOver = { state: string; path: string; reason: string };

/** Whether a session goes on by itself after an interruption or a crash. */
export type AutoResumeFacts = {
  /** `enable_monitoring`: off by default. */
  on: boolean;
  /** It has ended, and is to be resumed. */
  will: boolean;
  /** Automatic resumes of the last ten minutes without a new checkpoint. */
  tries: number;
  /** In how many seconds this Trackside does it; null where it does not wait. */
  in_seconds: number | null;
  /** Why it is not resumed although it is switched on and nobody stopped it, in words. */
  reason: string | null;
};

/** The one thing that makes sense to do next. */
export type NextAction = 'start' | 'stop' | 'resume' | 'train further' | 'start over' | null;

export type SessionFacts = {
  name: string;
  lora_name: string;
  version: number;
  trainer: string;
  status: Status;
  /** Stopped, but by nobody: the pod or the runner went away. */
  interrupted: boolean;
  /** Who stopped it, through Trackside or with `kill`; null where nobody did, or nothing tells. */
  stopped_by: 'you' | 'a signal' | null;
  /** Why it is failed or stopped, in words. */
  reason: string | null;
  /** That of its last attempt, where this is why. */
  reason_code: string | null;
  /** Is there a ui_state.json, and can it be read? `found`: an output folder that something else filled. */
  record: 'whole' | 'found' | 'unreadable';
  /**
   * False for a while after a start with thousands of sessions: only the record was read yet, so `progress`, `resume`,
   * `next`, `newest_sample` and `loss_curve` are not known. Asking for the session itself always tells them.
   */
  looked_into: boolean;
  description: string;
  notes: string;
  output_path: string;
  dataset_path: string | null;
  log_path: string;
  final_checkpoint: string | null;
  /** Seconds since 1970, with fraction, when training was started; null for a draft. */
  timestamp: number | null;
  created_at: string;
  completed_at: string | null;
  /** Every epoch is trained and the final weights are whole, however its last attempt ended. */
  all_trained: boolean;
  progress: Progress;
  attempts: AttemptFacts[];
  resume: ResumeFacts | null;
  auto_resume: AutoResumeFacts;
  /** It trains on until the next checkpoint and stops then; that can still be taken back. */
  stops_after_save: boolean;
  /** Seconds without progress, once they are over the limit of the phase; null while it moves, or does not run. */
  stalled_seconds: number | null;
  /** It runs, but somebody started it in a terminal: its topmost process, and since when. Null otherwise. */
  by_hand: { pid: number; since: string } | null;
  next: NextAction;
  /** Newest sample picture, a file name under samples/. */
  newest_sample: string | null;
  /** Up to 60 points of the loss curve, oldest first, for the small chart. */
  loss_curve: number[];
  settings: Record<string, unknown>;
  /** ui_state.json was broken, and its last good version was put back; until the broken file is removed. */
  put_back: PutBackFacts | null;
};

export type PutBackFacts = {
  /** Where the broken file lies: absolute path. */
  broken: string;
  /** What was wrong with it, in words. */
  reason: string;
  /** Id in history/ of the version that was put back, and when that was kept; null where unknown. */
  version: string | null;
  saved_at: string | null;
};

/** A training that somebody started in a terminal, and that writes outside the outputs folder. */
export type HandRunFacts = {
  /** Its `--output_name`, else the name of its folder. */
  name: string;
  status: 'running' | 'stopping';
  output_dir: string;
  output_name: string | null;
  /** "flux_train_network.py" */
  script: string;
  /** Of its topmost process: launcher or trainer. */
  pid: number;
  since: string;
  progress: Progress;
};
