import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { mergeEdits, same } from './merge.js';
import type { Outputs } from './outputs/outputs.js';
import { keepBroken } from './putBack.js';
import { replaceUnchanged } from './replace.js';
import type { Session } from './session.js';
import { become, createStateFile, readStateFile, STATE_FILE, updateStateFile } from './stateFile.js';
import { parseUiState, type RawState } from './uiState.js';
import { listVersions, readVersion } from './versions.js';

/** A version of `ui_state.json` in a list. `changed`: the fields in which it differs from the version before it. */
export type VersionFacts = {
  version: string;
  /** ISO 8601, UTC. */
  saved_at: string;
  bytes: number;
  /** What the record said then; null where it can't be read. */
  status: string | null;
  attempts: number | null;
  /** Is it what the file says now? */
  present: boolean;
  changed: string[];
  /** Why it can't be put back, in words; null where it can. */
  reason: string | null;
};

/** One field in two versions; null where it is absent. Values are text, as they stand in the file. */
export type Change = { field: string; was: string | null; now: string | null };

export type VersionDetail = VersionFacts & {
  /** The file, byte for byte. */
  text: string;
  /** Field by field, against what the file says now. */
  changes: Change[];
};

/** The last versions of a session's `ui_state.json`, newest first. */
export async function readHistory({ folder, file }: Pick<Session, 'folder' | 'file'>): Promise<VersionFacts[]> {
  const read = await Promise.all((await listVersions(folder)).map(({ id }) => readOne(folder, id)));
  const versions = read.flatMap((each) => each ?? []);
  const present = file.kind === 'whole' ? file.raw : null;
  return versions.map(({ id, text, saved_at, raw, reason }, at) => {
    const before = versions.slice(at + 1).find((each) => each.raw)?.raw;
    return {
      version: id,
      saved_at,
      bytes: Buffer.byteLength(text),
      status: typeof raw?.status === 'string' ? raw.status : null,
      attempts: raw ? attemptsOf(raw).length : null,
      present: raw !== null && same(raw, present),
      changed: raw && before ? topFields(changesBetween(before, raw)) : [],
      reason,
    };
  });
}

/** One version, and how it differs from the present. Throws a Problem, 404, where there is none of that id. */
export async function readHistoryVersion(session: Session, version: string): Promise<VersionDetail> {
  const read = await readOne(session.folder, version);
  const facts = (await readHistory(session)).find((each) => each.version === version);
  if (!read || !facts) throw noVersion(session.name, version);
  const present = session.file.kind === 'whole' ? session.file.raw : {};
  return { ...facts, text: read.text, changes: changesBetween(read.raw ?? {}, present) };
}

/** What the evidence says, and no version of the past: attempts are only ever added to. */
const EVIDENCE = [
  'attempts',
  'status',
  'error',
  'completed_at',
  'timestamp',
  'outputs',
  'environment',
  'resume_from_checkpoint',
  'schema_version',
  'version',
  'created_at',
  'form_id',
];
const WORDS = ['description', 'notes'];

/**
 * Puts a version back: settings, words and whatever else a person wrote into it. Attempts and status stay those of the
 * evidence; attempts that only the version knows are added. While it is alive only description and notes are put back:
 * it was started with its settings. A present file that can't be read is kept aside, and the version takes its place
 * whole. What is replaced is a version itself, so that this can be undone. Throws a Problem where there is no such version.
 */
export async function restoreVersion(outputs: Outputs, name: string, version: string): Promise<Session> {
  const session = await outputs.read(name);
  const { folder } = session;
  const then = await readOne(folder, version);
  if (!then) throw noVersion(name, version);
  if (!then.raw) {
    throw new Problem('unreadable_version', 422, `That copy can't be put back: ${then.reason}. Nothing was changed.`);
  }
  const { raw: old, text } = then;
  const file = await readStateFile(folder);
  if (file.kind === 'whole') {
    const wordsOnly = session.liveness.alive !== 'no' || session.facts.status === 'pending';
    await updateStateFile(folder, (raw) => become(raw, wordsOnly ? withWords(raw, old) : withEvidence(raw, old)));
  } else {
    await putWhole(folder, text, file.kind === 'unreadable' ? file.signature : null);
  }
  return outputs.read(name);
}

