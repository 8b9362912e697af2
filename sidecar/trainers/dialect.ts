import type { LossCurve } from './lossCurve.js';
import type { Phase } from './phase.js';

/**
 * What a kind of training prints and leaves behind: its console, metrics, checkpoints, states, samples, and the words for its
 * failures. `sdOutput/` is that of sd-scripts and of the practice trainer. Entries are names directly inside the output folder
 * of a session, `folder` is absolute, and `outputName` is what the files are named after.
 */
export type Dialect = {
  console: ConsoleReader;
  /** What the files are named after, by the command that was started; null where that doesn't tell. */
  outputName(argv: readonly string[]): string | null;
  /** What a checkpoint or a state is named after, whatever that is; null for other entries. */
  nameBehind(entry: string): { is: Saved['is']; outputName: string } | null;
  /** What an entry holds of the LoRA called `outputName`; null where it is none of its checkpoints and states. */
  saved(entry: string, outputName: string): Saved | null;
  /** Whether an attempt that begins at `firstEpoch` would write over an entry, which is then moved away; null: from scratch. */
  overwrites(entry: string, outputName: string, firstEpoch: number | null): boolean;
  /** The checkpoints directly inside a folder, newest first, those of another name included. Reads no more than headers. A missing folder holds none. */
  checkpoints(folder: string, outputName: string): Promise<CheckpointOnDisk[]>;
  /** The weights with which a training is complete. */
  final: {
    /** Relative to the output folder. */
    name(outputName: string): string;
    /** What is wrong with the file, in words to follow its name; null where it is whole. */
    wrong(path: string): Promise<string | null>;
  };
  states: StateReader;
  samples: {
    /** The entry that holds them. */
    folder: string;
    /** Is this the name of a file in it that is a sample? */
    isName(file: string): boolean;
    /** The whole ones, newest first; `folder` is the output folder. */
    read(folder: string): Promise<SampleOnDisk[]>;
    /** File name of the newest whole one, found with as little reading as possible. */
    newest(folder: string): Promise<string | null>;
  };
  metrics: {
    /** All that each start of the training reported, oldest first; `folder` is the output folder. */
    runs(folder: string): Promise<MetricValue[][]>;
    /** The loss of every step of each start, oldest first, thinned. Reads only what is new since the last call. */
    losses(folder: string): Promise<LossCurve[]>;
    /** How values of a tag, or losses, are counted: by steps since the run began, or by steps or epochs of the whole training. */
    countedBy(tag: string): 'own steps' | 'steps' | 'epochs';
  };
  /** Why a training ended, from the last part of what it printed. */
  explain(logTail: string, exit: Exit): Explanation;
};

/** What a reader has to remember of an attempt: JSON that only the dialect understands. Null: nothing was read yet. */
export type Memory = Record<string, unknown> | null;

/** Reads how far a training is. */
export type ConsoleReader = {
  /** The file in the output folder in which it says so; null: all that it prints, training.log. */
  file: string | null;
  /**
   * Folds in what was written next, however it was cut into pieces. A file of its own may hold other attempts: only `attempt`,
   * by its id, counts.
   */
  read(memory: Memory, text: string, attempt: string): { memory: Memory; events: ConsoleEvent[] };
  /** What it said so far. `beginning` null: not known, as with a training that somebody else started. */
  facts(memory: Memory, beginning: Beginning | null): ConsoleFacts;
  /** What was read of one training from several files, as if it had been one. */
  together(memories: readonly Memory[]): Memory;
  /** The part of a file that several trainings printed into, one after the other, that the newest one printed. */
  newestRun(text: string): string;
};

/** Where an attempt began: steps are counted from there, absolute. */
export type Beginning = {
  /** Optimizer steps before it, as far as they were known when it was started. */
  stepOffset: number;
  /** From 1; a resume begins at the start of an epoch. */
  firstEpoch: number;
};

/** What a training has said of itself. Steps are optimizer steps; epochs and steps are absolute over a session's attempts. */
export type ConsoleFacts = {
  phase: Phase;
  /** Null before the attempt's own first step. */
  step: number | null;
  /** Steps before the attempt's own first one. The console knows better than we did when we started it: another dataset, or another number of GPUs, makes another number of steps an epoch. */
  stepOffset: number;
  totalSteps: number | null;
  epoch: number | null;
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** The trainer's own running mean. */
  loss: number | 'nan' | null;
  /** The state folder that is being written. */
  savingState: string | null;
  /** The last weights file that was begun. */
  lastCheckpoint: string | null;
  /** The state that belongs to the last weights was not saved yet, and will be where the training saves states. */
  stateFollows: boolean;
  /** It did all that it was asked for. */
  finished: boolean;
};

export type ConsoleEvent =
  /** `step` and `total` as the trainer counts. */
  | { type: 'step'; step: number; total: number; loss: number | 'nan' | null }
  | { type: 'epoch'; epoch: number; epochs: number }
  | { type: 'phase'; phase: Phase }
  | { type: 'checkpoint'; path: string }
  | { type: 'state-begun'; path: string }
  | { type: 'state-saved'; path: string }
  | { type: 'sampling' }
  | { type: 'resumed'; path: string }
  | { type: 'finished' };

