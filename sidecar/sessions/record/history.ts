import { Problem } from '../../problem.js';
import { listVersions, readVersion } from './copies.js';
import { attemptsOf, type Change, changesBetween, topFields } from './differences.js';
import { same } from './merge.js';
import type { StateFile } from './stateFile.js';
import { parseUiState, type RawState } from './uiState.js';

/** A version of `ui_state.json` in a list. `changed`: the fields in which it differs from the version before it. */
export type VersionFacts = {
  version: string;
  /** ISO 8601, UTC. */
  saved_at: string;
  bytes: number;
  /** The record's status then; null when it can't be read. */
  status: string | null;
  attempts: number | null;
  /** Does it equal the present file? */
  present: boolean;
  changed: string[];
  /** Why it can't be restored, in words; null when it can. */
  reason: string | null;
};

export type VersionDetail = VersionFacts & {
  /** The file, byte for byte. */
  text: string;
  /** Field by field, against the present file. */
  changes: Change[];
};

type Recorded = { name: string; folder: string; file: StateFile };

/** The last versions of a session's `ui_state.json`, newest first. */
export async function readHistory({ folder, file }: Omit<Recorded, 'name'>): Promise<VersionFacts[]> {
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

/** One version, and its differences from the present. Throws a Problem if there is none of that id. */
export async function readHistoryVersion(session: Recorded, version: string): Promise<VersionDetail> {
  const read = await readOne(session.folder, version);
  const facts = (await readHistory(session)).find((each) => each.version === version);
  if (!read || !facts) throw noVersion(session.name, version);
  const present = session.file.kind === 'whole' ? session.file.raw : {};
  return { ...facts, text: read.text, changes: changesBetween(read.raw ?? {}, present) };
}

export async function readOne(folder: string, id: string) {
  const read = await readVersion(folder, id);
  if (!read) return null;
  try {
    return { id, ...read, raw: parseUiState(read.text).raw as RawState | null, reason: null };
  } catch (error) {
    return { id, ...read, raw: null, reason: (error as Error).message };
  }
}

export function noVersion(name: string, version: string): Problem {
  const more = { about: { history: name } };
  return new Problem('no_version', `Copy ${version} no longer exists: only the last 20 are kept.`, more);
}
