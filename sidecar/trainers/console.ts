import type { Phase } from './phase.js';

/** A reader's memory of an attempt: JSON that only the dialect understands. Null before the first read. */
export type Memory = Record<string, unknown> | null;

/** Reads the progress of a training. */
export type ConsoleReader = {
  /** The training's progress file in the output folder; null: its console, training.log. */
  file: string | null;
  /**
   * Folds in the next text, however it was cut into pieces. A progress file may hold other attempts: only `attempt`, by
   * its id, counts.
   */
  read(memory: Memory, text: string, attempt: string): { memory: Memory; events: ConsoleEvent[] };
  /** The facts so far. `beginning` is null when unknown, as for a training by hand. */
  facts(memory: Memory, beginning: Beginning | null): ConsoleFacts;
  /** Merges the memories of one training's several files. */
  together(memories: readonly Memory[]): Memory;
  /** The newest training's part of a file that several trainings wrote into, one after the other. */
  newestRun(text: string): string;
};

/** The beginning of an attempt, in absolute numbers. */
export type Beginning = {
  /** Optimizer steps before it, as known at its start. */
  stepOffset: number;
  /** From 1; a plain resume begins at its start, an exact one perhaps in its middle. */
  firstEpoch: number;
  /** What to add to the trainer's own steps: 0 if they are absolute; absent: `stepOffset`. */
  stepsAdded?: number;
};

/** Facts from a console. Steps are optimizer steps; epochs and steps are absolute over a session's attempts. */
export type ConsoleFacts = {
  phase: Phase;
  /** Null before the attempt's own first step. */
  step: number | null;
  /** Steps before the attempt's own first one. */
  stepOffset: number;
  /** What to add to the trainer's own steps; absent: `stepOffset`. */
  stepsAdded?: number;
  totalSteps: number | null;
  epoch: number | null;
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** The trainer's own running mean. */
  loss: number | 'nan' | null;
  /** The state folder that is being written. */
  savingState: string | null;
  /** The newest weights file, perhaps unfinished. */
  lastCheckpoint: string | null;
  /** The state of the newest weights is not saved yet; it follows if the training saves states. */
  stateFollows: boolean;
  /** It has done everything. */
  finished: boolean;
  /** It has reported nothing, and perhaps never will: only its exit code counts. */
  silent?: boolean;
  /** Can it be paused after any step, and if not, why? Null before it says so. */
  exact?: { available: boolean; why: string | null } | null;
  /** The step whose state it saved before it ended; null if it did not pause. */
  pausedAt?: number | null;
  /** It ended before its first step, with nothing to save. */
  leftUnsaved?: boolean;
  /** Why what was asked of it could not be done, in words; null after something else was done. */
  refused?: string | null;
  /** Why it went on plainly from a state that has all that an exact resume needs, in words. */
  notExactly?: string | null;
  /** It ends at this step, and its weights become the final ones. */
  finishingAt?: number | null;
};

export type ConsoleEvent =
  /** `step` and `total` in the trainer's own count. */
  | { type: 'step'; step: number; total: number; loss: number | 'nan' | null }
  | { type: 'epoch'; epoch: number; epochs: number }
  | { type: 'phase'; phase: Phase }
  | { type: 'checkpoint'; path: string }
  | { type: 'state-begun'; path: string }
  | { type: 'state-saved'; path: string }
  | { type: 'sampling' }
  /** What a script says to whoever watches. `at`: seconds since 1970. */
  | { type: 'alert'; title: string; text: string; level: 'info' | 'warn' | 'error'; at: number }
  /** What was asked of it could not be done. */
  | { type: 'refused'; words: string }
  | { type: 'resumed'; path: string }
  | { type: 'finished' };
