import { randomBytes } from 'node:crypto';
import { open, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ended, ifUnreadable } from '../caught.js';
import { discard } from './discard.js';
import { linkOrCopy } from './linkOrCopy.js';

/** Hears the result of each write: the file, and the system's error or null. Used to warn people of a full disk. */
export type WriteListener = (path: string, error: NodeJS.ErrnoException | null) => void;
const listeners = new Set<WriteListener>();

export function onWrite(listener: WriteListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Writes a file so that a reader, a crash or a full disk finds the old content or the new, never a part. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = await writeAside(path, content, mode);
  await putInPlace(temporary, path);
}

/** The same where there is no such file yet. False, and nothing written, where there is one. */
export async function createWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<boolean> {
  const temporary = await writeAside(path, content, mode);
  try {
    // Fails where the file is there, unlike a rename.
    await linkOrCopy(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await discard(temporary);
  }
}

/**
 * Writes the content to a new file beside `path`, synced to the disk, and returns its name. The name has a random part:
 * two pods on one volume have the same PIDs. Never retries on the same file: a second fsync may succeed without having
 * written.
 */
export async function writeAside(path: string, content: string | Uint8Array, mode = 0o644): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  await heard(path, async () => {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
      await file.close();
    } catch (error) {
      await ended(file.close());
      await discard(temporary);
      throw error;
    }
  });
  return temporary;
}

/** Renames over `path`, and makes the rename itself last. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  try {
    await heard(path, () => rename(temporary, path));
  } catch (error) {
    await discard(temporary);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Syncs a folder, so that a power cut does not undo a rename. Ignores volumes that can't, such as some network ones. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(ifUnreadable(null, 'files'));
  await ended(opened?.sync());
  await ended(opened?.close());
}

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;
/** No write of a small file takes longer, on this pod or another. */
const ABANDONED_MS = 60_000;

/** Is this a file name of `writeAside`? */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** When each was first seen, by our own monotonic clock. */
const seen = new Map<string, number>();
/** Folders with a second sweep scheduled. */
const again = new Set<string>();

/**
 * Removes the temporary files of killed writers from a folder, a minute after we first saw them. Their own times come from
 * clocks that jump, or from a volume's server. Never throws.
 */
export async function sweepTemporary(folder: string): Promise<void> {
  const names = await readdir(folder).catch(ifUnreadable([], 'files'));
  const paths = names.filter(isTemporary).map((name) => join(folder, name));
  for (const path of paths) {
    const since = seen.get(path) ?? performance.now();
    seen.set(path, since);
    if (performance.now() - since < ABANDONED_MS) continue;
    await discard(path);
    seen.delete(path);
  }
  for (const path of seen.keys()) if (dirname(path) === folder && !paths.includes(path)) seen.delete(path);
  if (paths.length === 0 || again.has(folder)) return;
  again.add(folder);
  setTimeout(() => {
    again.delete(folder);
    void sweepTemporary(folder);
  }, ABANDONED_MS).unref();
}

/** Tells the listeners of a write outside this file. */
export function tellWrite(path: string, error: NodeJS.ErrnoException | null): void {
  // A descriptor's path does not name the folder: its holder reports the write instead.
  if (!path.startsWith('/proc/self/fd/')) for (const listener of listeners) listener(path, error);
}

async function heard<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    const result = await write();
    tellWrite(path, null);
    return result;
  } catch (error) {
    tellWrite(path, error as NodeJS.ErrnoException);
    throw error;
  }
}