/** How two records differ, field by field, with the path of each: `dataset.repeats`, `attempts[2].reason`. Pure. */
export function changesBetween(then: RawState, now: RawState): Change[] {
  const a = flatten(then);
  const b = flatten(now);
  const counts: [number, number] = [attemptsOf(then).length, attemptsOf(now).length];
  if (counts[0] !== counts[1]) {
    a.set('attempts', count(counts[0]));
    b.set('attempts', count(counts[1]));
  }
  const missing = (field: string) => {
    const number = Number(/^attempts\[(\d+)\]/.exec(field)?.[1] ?? 0);
    return counts[0] !== counts[1] && number > Math.min(...counts);
  };
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((field) => a.get(field) !== b.get(field) && !missing(field))
    .map((field) => ({ field, was: a.get(field) ?? null, now: b.get(field) ?? null }));
}

const count = (attempts: number) => `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;

/** Every value by its path, as text. Lists of plain values are one value; attempts count from 1. */
function flatten(record: RawState): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string, value: unknown): void => {
    if (value === null || typeof value !== 'object') found.set(path, textOf(value));
    else if (Array.isArray(value)) {
      if (value.length > 0 && value.every((each) => each !== null && typeof each === 'object')) {
        for (const [at, each] of value.entries()) walk(`${path}[${at + 1}]`, each);
      } else found.set(path, value.map(textOf).join(' '));
    } else if (Object.keys(value).length === 0) found.set(path, '');
    else for (const [key, each] of Object.entries(value)) walk(path ? `${path}.${key}` : key, each);
  };
  for (const [key, value] of Object.entries(record)) walk(key, value);
  if (attemptsOf(record).length === 0) found.delete('attempts');
  return found;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function topFields(changes: Change[]): string[] {
  return [...new Set(changes.map(({ field }) => /^[^.[]+/.exec(field)?.[0] ?? field))];
}

function withWords(present: RawState, old: RawState): RawState {
  const restored = structuredClone(present);
  for (const key of WORDS) {
    if (Object.hasOwn(old, key)) restored[key] = old[key];
    else delete restored[key];
  }
  return restored;
}

function withEvidence(present: RawState, old: RawState): RawState {
  const restored = structuredClone(old);
  for (const key of EVIDENCE) {
    if (Object.hasOwn(present, key)) restored[key] = present[key];
    else if (key !== 'attempts' && key !== 'timestamp') delete restored[key];
  }
  const attempts = mergeEdits([], attemptsOf(present), attemptsOf(old)) as { number?: number }[];
  if (attempts.length > 0) restored.attempts = attempts.toSorted((a, b) => (a.number ?? 0) - (b.number ?? 0));
  return restored;
}

async function putWhole(folder: string, text: string, signature: string | null): Promise<void> {
  const path = join(folder, STATE_FILE);
  if (signature === null) {
    if (!(await createStateFile(folder, text))) throw busy();
    return;
  }
  if (!(await stat(path)).isFile()) {
    throw new Problem('not_a_file', 422, `${path} is not a file. Move it away, and put the copy back then.`);
  }
  await keepBroken(folder, path);
  const replaced = await replaceUnchanged(path, text, signature);
  if (!replaced) throw busy();
  if (replaced.aside) await rm(replaced.aside, { force: true });
}

function busy(): Problem {
  return new Problem('busy_state', 409, `${STATE_FILE} is changed by another program; nothing was lost, try again.`);
}

async function readOne(folder: string, id: string) {
  const read = await readVersion(folder, id);
  if (!read) return null;
  try {
    return { id, ...read, raw: parseUiState(read.text).raw as RawState | null, reason: null };
  } catch (error) {
    return { id, ...read, raw: null, reason: (error as Error).message };
  }
}

function attemptsOf(raw: RawState): unknown[] {
  return Array.isArray(raw.attempts) ? raw.attempts : [];
}

function noVersion(name: string, version: string): Problem {
  const link = { link: `sessions/${encodeURIComponent(name)}/history` };
  return new Problem('no_version', 404, `There is no copy ${version} any more: the last 20 are kept.`, link);
}
