import { existsSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { resumeRecipe } from '../trainers/resumeRecipe.js';
import { readStateFolders, type StateOnDisk } from '../trainers/stateFolders.js';
import type { ResumeFacts, StateFacts } from './facts.js';
import type { AttemptEntry } from './uiState.js';

/** A state folder with where it lies and what resuming from it means, absolute over the session's attempts. */
export type Candidate = StateFacts & {
  absolutePath: string;
  savedAtMs: number;
  firstEpoch: number | null;
  stepOffset: number | null;
  repeatedSteps: number;
};

/**
 * The state folders of a session's own lineage, newest first: those in the output folder, and those that its attempts
 * were resumed from and that were moved to `earlier/`. What an abandoned run left is not among them.
 */
export async function readCandidates(session: {
  folder: string;
  outputName: string;
  attempts: readonly AttemptEntry[];
  stepsPerEpoch: number | null;
  writingNow: string | null;
}): Promise<Candidate[]> {
  const { folder, outputName, attempts, writingNow } = session;
  const states = (await readStateFolders(folder, outputName, { writingNow })).map((state) => ({
    state,
    parent: folder,
  }));
  for (const path of movedSources(folder, attempts)) {
    const found = await readStateFolders(dirname(path), outputName, { writingNow });
    const state = found.find((each) => each.name === basename(path));
    if (state) states.push({ state, parent: dirname(path) });
  }
  const perEpoch = session.stepsPerEpoch ?? stepsPerEpochOf(states.map(({ state }) => state));
  return states
    .map(({ state, parent }) => candidate(state, parent, folder, writerOffset(state, attempts), perEpoch))
    .sort((a, b) => b.savedAtMs - a.savedAtMs || (b.step ?? 0) - (a.step ?? 0));
}

/**
 * What the Resume button would use: the newest complete state that leaves something to train. Null where there is none.
 * `trainedSteps` is how far the run had come, for telling what is lost.
 */
export function chooseResume(
  candidates: readonly Candidate[],
  epochs: number | null,
  trainedSteps: number | null,
): { facts: ResumeFacts; candidate: Candidate } | null {
  const passed: { state: string; reason: string }[] = [];
  for (const each of candidates) {
    const reason = whyNot(each, epochs);
    if (reason === null) return { candidate: each, facts: resumeFacts(each, trainedSteps, passed) };
    passed.push({ state: each.name, reason });
  }
  return null;
}

export function resumeFacts(
  chosen: Candidate,
  trainedSteps: number | null,
  passedOver: { state: string; reason: string }[],
): ResumeFacts {
  const step = chosen.step ?? 0;
  return {
    state: chosen.name,
    path: chosen.path,
    epoch: chosen.epoch ?? 0,
    step,
    first_epoch: chosen.firstEpoch ?? 1,
    lost_steps: trainedSteps === null ? null : Math.max(0, trainedSteps - step),
    repeated_steps: chosen.repeatedSteps,
    passed_over: passedOver,
  };
}

/** Why a state can't be resumed from, in words; null when it can. */
export function whyNot(each: Candidate, epochs: number | null): string | null {
  if (!each.complete) return each.reason ?? 'it is not complete';
  if (each.firstEpoch === null) return 'nothing tells how many steps an epoch has';
  if (epochs !== null && each.firstEpoch > epochs) return `all ${epochs} epochs are in it already`;
  return null;
}

function candidate(
  state: StateOnDisk,
  parent: string,
  folder: string,
  writerStepOffset: number,
  stepsPerEpoch: number | null,
): Candidate {
  const absolutePath = `${parent}/${state.name}`;
  const recipe = stepsPerEpoch === null ? null : resumeRecipe(state, stepsPerEpoch, writerStepOffset);
  return {
    name: state.name,
    path: relative(folder, absolutePath),
    absolutePath,
    kind: state.kind,
    epoch: recipe?.epoch ?? null,
    step: recipe?.step ?? null,
    bytes: state.bytes,
    saved_at: new Date(state.savedAtMs).toISOString(),
    savedAtMs: state.savedAtMs,
    complete: state.complete,
    reason: state.reason,
    firstEpoch: recipe?.firstEpoch ?? null,
    stepOffset: recipe?.stepOffset ?? null,
    repeatedSteps: recipe?.repeatedSteps ?? 0,
  };
}

/** States outside the output folder itself that an attempt since the last fresh beginning was resumed from. */
function movedSources(folder: string, attempts: readonly AttemptEntry[]): string[] {
  const fresh = attempts.findLastIndex((attempt) => attempt.kind !== 'resume');
  const sources = attempts.slice(Math.max(0, fresh)).flatMap((attempt) => attempt.resumed_from ?? []);
  return [...new Set(sources)].filter((path) => dirname(path) !== folder && existsSync(path));
}

/** The step offset of the attempt that wrote a state: the last one that had begun by then. */
function writerOffset(state: StateOnDisk, attempts: readonly AttemptEntry[]): number {
  const writer = attempts.findLast((attempt) => Date.parse(attempt.started_at) <= state.savedAtMs);
  return writer?.step_offset ?? 0;
}

/** Where no log tells: the first run's epoch states hold both counts (`current_step` is run-local, train_network.py:1275). */
function stepsPerEpochOf(states: readonly StateOnDisk[]): number | null {
  const ratios = states.flatMap((state) =>
    state.kind !== 'step' && state.currentEpoch && state.currentStep ? [state.currentStep / state.currentEpoch] : [],
  );
  const most = Math.max(...ratios);
  return Number.isInteger(most) && most > 0 ? most : null;
}
