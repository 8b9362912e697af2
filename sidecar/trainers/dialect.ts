import type { ConsoleReader } from './console.js';
import type { LossCurve } from './lossCurve.js';
import type { RunSeries } from './series.js';

/**
 * The output of a kind of training: its console, metrics, checkpoints, states, samples, and the words for its failures.
 * `sdOutput/` is the dialect of sd-scripts and of the practice trainer. Entries are names directly inside a session's
 * output folder, `folder` is absolute, and `outputName` is the first part of file names.
 */
export type Dialect = {
  console: ConsoleReader;
  /** The output name in a command; null without one. */
  outputName(argv: readonly string[]): string | null;
  /** Any checkpoint or state, and the output name in its name, if there is one; null for other entries. */
  nameBehind(entry: string): { is: Saved['is']; outputName: string | null } | null;
  /** The kind of an entry of the LoRA called `outputName`; null if it is not one of its checkpoints and states. */
  saved(entry: string, outputName: string): Saved | null;
  /** Would an attempt from `firstEpoch` on overwrite an entry, which is then moved away? Null: from scratch. */
  overwrites(entry: string, outputName: string, firstEpoch: number | null): boolean;
  /** The checkpoints directly inside a folder, newest first, those of another name included. Reads no more than headers. A missing folder holds none. */
  checkpoints(folder: string, outputName: string): Promise<CheckpointOnDisk[]>;
  /** Those in the folders below it in which other tools keep weights. Absent: none. */
  checkpointsBelow?(folder: string, outputName: string): Promise<CheckpointsBelow[]>;
  /** The weights that complete a training. */
  final: {
    /** Relative to the output folder. */
    name(outputName: string): string;
    /** The fault of the file, in words that follow its name; null if it is whole. */
    wrong(path: string): Promise<string | null>;
  };
  /** What proves that a training is complete: new final weights by default, or that it says so itself. */
  completes?: 'by its word';
  /** The steps of checkpoints, states and samples count from the beginning of the training, not from its last resume. */
  absoluteSteps?: true;
  states: StateReader;
  samples: {
    /** The folder's name. */
    folder: string;
    /** Is this the file name of a sample? */
    isName(file: string): boolean;
    /** The whole samples, newest first; `folder` is the output folder. */
    read(folder: string): Promise<SampleOnDisk[]>;
    /** The same with those that may be cut, which `isWhole` tells: for who shows few of thousands. */
    listed(folder: string): Promise<SampleOnDisk[]>;
    isWhole(folder: string, name: string): Promise<boolean>;
    /** When a command draws them, of prompts one a line; null if never. Absent: nobody knows. */
    plan?(argv: readonly string[], prompts: string, training?: StepOfTraining): SamplingPlan | null;
    /** File name of the newest whole one, found with as little reading as possible. */
    newest(folder: string): Promise<string | null>;
  };
  metrics: {
    /** All values of each start of the training, oldest first; `folder` is the output folder. */
    runs(folder: string): Promise<MetricValue[][]>;
    /** The loss of every step of each start, oldest first, thinned. Reads only what is new since the last call. */
    losses(folder: string): Promise<LossCurve[]>;
    /** All curves of each start, oldest first. Reads only what is new since the last call; steps as in `countedBy`. */
    series(folder: string): Promise<RunSeries[]>;
    /** The count of a tag's values, or of losses: the run's own steps, or steps or epochs of the whole training. */
    countedBy(tag: string): 'own steps' | 'steps' | 'epochs';
  };
  /** Explains why a training ended, from the last lines of its log. */
  explain(log: string, exit: Exit, argv: readonly string[]): Explanation;
};

/** Samples come every `distance` optimizer steps or epochs. */
export type SamplingPlan = {
  every: 'steps' | 'epochs';
  distance: number;
  /** Each time. */
  pictures: number;
  /** Pixels over which the model is run for them, all denoising steps together: what drawing costs on one machine. */
  drawnPixels: number;
  /** Steps of training that take about as long, as long as nobody has measured it. */
  asSteps: number;
};

/** What a step of a training works on: the side of its pictures in pixels, and how many of them; absent where unknown. */
export type StepOfTraining = { side?: number | undefined; batch?: number | undefined };

/** Epoch numbers are absolute, step numbers are the trainer's own, from the file name. */
export type SavedAt =
  | { kind: 'epoch'; number: number }
  | { kind: 'step'; number: number }
  | { kind: 'final'; number: null };

/** The kind of an entry of an output folder. */
export type Saved = SavedAt & { is: 'checkpoint' | 'state' };

export type CheckpointOnDisk = {
  name: string;
  /** `other`: weights of which nothing tells when they were saved. */
  kind: SavedAt['kind'] | 'other';
  /** The number in the name; steps count from the last resume. */
  number: number | null;
  bytes: number;
  savedAtMs: number;
  /** Inside the outputs, and neither being written nor cut off. */
  whole: boolean;
  /** The fault of one that is not whole, in words that follow its name. */
  wrong?: string | null;
  /** The epoch of the save, absolute; null when unknown, like the next three. */
  epoch: number | null;
  /** Steps trained by then, counted from the last resume. */
  steps: number | null;
  /** Of the whole training. */
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** Its base model, by its own metadata. */
  baseModel?: string | undefined;
  /** Further metadata, by the trainer's names. */
  told: Record<string, string>;
};

