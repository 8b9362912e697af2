import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { discard } from '../../files/discard.js';
import { inFile } from '../../files/inFile.js';
import { isoTime } from '../../files/isoTime.js';
import { readOpened } from '../../files/regularFile.js';
import { log } from '../../log.js';
import { openInside } from '../../security/paths.js';
import { editsOf } from './differences.js';
import { type ParsedState, parseUiState } from './parseUiState.js';

/** Bytes. No record is larger than this. */
export const LARGEST_RECORD = 16 * 1024 * 1024;
export const HISTORY = 'history';
export const VERSIONS_KEPT = 20;

/** One of the last versions of `ui_state.json`. Ids count up: clocks jump, and two pods may write at once. */
export type Version = { id: string; path: string };

const NAME = /^ui_state-(\d{6,}-[0-9a-f]{4})\.json$/;

/** The versions in `history/`, newest first. Never throws. */
export async function listVersions(folder: string): Promise<Version[]> {
  const names = await readdir(join(folder, HISTORY)).catch(ifUnreadable([], 'sessions'));
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .sort((a, b) => numberOf(b) - numberOf(a) || (a < b ? 1 : -1))
    .map((id) => ({ id, path: pathOf(folder, id) }));
}

/** The text of a version, and its time (ISO 8601, UTC). Null if there is none of that id. */
export async function readVersion(folder: string, id: string): Promise<{ text: string; saved_at: string } | null> {
  if (!NAME.test(`ui_state-${id}.json`)) return null;
  return inFile(openInside(dirname(folder), pathOf(folder, id)), async (file) => {
    if (!file) return null;
    const text = (await readOpened(file, LARGEST_RECORD)).toString('utf8');
    return { text, saved_at: isoTime((await file.stat()).mtimeMs) };
  }).catch(ifUnreadable(null, 'sessions'));
}

/**
 * Keeps a text as the newest version, unless it is that already. A separate file: a link to the present file would
 * change when a person edits that in place. Only 20 stay: of those between which only the run has moved on the last. Not synced, and never throws: a version that a power
 * cut or a full disk breaks is skipped when one is put back. Returns the version's id, or null.
 */
export async function keepVersion(folder: string, text: string): Promise<string | null> {
  const temporary = join(folder, HISTORY, `.ui_state.json.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const versions = await listVersions(folder);
    const newest = versions[0];
    if (newest && (await readVersion(folder, newest.id))?.text === text) return newest.id;
    await mkdir(join(folder, HISTORY), { recursive: true });
    await writeFile(temporary, text, { flag: 'wx' });
    const id = `${String(numberOf(newest?.id ?? '0') + 1).padStart(6, '0')}-${randomBytes(2).toString('hex')}`;
    await rename(temporary, pathOf(folder, id));
    for (const old of await surplus(folder, versions)) await rm(old.path, { force: true });
    return id;
  } catch (error) {
    log.warn('sessions', 'A copy of ui_state.json could not be kept.', { error });
    await discard(temporary);
    return null;
  }
}

/** Those that make room for one more: without edits of their own first, then the oldest. `versions` is newest first. */
async function surplus(folder: string, versions: Version[]): Promise<Version[]> {
  const many = versions.length - VERSIONS_KEPT + 1;
  if (many <= 0) return [];
  const edits = await Promise.all(versions.map(async ({ id }) => editsIn((await readVersion(folder, id))?.text)));
  const moved = versions.filter((_, at) => at > 0 && edits[at] !== null && edits[at] === edits[at - 1]);
  const others = versions.filter((each) => !moved.includes(each));
  return [...moved.reverse(), ...others.reverse()].slice(0, many);
}

/** Null for a version that can't be read. */
function editsIn(text: string | undefined): string | null {
  try {
    return text === undefined ? null : editsOf(parseUiState(text).raw);
  } catch {
    // silent: cut short by a power failure, or edited by hand.
    return null;
  }
}

/** The newest version that can be read. */
export async function lastGoodVersion(folder: string): Promise<({ id: string; text: string } & ParsedState) | null> {
  for (const { id } of await listVersions(folder)) {
    const text = (await readVersion(folder, id))?.text;
    if (text === undefined) continue;
    try {
      return { id, text, ...parseUiState(text) };
    } catch {
      // silent: cut short by a power failure, or edited by hand: the one before it may be good.
    }
  }
  return null;
}

function pathOf(folder: string, id: string): string {
  return join(folder, HISTORY, `ui_state-${id}.json`);
}

function numberOf(id: string): number {
  return Number.parseInt(id, 10);
}
