import { randomBytes } from 'node:crypto';
import { open, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ended, ifUnreadable } from '../caught.js';
import { discard } from './discard.js';

/** Hears how each write ended: which file, and the system's error or null. For who tells people about a full disk. */
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

/**
 * Writes the content to a new file beside `path`, on the disk for certain, and returns its name. The name has a random
 * part: two pods on one volume have the same PIDs. After a failure nothing is tried again on the same file: an fsync
 * that failed once may succeed the second time without having written.
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

/** So that a power cut does not undo a rename. Some network volumes can't: then it lasts as long as they make it. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(ifUnreadable(null, 'files'));
  await ended(opened?.sync());
  await ended(opened?.close());
}

const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;
/** No write of a small file takes longer, on this pod or another. */
const ABANDONED_MS = 60_000;

/** Is this the name of a file that `writeAside` makes? */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** When each was seen first, by our own monotonic clock. */
const seen = new Map<string, number>();
/** Folders that will be looked at again. */
const again = new Set<string>();

/**
 * Removes what a process left in a folder that was killed while writing, once it has lain there for a minute before our
 * eyes: what its time says is another clock's, which jumps, or is that of a volume's server. Never throws.
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

/** Lets the listeners hear of a write that was not made by this file. */
export function tellWrite(path: string, error: NodeJS.ErrnoException | null): void {
  // Under a descriptor's path nobody would know the folder: who holds it tells its name.
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
