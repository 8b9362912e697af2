import { z } from 'zod';
import { Problem } from '../../problem.js';
import { attemptFacts } from '../facts.js';
import { listVersions, readVersion } from './copies.js';
import { attemptsOf, change, changesBetween, editsAmong, topFields } from './differences.js';
import { same } from './merge.js';
import { type ParsedState, parseUiState } from './parseUiState.js';
import type { StateFile } from './stateFile.js';

/** What came of a session between two versions of its record. */
const moment = z.object({
  /** It is the first version that is kept. */
  first: z.boolean(),
  /** An attempt that began. */
  began: attemptFacts.pick({ kind: true, automatic: true, first_epoch: true }).nullable(),
  /** A new status, with the reason of an end. */
  status: z.string().nullable(),
  reason: z.string().nullable(),
  /** Of settings, description, notes and a person's own keys. */
  edits: z.array(change),
});
export type Moment = z.infer<typeof moment>;

/** A version of `ui_state.json` in a list. `changed`: the fields in which it differs from the version before it. */
export const versionFacts = z.object({
  version: z.string(),
  /** ISO 8601, UTC. */
  saved_at: z.string(),
  bytes: z.number(),
  /** The record's status then; null when it can't be read. */
  status: z.string().nullable(),
  attempts: z.number().nullable(),
  /** Does it equal the present file? */
  present: z.boolean(),
  changed: z.array(z.string()),
  /** What it is about, against the version before it. */
  about: moment,
  /** Why it can't be restored, in words; null when it can. */
  reason: z.string().nullable(),
});
export type VersionFacts = z.infer<typeof versionFacts>;

export const versionDetail = versionFacts.extend({
  /** The file, byte for byte. */
  text: z.string(),
  /** Field by field, against the present file. */
  changes: z.array(change),
});
export type VersionDetail = z.infer<typeof versionDetail>;

type Recorded = { name: string; folder: string; file: StateFile };

/** The last versions of a session's `ui_state.json`, newest first. */
export async function readHistory({ folder, file }: Omit<Recorded, 'name'>): Promise<VersionFacts[]> {
  const read = await Promise.all((await listVersions(folder)).map(({ id }) => readOne(folder, id)));
  const versions = read.flatMap((each) => each ?? []);
  const present = file.kind === 'whole' ? file.raw : null;
  return versions.map((version, at) => {
    const { id, text, saved_at, raw, reason } = version;
    const before = versions.slice(at + 1).find((each) => each.raw);
    return {
      version: id,
      saved_at,
      bytes: Buffer.byteLength(text),
      status: typeof raw?.status === 'string' ? raw.status : null,
      attempts: raw ? attemptsOf(raw).length : null,
      present: raw !== undefined && same(raw, present),
      changed: raw && before?.raw ? topFields(changesBetween(before.raw, raw)) : [],
      about: momentBetween(before, version),
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

function momentBetween(before: Partial<ParsedState> | undefined, { raw, state }: Partial<ParsedState>): Moment {
  const nothing = { first: false, began: null, status: null, reason: null, edits: [] };
  if (!raw || !state) return nothing;
  if (!before?.raw || !before.state) return { ...nothing, first: true };
  const { status = null, attempts } = state;
  const last = attempts.at(-1);
  const isNew = status !== (before.state.status ?? null);
  const { kind, automatic, first_epoch } = last ?? {};
  return {
    first: false,
    began:
      attempts.length > before.state.attempts.length && kind
        ? { kind, automatic: automatic ?? false, first_epoch: first_epoch ?? 1 }
        : null,
    status: isNew ? status : null,
    reason: isNew ? (last?.reason ?? null) : null,
    edits: editsAmong(changesBetween(before.raw, raw)),
  };
}

/** A copy as it was read: without `raw` and `state` where it is none, which `reason` tells in words. */
type ReadCopy = Partial<ParsedState> & { id: string; text: string; saved_at: string; reason: string | null };

export async function readOne(folder: string, id: string): Promise<ReadCopy | null> {
  const read = await readVersion(folder, id);
  if (!read) return null;
  try {
    return { id, ...read, ...parseUiState(read.text), reason: null };
  } catch (error) {
    return { id, ...read, reason: (error as Error).message };
  }
}

export function noVersion(name: string, version: string): Problem {
  const more = { about: { history: name } };
  return new Problem('no_version', `Copy ${version} no longer exists: only the last 20 are kept.`, more);
}
