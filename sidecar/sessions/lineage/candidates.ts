import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { foldersIn } from '../../files/foldersIn.js';
import { inFile } from '../../files/inFile.js';
import { isoTime } from '../../files/isoTime.js';
import { memoByFile } from '../../files/memoByFile.js';
import { readAt } from '../../files/readAt.js';
import { isOwnFolder, isWithin } from '../../security/paths.js';
import { openLog } from '../../telemetry/logTail.js';
import type { Dialect, StateOnDisk, StateReader, StepCounts } from '../../trainers/dialect.js';
import { type AttemptEntry, stepsAdded } from '../record/uiState.js';
import type { WhatDiffers } from './exactness.js';
import { lineageSources, movedAway, writerOfState } from './writer.js';

/** A state folder with its place, and its resume in numbers that are absolute over the session's attempts. */
export type Candidate = ReturnType<typeof candidate>;

/**
 * The state folders of a session's lineage, newest first: those in the output folder, those in `earlier/` that its
 * attempts were resumed from, and those that were moved there for an attempt that never started. States of an abandoned
 * run are left out.
 */
export async function readCandidates(session: {
  folder: string;
  dialect: Dialect;
  outputName: string;
  attempts: readonly AttemptEntry[];
  stepsPerEpoch: number | null;
  writingNow: string | null;
  /** Read whole files, from the newest back to the first whole one: before a resume, or for the page. */
  thorough: boolean;
  /** What keeps exact states from being gone on with exactly; asked where there are some. */
  whatDiffers?: () => Promise<WhatDiffers>;
}): Promise<Candidate[]> {
  const { folder, outputName, attempts, writingNow } = session;
  const reader = session.dialect.states;
  const from = { writingNow, argv: attempts.at(-1)?.argv ?? [] };
  const states = (await reader.read(folder, outputName, from)).map((state) => ({ state, parent: folder }));
  for (const path of movedSources(folder, attempts)) {
    const found = await reader.read(dirname(path), outputName, from);
    const state = found.find((each) => each.name === basename(path));
    if (state) states.push({ state, parent: dirname(path) });
  }
  for (const parent of await movedForNothing(folder, attempts)) {
    for (const state of await reader.read(parent, outputName, from)) states.push({ state, parent });
  }
  const perEpoch =
    session.stepsPerEpoch ??
    (await stepsPerEpoch(
      session,
      states.map(({ state }) => state),
    ));
  const differs = states.some(({ state }) => state.exact) ? await session.whatDiffers?.() : undefined;
  const newestFirst = states
    .map(({ state, parent }) => candidate(reader, state, parent, folder, attempts, perEpoch, differs))
    .sort(
      (a, b) => (b.position ?? 0) - (a.position ?? 0) || b.savedAtMs - a.savedAtMs || (b.step ?? 0) - (a.step ?? 0),
    );
  return session.thorough ? examined(reader, newestFirst) : newestFirst;
}

async function examined(reader: StateReader, newestFirst: Candidate[]): Promise<Candidate[]> {
  const result = [...newestFirst];
  for (const [index, each] of newestFirst.entries()) {
    if (!each.complete) continue;
    const reason = await damageOf(reader, each);
    if (reason === null) break;
    result[index] = { ...each, complete: false, doubtful: false, reason };
  }
  return result;
}

/** The damage inside a state that looks complete, in words; null without any. Reads the whole state, once. */
export function damageOf(reader: StateReader, each: Pick<Candidate, 'absolutePath'>): Promise<string | null> {
  return reader.damage(each.absolutePath).catch((error: Error) => `it cannot be read (${error.message})`);
}

/** From what the weights say of themselves; states of a run that was resumed elsewhere count its steps anew. */
async function stepsPerEpoch(
  { folder, dialect, outputName }: { folder: string; dialect: Dialect; outputName: string },
  states: readonly StateOnDisk[],
): Promise<number | null> {
  if (states.length === 0) return null;
  const isOwn = ({ name }: { name: string }) => dialect.saved(name, outputName) !== null;
  const told = (await dialect.checkpoints(folder, outputName)).find(
    (each) => isOwn(each) && each.stepsPerEpoch !== null,
  );
  return told?.stepsPerEpoch ?? dialect.states.stepsPerEpoch(states) ?? (await stepsPerEpochInLog(folder, dialect));
}

/** Bytes: a trainer tells it before its first step. */
const BEGINNING_OF_LOG = 512 * 1024;

