import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Writes a file so that a reader, a crash or a full disk finds the old content or the new, never a part. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = await writeAside(path, content, mode);
  await putInPlace(temporary, path);
}

/**
 * Writes the content to a new file beside `path`, on the disk for certain, and returns its name. The name has a random
 * part: two pods on one volume have the same PIDs.
 */
export async function writeAside(path: string, content: string | Uint8Array, mode = 0o644): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Renames over `path`, and makes the rename itself last. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().catch(() => {});
  await folder.close();
}
