import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable, logged } from '../../caught.js';
import { readJson } from '../../files/jsonFile.js';
import { linkOrCopy } from '../../files/linkOrCopy.js';
import { sweepTemporary, writeWhole } from '../../files/wholeFile.js';
import { type PutBackFacts, putBackFacts } from '../facts.js';
import { HISTORY, keepVersion, lastGoodVersion, readVersion } from './copies.js';
import { parseUiState } from './parseUiState.js';
import { rememberedText, rememberText } from './recentWrites.js';
import { replaceUnchanged } from './replace.js';
import { readStateFile, STATE_FILE } from './stateFile.js';

const BROKEN = /^ui_state\.broken-.+\.json$/;
const NOTES = 'put-back.json';

const notes = z.array(putBackFacts);

/**
 * Puts the last good version of a broken `ui_state.json` back, from memory or else from `history/`, and keeps the
 * broken one as `ui_state.broken-<time>.json`. Never touches valid JSON. Null when nothing was done: the file is not
 * broken, or there is no good version. Throws the system's error when it can't be written.
 */
export async function putBackLastGood(folder: string): Promise<PutBackFacts | null> {
  const file = await readStateFile(folder);
  if (file.kind !== 'unreadable' || file.cause !== 'broken') return null;
  const good = await lastGood(folder);
  if (!good) return null;
  const path = join(folder, STATE_FILE);
  const broken = await keepBroken(folder, path);
  const replaced = await replaceUnchanged(path, good.text, file.signature);
  if (!replaced) {
    // A person is repairing it.
    await rm(join(folder, broken), { force: true });
    return null;
  }
  if (replaced.aside) await rm(replaced.aside, { force: true });
  rememberText(folder, good.text);
  const version = good.id ?? (await keepVersion(folder, good.text));
  const saved_at = version ? ((await readVersion(folder, version))?.saved_at ?? null) : null;
  const note = { broken, reason: file.reason, version, saved_at };
  const known = await readNotes(folder);
  const kept = [note, ...known.filter((each) => each.broken !== broken)].slice(0, 20);
  await writeWhole(join(folder, HISTORY, NOTES), `${JSON.stringify(kept, null, 1)}\n`).catch(
    logged('sessions', 'The place of the broken ui_state.json could not be recorded.'),
  );
  await sweepTemporary(folder);
  return { ...note, broken: join(folder, broken) };
}

/** The newest broken file that still exists, and the version that replaced it. */
export async function readPutBack(folder: string, entries: readonly string[]): Promise<PutBackFacts | null> {
  const broken = entries
    .filter((name) => BROKEN.test(name))
    .sort()
    .at(-1);
  if (!broken) return null;
  const note = (await readNotes(folder)).find((each) => each.broken === broken);
  return {
    broken: join(folder, broken),
    reason: note?.reason ?? 'it could not be read',
    version: note?.version ?? null,
    saved_at: note?.saved_at ?? null,
  };
}

/** Gives the present file a second name, `ui_state.broken-<time>.json`, unless a sidecar that was killed did so. */
export async function keepBroken(folder: string, path: string): Promise<string> {
  const { ino } = await stat(path);
  for (const name of await readdir(folder)) {
    if (BROKEN.test(name) && (await stat(join(folder, name)).catch(ifUnreadable(null, 'sessions')))?.ino === ino)
      return name;
  }
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('.', '');
  const name = `ui_state.broken-${time}.json`;
  await linkOrCopy(path, join(folder, name));
  return name;
}

async function lastGood(folder: string): Promise<{ text: string; id: string | null } | null> {
  const text = rememberedText(folder);
  if (text !== null) {
    try {
      parseUiState(text);
      return { text, id: null };
    } catch {
      // silent: the one from the disk may be good.
    }
  }
  return lastGoodVersion(folder);
}

/** Bytes. */
const LARGEST_NOTES = 1_000_000;

function readNotes(folder: string): Promise<z.infer<typeof notes>> {
  return readJson(join(folder, HISTORY, NOTES), LARGEST_NOTES, notes, [], 'sessions');
}