/** `place` is relative to the output folder. */
export type CheckpointsBelow = { place: string; files: CheckpointOnDisk[] };

/** A state folder. */
export type StateOnDisk = {
  name: string;
  kind: SavedAt['kind'];
  /** The number in the name. */
  number: number | null;
  /** Absolute; null when its contents don't tell. */
  currentEpoch: number | null;
  /** In the trainer's own count. */
  currentStep: number | null;
  /** Optimizer steps that its weights have seen, of all attempts together, by the optimizer's own count; null when untold. */
  seenSteps?: number | null;
  bytes: number;
  /** The end of the save; for an unfinished one, the time of its newest file. */
  savedAtMs: number;
  /** Can it be resumed from? */
  complete: boolean;
  /** Why not, in words that can follow the folder's name and a colon. */
  reason: string | null;
  /** Only the times of its files are in doubt: a person may resume from it anyway. */
  doubtful?: boolean;
  /** No state folder of this trainer: an archive of one, or another tool's. It is left as it is. */
  foreign?: boolean;
  /** Where it can be gone on from exactly, in the middle of an epoch too; null or absent when it can't. */
  exact?: ExactPlace | null;
};

/**
 * Absolute, from `exact_0.json`. `epoch` counts from 1; `whole`: all of its batches are trained. `facts`: what has to be the
 * same for it to be gone on with exactly, see exactFacts.ts.
 */
export type ExactPlace = {
  step: number;
  epoch: number;
  whole: boolean;
  madeFor: string | null;
  facts: Record<string, unknown>;
};

export type StateReader = {
  /**
   * The states directly inside a folder, newest save first. `writingNow` is the one that the trainer is writing; `argv`
   * is the command that wrote them, empty when unknown. A missing folder holds none.
   */
  read(
    folder: string,
    outputName: string,
    from: { writingNow: string | null; argv: readonly string[] },
  ): Promise<StateOnDisk[]>;
  /** Is any of these entries a complete state? Reads no more of them than necessary. */
  hasComplete(folder: string, outputName: string, entries: readonly string[]): Promise<boolean>;
  /** Reads all of a state that looks complete, once while it stays the same: its damage in words, or null. */
  damage(path: string): Promise<string | null>;
  /** Optimizer steps per epoch from the states alone; null when they don't tell. */
  stepsPerEpoch(states: readonly StateOnDisk[]): number | null;
  /** How to resume from a state; null when unknown. */
  recipe(state: StateOnDisk, counted: StepCounts): ResumeRecipe | null;
  /** A state's place along the training, in steps, perhaps from its name alone; null when unknown. */
  position(state: StateOnDisk, counted: StepCounts): number | null;
};

/** The step counts now, and when a state was written. */
export type StepCounts = {
  /** Optimizer steps per epoch; null when unknown. */
  stepsPerEpoch: number | null;
  /** The beginning of the attempt that wrote it, and its steps per epoch, which a changed dataset changes; null when unknown. */
  writer: { stepOffset: number | null; firstEpoch: number | null; stepsPerEpoch: number | null };
};

/** All numbers absolute over the session; epochs count from 1. */
export type ResumeRecipe = {
  /** Whole epochs that the state holds. */
  epoch: number;
  /** Optimizer steps that the state's weights have seen. */
  step: number;
  /** The first epoch that will be trained. Nothing is left to train when it exceeds the number of epochs. */
  firstEpoch: number;
  /** The number to add to the trainer's step, which counts from 0 again. */
  stepOffset: number;
  /** Steps that the weights have seen beyond `stepOffset`: a plain resume cannot begin in the middle of an epoch. */
  repeatedSteps: number;
  /** It goes on bit for bit, in the middle of an epoch too. */
  exact?: boolean;
};

export type SampleOnDisk = {
  /** File name. */
  name: string;
  /** The epoch that triggered it, absolute; 0 is the sample before training. */
  epoch: number | null;
  /** The step that triggered it, counted from the last resume. */
  step: number | null;
  /** Index of the prompt, from 0. */
  prompt: number;
  seed: string | null;
  bytes: number;
  savedAtMs: number;
};

export type MetricValue = {
  tag: string;
  /** See `countedBy`. */
  step: number;
  value: number;
  /** Seconds since 1970. */
  wallTime: number;
};

/**
 * The end of a process. `code` is null after a signal. `oomKills` counts the kernel's kills around it for lack of
 * memory, null without a counter; `oomKilled` if it was itself among them.
 */
export type Exit = { code: number | null; signal: string | null; oomKilled: boolean; oomKills: number | null };

export type Explanation = {
  /** One or two sentences with what to do; null when nothing can be said beyond the exit itself. */
  words: string | null;
  /**
   * The reason as a code, to compare: `out_of_memory`, `disk_full`, `exception:ValueError:0b1c…`. The page offers help
   * for `broken_cache`: broken caches beside the pictures.
   */
  code: string | null;
  /** Why auto-resume would not help: the error would repeat, or somebody ended it by hand. */
  again: 'repeats' | 'by hand' | null;
};
