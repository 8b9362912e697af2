import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ended, ifUnreadable } from '../../caught.js';
import { newTrashEntry, trashEntryTime } from '../../files/trashEntry.js';
import { syncFolder } from '../../files/wholeFile.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { isOwnFolder, makeFolder } from '../../security/paths.js';
import { slug } from '../../slug.js';
import { isSessionName, makeVersionFolder, TRASH, versionOf } from '../names.js';
import type { Outputs } from '../outputs/outputs.js';
import { readStateFile, updateStateFile } from '../record/stateFile.js';
import type { Session } from '../status/session.js';

/** Days that a session without weights stays in the trash. One with weights stays until a person says otherwise. */
export const TRASH_DAYS = 30;
const WEIGHTS = /\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf)$/;

/** A deleted session. */
export type TrashEntry = {
  name: string;
  entry: string;
  lora_name: string;
  version: number | null;
  deleted_at: string;
  bytes: number;
  /** Of weights and states among them. */
  weights_bytes: number;
  /** When it is removed for good by itself; null where a person has to say so. */
  removed_at: string | null;
};

/** Moves a session's folder into the trash; returns where to, relative to the outputs. Needs the session's lock. */
export async function putSessionAway(root: string, name: string): Promise<string> {
  const trash = join(root, TRASH);
  for (const folder of [trash, join(trash, name)]) {
    await makeFolder(folder);
    if (!(await isOwnFolder(folder))) {
      const message = `${folder} is a link or a file, and Trackside moves no sessions through links.`;
      throw new Problem('leads_out', message, { kept: 'Nothing was deleted.', todo: 'Remove it, and try again.' });
    }
  }
  const entry = join(TRASH, name, newTrashEntry());
  // One rename: nobody ever sees half a session.
  await rename(join(root, name), join(root, entry));
  await syncFolder(root);
  return entry;
}

/** The deleted sessions, newest first. */
export async function listSessionTrash(root: string): Promise<TrashEntry[]> {
  const trash = join(root, TRASH);
  if (!(await isOwnFolder(trash))) return [];
  const found: TrashEntry[] = [];
  for (const name of (await readdir(trash)).filter(isSessionName)) {
    if (!(await isOwnFolder(join(trash, name)))) continue;
    for (const entry of await readdir(join(trash, name))) {
      const facts = await readEntry(trash, name, entry);
      if (facts) found.push(facts);
    }
  }
  return found.sort((a, b) => (a.entry < b.entry ? 1 : -1));
}

/** Null for what is no entry: by its name, or because it is a link. */
async function readEntry(trash: string, name: string, entry: string): Promise<TrashEntry | null> {
  const folder = join(trash, name, entry);
  const deletedAt = trashEntryTime(entry);
  if (deletedAt === null || !(await isOwnFolder(folder))) return null;
  const file = await readStateFile(folder);
  const state = file.kind === 'whole' ? file.state : null;
  const { bytes, weights } = await sizeOf(folder);
  return {
    name,
    entry,
    lora_name: state?.lora_name ?? name,
    version: state?.version ?? null,
    deleted_at: deletedAt,
    bytes,
    weights_bytes: weights,
    removed_at: weights > 0 ? null : new Date(Date.parse(deletedAt) + TRASH_DAYS * 86_400_000).toISOString(),
  };
}

/** Bytes of all files below a folder, and of weights among them. Follows no link. */
async function sizeOf(folder: string): Promise<{ bytes: number; weights: number }> {
  const total = { bytes: 0, weights: 0 };
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(ifUnreadable([], 'sessions'));
  for (const each of entries) {
    if (!each.isFile()) continue;
    const size = (await lstat(join(each.parentPath, each.name)).catch(ifUnreadable(null, 'sessions')))?.size ?? 0;
    total.bytes += size;
    if (WEIGHTS.test(each.name)) total.weights += size;
  }
  return total;
}

/**
 * Puts a deleted session back under its name; as the next version of its LoRA where another one has the name by now.
 * Throws a Problem if nothing is there.
 */
export async function restoreSession(outputs: Outputs, name: string, entry: string): Promise<Session> {
  const { root } = outputs;
  const from = await findEntry(root, name, entry);
  outputs.requireRoot();
  const file = await readStateFile(from);
  const place = await makePlace(root, name, file.kind === 'whole' ? (file.state.lora_name ?? name) : name);
  // The folder that was made is empty, and ours.
  await rename(from, join(root, place.name));
  await ended(rmdir(join(root, TRASH, name)));
  await syncFolder(root);
  if (place.name !== name && file.kind === 'whole') {
    await updateStateFile(join(root, place.name), (raw) => {
      raw.version = place.version;
    });
  }
  log.info('sessions', 'Put back from the trash.', { session: place.name });
  return outputs.read(place.name);
}

/** Makes an empty folder of that name, or of the LoRA's next version. */
async function makePlace(root: string, name: string, loraName: string): Promise<{ name: string; version: number }> {
  try {
    await mkdir(join(root, name));
    return { name, version: versionOf(name) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return makeVersionFolder(root, slug(loraName) ? loraName : name);
  }
}

/**
 * Removes a deleted session for good. Throws a Problem for one with weights unless `confirm` says so in a second word:
 * "weights".
 */
export async function removeForGood(root: string, name: string, entry: string, confirm: string): Promise<TrashEntry> {
  const path = await findEntry(root, name, entry);
  const facts = await readEntry(join(root, TRASH), name, entry);
  if (!facts) throw notInTrash();
  if (facts.weights_bytes > 0 && confirm !== 'weights') {
    const message = `${name} has weights or states that took hours of training. To remove them for good, confirm it (confirm=weights).`;
    throw new Problem('holds_weights', message, { kept: 'Nothing was removed.', field: 'confirm', about: 'trash' });
  }
  await rm(path, { recursive: true, force: true });
  await ended(rmdir(join(root, TRASH, name)));
  log.info('sessions', 'Removed from the trash for good.', { session: name });
  return facts;
}

/** Removes what lies in the trash for longer than its days, and holds no weights. Returns their names. */
export async function emptyOldTrash(root: string, now: Date): Promise<string[]> {
  const due = (await listSessionTrash(root)).filter(
    ({ removed_at: at }) => at !== null && Date.parse(at) <= now.getTime(),
  );
  for (const { name, entry } of due) await removeForGood(root, name, entry, '');
  return due.map(({ name }) => name);
}

/** The absolute path of an entry. Throws a Problem without one. */
async function findEntry(root: string, name: string, entry: string): Promise<string> {
  const path = join(root, TRASH, name, entry);
  const known = isSessionName(name) && trashEntryTime(entry) !== null;
  const own = known && (await isOwnFolder(join(root, TRASH))) && (await isOwnFolder(join(root, TRASH, name)));
  if (!own || !(await isOwnFolder(path))) throw notInTrash();
  return path;
}

function notInTrash(): Problem {
  const message = 'This session is not in the trash. It may have been put back or removed already.';
  return new Problem('not_in_trash', message, { about: 'trash' });
}