/** The number of an epoch is absolute, that of a step is as the trainer counts it in names. */
export type SavedAt =
  | { kind: 'epoch'; number: number }
  | { kind: 'step'; number: number }
  | { kind: 'final'; number: null };

/** What an entry of an output folder is. */
export type Saved = SavedAt & { is: 'checkpoint' | 'state' };

export type CheckpointOnDisk = {
  name: string;
  /** `other`: weights of which nothing tells when they were saved. */
  kind: SavedAt['kind'] | 'other';
  /** The number in the name; that of a step counts from the last resume. */
  number: number | null;
  bytes: number;
  savedAtMs: number;
  /** Not being written, and not cut off. */
  whole: boolean;
  /** What is wrong with one that is not whole, in words to follow its name. */
  wrong?: string | null;
  /** The epoch it was saved in, absolute; null where nothing tells, as the next three. */
  epoch: number | null;
  /** Steps trained by then, counted from the last resume. */
  steps: number | null;
  /** Of the whole training. */
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** What it says that it was trained on. */
  baseModel?: string | undefined;
  /** What more it tells of itself, by the trainer's names. */
  told: Record<string, string>;
};

/** A state folder. */
export type StateOnDisk = {
  name: string;
  kind: SavedAt['kind'];
  /** The number in the name. */
  number: number | null;
  /** Absolute; null where its contents don't tell. */
  currentEpoch: number | null;
  /** As the trainer counts it. */
  currentStep: number | null;
  bytes: number;
  /** When the save ended; of an unfinished one, when its newest file was written. */
  savedAtMs: number;
  /** Can it be resumed from? */
  complete: boolean;
  /** Why not, in words that can follow the folder's name and a colon. */
  reason: string | null;
  /** Nothing but the times of its files speaks against it: a person may resume from it all the same. */
  doubtful?: boolean;
};

export type StateReader = {
  /**
   * The states directly inside a folder, newest save first. `writingNow` is the one that the trainer is writing at this
   * moment; `argv` the command that wrote them, empty where unknown. A missing folder holds none.
   */
  read(
    folder: string,
    outputName: string,
    from: { writingNow: string | null; argv: readonly string[] },
  ): Promise<StateOnDisk[]>;
  /** Is any of these entries of a folder a complete state? Looks at no more of them than it has to. */
  hasComplete(folder: string, outputName: string, entries: readonly string[]): Promise<boolean>;
  /** Reads all of a state that looks complete: what is damaged inside, in words, or null. Once while it stays the same. */
  damage(path: string): Promise<string | null>;
  /** Optimizer steps of an epoch, where nothing but the states tells; null where they don't either. */
  stepsPerEpoch(states: readonly StateOnDisk[]): number | null;
  /** How to go on from a state; null where that can't be told. */
  recipe(state: StateOnDisk, counted: StepCounts): ResumeRecipe | null;
  /** How far along the training a state lies, in steps, from as little as its name; null where nothing tells. */
  position(state: StateOnDisk, counted: StepCounts): number | null;
};

/** How steps were counted when a state was written, and are now. */
export type StepCounts = {
  /** Optimizer steps of an epoch; null where unknown. */
  stepsPerEpoch: number | null;
  /** Steps before the attempt that wrote it, and what an epoch had then: a changed dataset changes that. */
  writer: { stepOffset: number; stepsPerEpoch: number | null };
};

/** All numbers absolute over the session; epochs count from 1. */
export type ResumeRecipe = {
  /** Whole epochs that the state holds. */
  epoch: number;
  /** Optimizer steps that the state's weights have seen. */
  step: number;
  /** The first epoch that will be trained. Nothing is left to train when it exceeds the number of epochs. */
  firstEpoch: number;
  /** What to add to the step that the trainer shows, which counts from 0 again. */
  stepOffset: number;
  /** Steps inside the state that are trained again: a resume cannot begin in the middle of an epoch. */
  repeatedSteps: number;
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
 * How a process ended. `code` is null when a signal ended it. `oomKills` counts what the kernel killed around it for lack of
 * memory, null where no counter tells; `oomKilled` where it was itself among them.
 */
export type Exit = { code: number | null; signal: string | null; oomKilled: boolean; oomKills: number | null };

export type Explanation = {
  /** One or two sentences with what to do; null when nothing can be said beyond the exit itself. */
  words: string | null;
  /**
   * What tells this end from others, whatever its words: `out_of_memory`, `disk_full`, `exception:ValueError:0b1c…`. A page helps
   * with `broken_cache`: caches beside the pictures that are broken.
   */
  code: string | null;
  /** What speaks against starting it again by itself: an error that would only repeat, somebody's hand. */
  again: 'repeats' | 'by hand' | null;
};