/** From the beginning of the log, for sessions whose attempts Trackside did not follow. */
async function stepsPerEpochInLog(folder: string, dialect: Dialect): Promise<number | null> {
  const path = join(folder, dialect.console.file ?? 'training.log');
  return inFile(openLog(path), async (log) => {
    if (!log) return null;
    const { ino, size } = await log.stat();
    return await stepsPerEpochAt(path, `${ino}:${Math.min(size, BEGINNING_OF_LOG)}`, log, dialect);
  });
}

/** A session is read every few seconds, and the beginning of its log stays. */
const stepsPerEpochAt = memoByFile(async (_path: string, log: FileHandle, { console }: Dialect) => {
  const text = (await readAt(log, 0, BEGINNING_OF_LOG)).toString('utf8');
  return console.facts(console.read(null, text, '').memory, null).stepsPerEpoch;
});

function candidate(
  reader: StateReader,
  state: StateOnDisk,
  parent: string,
  folder: string,
  attempts: readonly AttemptEntry[],
  stepsPerEpoch: number | null,
  whatDiffers: WhatDiffers = () => [],
) {
  const absolutePath = `${parent}/${state.name}`;
  const writer = writerOfState(attempts, relative(folder, absolutePath), state);
  const differs = state.exact ? whatDiffers(state.exact, writer) : [];
  const counted = {
    stepsPerEpoch,
    writer: countsOf(writer),
  };
  const recipe = reader.recipe(differs.length > 0 ? { ...state, exact: null } : state, counted);
  return {
    name: state.name,
    path: relative(folder, absolutePath),
    absolutePath,
    kind: state.kind,
    epoch: recipe?.epoch ?? null,
    step: recipe?.step ?? null,
    bytes: state.bytes,
    saved_at: isoTime(state.savedAtMs),
    savedAtMs: state.savedAtMs,
    /** Its place along the lineage, in steps; null when unknown. Not by time: clocks jump. */
    position: recipe?.step ?? reader.position(state, counted),
    complete: state.complete,
    reason: state.reason,
    doubtful: state.doubtful ?? false,
    foreign: state.foreign ?? false,
    firstEpoch: recipe?.firstEpoch ?? null,
    stepOffset: recipe?.stepOffset ?? null,
    repeatedSteps: recipe?.repeatedSteps ?? 0,
    exact: recipe?.exact ?? false,
    /** Why it can't be gone on with exactly, though it has all it needs: what differs today, in words. */
    differs,
    /** Steps of the first epoch that are trained already, and not again. */
    intoEpoch: recipe?.exact && stepsPerEpoch ? Math.max(0, recipe.step - recipe.epoch * stepsPerEpoch) : 0,
    /** `stepOffset` as the trainer counts: as if all epochs before were as long. */
    trainersStep: recipe && stepsPerEpoch ? (recipe.firstEpoch - 1) * stepsPerEpoch : null,
  };
}

/** An attempt whose steps are absolute counts as one from the beginning. */
function countsOf(writer: AttemptEntry | null): StepCounts['writer'] {
  const stepsPerEpoch = writer?.steps_per_epoch ?? null;
  if (writer && writer.step_offset > 0 && stepsAdded(writer) === 0)
    return { stepOffset: 0, firstEpoch: 1, stepsPerEpoch };
  return { stepOffset: writer?.step_offset ?? null, firstEpoch: writer?.first_epoch ?? null, stepsPerEpoch };
}

/** States in `earlier/` that the present lineage was resumed from, wherever the session's folder is today. */
function movedSources(folder: string, attempts: readonly AttemptEntry[]): string[] {
  const inside = lineageSources(attempts).flatMap((path) => /\/(earlier\/[^/]+\/[^/]+)$/.exec(path)?.[1] ?? []);
  return inside
    .map((path) => join(folder, path))
    .filter((path) => isWithin(join(folder, 'earlier'), path) && existsSync(path));
}

/**
 * Folders of files that were moved for an attempt without a record: the sidecar was killed, or the disk was full,
 * before it was written. Their states are the newest of all.
 */
async function movedForNothing(folder: string, attempts: readonly AttemptEntry[]): Promise<string[]> {
  const last = attempts.at(-1);
  const earlier = join(folder, 'earlier');
  if (!last || !(await isOwnFolder(earlier))) return [];
  const names = await foldersIn(earlier, 'sessions');
  return names.filter((name) => movedAway(`earlier/${name}/`) === last.number).map((name) => join(earlier, name));
}
