import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isOwnFolder, isWithin } from '../../security/paths.js';
import { resumeRecipe } from '../../trainers/sdOutput/resumeRecipe.js';
import { readStateFolders, type StateOnDisk, whatIsDamaged } from '../../trainers/sdOutput/stateFolders.js';
import type { StateFacts } from '../facts.js';
import type { AttemptEntry } from '../record/uiState.js';
import { lineageSources, movedAway, writerByPlace } from './writer.js';

/** A state folder with where it lies and what resuming from it means, absolute over the session's attempts. */
export type Candidate = Omit<StateFacts, 'refused'> & {
  absolutePath: string;
  savedAtMs: number;
  /** How far along the lineage it lies, in steps; null where nothing tells. Time does not: clocks jump. */
  position: number | null;
  firstEpoch: number | null;
  stepOffset: number | null;
  repeatedSteps: number;
};

/**
 * The state folders of a session's own lineage, newest first: those in the output folder, those that its attempts were
 * resumed from and that were moved to `earlier/`, and those that were moved for an attempt that never came to be. What an
 * abandoned run left is not among them.
 */
export async function readCandidates(session: {
  folder: string;
  outputName: string;
  attempts: readonly AttemptEntry[];
  stepsPerEpoch: number | null;
  writingNow: string | null;
  /** Read the newest throughout, back to one that is whole: for what is about to be resumed or looked at. */
  thorough: boolean;
}): Promise<Candidate[]> {
  const { folder, outputName, attempts, writingNow } = session;
  const options = { writingNow, mixedPrecision: precisionOf(attempts) };
  const states = (await readStateFolders(folder, outputName, options)).map((state) => ({
    state,
    parent: folder,
  }));
  for (const path of movedSources(folder, attempts)) {
    const found = await readStateFolders(dirname(path), outputName, options);
    const state = found.find((each) => each.name === basename(path));
    if (state) states.push({ state, parent: dirname(path) });
  }
  for (const parent of await movedForNothing(folder, attempts)) {
    for (const state of await readStateFolders(parent, outputName, options)) states.push({ state, parent });
  }
  const perEpoch = session.stepsPerEpoch ?? stepsPerEpochOf(states.map(({ state }) => state));
  const newestFirst = states
    .map(({ state, parent }) => candidate(state, parent, folder, attempts, perEpoch))
    .sort(
      (a, b) => (b.position ?? 0) - (a.position ?? 0) || b.savedAtMs - a.savedAtMs || (b.step ?? 0) - (a.step ?? 0),
    );
  return session.thorough ? examined(newestFirst) : newestFirst;
}

/** With fp16 a gradient scaler belongs to every state (accelerate checkpointing.py:141). */
function precisionOf(attempts: readonly AttemptEntry[]): string | null {
  const flag = '--mixed_precision=';
  const token = attempts.at(-1)?.argv.findLast((each) => each.startsWith(flag));
  return token?.slice(flag.length) ?? null;
}

async function examined(newestFirst: Candidate[]): Promise<Candidate[]> {
  const result = [...newestFirst];
  for (const [index, each] of newestFirst.entries()) {
    if (!each.complete) continue;
    const reason = await damageOf(each);
    if (reason === null) break;
    result[index] = { ...each, complete: false, reason };
  }
  return result;
}

/** What is damaged inside a state that looks complete, in words; null where nothing is. Reads all of it, once. */
export function damageOf(each: Pick<Candidate, 'absolutePath'>): Promise<string | null> {
  return whatIsDamaged(each.absolutePath).catch((error: Error) => `it cannot be read (${error.message})`);
}

export function candidate(
  state: StateOnDisk,
  parent: string,
  folder: string,
  attempts: readonly AttemptEntry[],
  stepsPerEpoch: number | null,
): Candidate {
  const absolutePath = `${parent}/${state.name}`;
  const writer = writerByPlace(attempts, relative(folder, absolutePath));
  const writerStepOffset = writer?.step_offset ?? 0;
  const recipe =
    stepsPerEpoch === null
      ? null
      : resumeRecipe(state, stepsPerEpoch, writerStepOffset, writer?.steps_per_epoch ?? stepsPerEpoch);
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
    position: stepsPerEpoch === null ? null : (recipe?.step ?? positionByName(state, writerStepOffset, stepsPerEpoch)),
    complete: state.complete,
    reason: state.reason,
    firstEpoch: recipe?.firstEpoch ?? null,
    stepOffset: recipe?.stepOffset ?? null,
    repeatedSteps: recipe?.repeatedSteps ?? 0,
  };
}

/** Of a folder whose contents don't tell, by its name. */
function positionByName({ kind, number }: StateOnDisk, writerStepOffset: number, stepsPerEpoch: number): number {
  if (number === null) return Number.POSITIVE_INFINITY;
  return kind === 'epoch' ? number * stepsPerEpoch : writerStepOffset + number;
}

/** States outside the output folder itself that the present lineage was resumed from, wherever the folder lies today. */
function movedSources(folder: string, attempts: readonly AttemptEntry[]): string[] {
  const inside = lineageSources(attempts).flatMap((path) => /\/(earlier\/[^/]+\/[^/]+)$/.exec(path)?.[1] ?? []);
  return inside
    .map((path) => join(folder, path))
    .filter((path) => isWithin(join(folder, 'earlier'), path) && existsSync(path));
}

/**
 * Folders of files that were moved to make room for an attempt of which there is no record: the sidecar was killed, or
 * the disk was full, before it could be written. The states in them are the newest that there are.
 */
async function movedForNothing(folder: string, attempts: readonly AttemptEntry[]): Promise<string[]> {
  const last = attempts.at(-1);
  const earlier = join(folder, 'earlier');
  if (!last || !(await isOwnFolder(earlier))) return [];
  const entries = await readdir(earlier, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.filter((name) => movedAway(`earlier/${name}/`) === last.number).map((name) => join(earlier, name));
}

/** Where no log tells: the first run's epoch states hold both counts (`current_step` is run-local, train_network.py:1275). */
function stepsPerEpochOf(states: readonly StateOnDisk[]): number | null {
  const ratios = states.flatMap((state) =>
    state.kind !== 'step' && state.currentEpoch && state.currentStep ? [state.currentStep / state.currentEpoch] : [],
  );
  const most = Math.max(...ratios);
  return Number.isInteger(most) && most > 0 ? most : null;
}
