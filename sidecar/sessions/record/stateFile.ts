import { join } from 'node:path';
import { logged } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';
import { inTurn } from '../../files/queue.js';
import { openAsItIs, readOpened } from '../../files/regularFile.js';
import { expectOtherEditors } from '../../files/swap.js';
import { createWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { HISTORY, keepVersion, LARGEST_RECORD, listVersions } from './copies.js';
import { mergeEdits } from './merge.js';
import { type ParsedState, parseUiState, StateTextError } from './parseUiState.js';
import { authorOf, rememberText, rememberWrite, withOurRecentChanges } from './recentWrites.js';
import { replaceUnchanged, watchForEdits } from './replace.js';
import type { RawState } from './uiState.js';

export const STATE_FILE = 'ui_state.json';
/** The wait before a broken file is read again: an editor may be writing it. */
const HALF_WRITTEN_MS = 300;
/** The most reads of a file that keeps changing. */
const LOOKS = 6;

export type StateFile =
  | ({ kind: 'whole'; signature: string; text: string } & ParsedState)
  /** `broken`: no JSON object at all. `refused`: valid, but we would spoil it. `unread`: the system gave an error. */
  | { kind: 'unreadable'; signature: string; reason: string; cause: 'broken' | 'refused' | 'unread' }
  | { kind: 'missing' };

/**
 * Reads `ui_state.json` of an output folder. Never throws, whatever a person did to the file. A file that changed just
 * now and is not valid JSON is read again before it counts as broken.
 */
export async function readStateFile(folder: string): Promise<StateFile> {
  let file = await readOnce(folder);
  for (let look = 1; look < LOOKS && isHalfWritten(file); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, HALF_WRITTEN_MS));
    const again = await readOnce(folder);
    const settled = again.kind === 'missing' || (file.kind !== 'missing' && again.signature === file.signature);
    file = again;
    if (settled) break;
  }
  if (file.kind === 'whole') rememberText(folder, file.text);
  return file;
}

/**
 * Changes `ui_state.json`: reads it, lets `change` edit the raw object, and replaces the whole file. No edit by others
 * (jq, an editor, another sidecar) is lost: if the file has changed meanwhile, it is read and changed again, so
 * `change` may be called more than once. An edit that began before a write of ours does not undo that write. Each
 * version is kept in `history/`. Returns what was written. Throws a Problem when the file can't be read, and the
 * system's error when it can't be written.
 */
export function updateStateFile(folder: string, change: (raw: RawState) => void): Promise<ParsedState> {
  return inTurn(folder, () => update(folder, change));
}

async function update(folder: string, change: (raw: RawState) => void): Promise<ParsedState> {
  for (let round = 0; round < 200; round += 1) {
    const before = await readStateFile(folder);
    if (before.kind === 'unreadable') throw unreadable(before.reason);
    // A `mv` from another disk removes the file for a moment: a new one of ours would be in its way.
    if (before.kind === 'missing' && (await listVersions(folder)).length > 0) throw gone();
    const raw: RawState = before.kind === 'whole' ? withOurRecentChanges(folder, before) : {};
    change(raw);
    const content = `${JSON.stringify(raw, null, 2)}\n`;
    if (before.kind === 'whole' && content === `${JSON.stringify(before.raw, null, 2)}\n`) return before;
    const after = parseUiState(content);
    if (before.kind === 'missing') {
      if (!(await createStateFile(folder, content))) continue;
    } else {
      // A write of others is a version, too.
      const author = authorOf(folder, before.text);
      if (author !== 'us') await keepVersion(folder, before.text);
      if (author === 'others') expectOtherEditors();
      const replaced = await replaceUnchanged(join(folder, STATE_FILE), content, before.signature);
      if (!replaced) continue;
      watchForEdits(replaced.aside, before.text, (theirs) => mergeLateEdit(folder, before.raw, theirs));
    }
    rememberWrite(folder, before.kind === 'whole' ? before : null, { text: content, raw: after.raw }, () => {
      void updateStateFile(folder, () => {}).catch(
        logged('sessions', 'A late edit of ui_state.json could not be merged.'),
      );
    });
    await keepVersion(folder, content);
    return after;
  }
  throw new Problem('busy_state', `Another program keeps changing ${STATE_FILE}. Try again.`);
}

/** Merges an edit in place of a file that we replaced meanwhile. */
async function mergeLateEdit(folder: string, base: RawState, text: string): Promise<void> {
  const theirs = parseUiState(text).raw;
  await updateStateFile(folder, (raw) => become(raw, mergeEdits(base, theirs, structuredClone(raw)) as RawState));
}

/** Makes an object equal to another, in its order. */
export function become(raw: RawState, other: RawState): void {
  for (const key of Object.keys(raw)) delete raw[key];
  for (const key of Object.keys(other)) {
    Object.defineProperty(raw, key, { value: other[key], enumerable: true, writable: true, configurable: true });
  }
}

/** Writes the first content. False, and nothing changed, if the file exists. */
export function createStateFile(folder: string, content: string): Promise<boolean> {
  return createWhole(join(folder, STATE_FILE), content);
}

type Look = StateFile & { changedAt?: number };

async function readOnce(folder: string): Promise<Look> {
  const path = join(folder, STATE_FILE);
  let signature = '';
  let changedAt = 0;
  let text: string;
  try {
    // No link, for a write would replace it.
    const file = await openAsItIs(path, 'refused');
    try {
      const stats = await file.stat();
      signature = signatureOf(stats);
      changedAt = Math.max(stats.mtimeMs, stats.ctimeMs);
      if (!stats.isFile()) return unread(signature, 'it is not a file');
      if (stats.size > LARGEST_RECORD) return unread(signature, `it is larger than ${LARGEST_RECORD / 1024 / 1024} MB`);
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readOpened(file, LARGEST_RECORD));
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'ELOOP') return unread(signature || message, 'it is a link, and links are not followed');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return { kind: 'unreadable', signature, reason: 'it is not UTF-8 text', cause: 'broken', changedAt };
    }
    return unread(signature || message, message);
  }
  try {
    return { kind: 'whole', signature, text, ...parseUiState(text) };
  } catch (error) {
    const cause = error instanceof StateTextError ? error.kind : 'refused';
    return { kind: 'unreadable', signature, reason: (error as Error).message, cause, changedAt };
  }
}

function unread(signature: string, reason: string): StateFile {
  return { kind: 'unreadable', signature, reason, cause: 'unread' };
}

/** A network volume has a clock of its own: a time in the future counts as just now, up to a day. */
function isHalfWritten(file: Look): boolean {
  if (file.kind !== 'unreadable' || file.cause !== 'broken') return false;
  return Date.now() - (file.changedAt ?? 0) < HALF_WRITTEN_MS;
}

function unreadable(reason: string): Problem {
  return new Problem(
    'unreadable_state',
    `${STATE_FILE} can't be read: ${reason}. Trackside left it as it is. Repair it, or restore a copy from ${HISTORY}/.`,
  );
}

function gone(): Problem {
  return new Problem('missing_state', `${STATE_FILE} is missing. Restore a copy from ${HISTORY}/.`);
}
