import { type FileHandle, lstat, mkdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, isMissing } from '../caught.js';
import { makeRoot } from '../files/makeRoot.js';
import { inTurn } from '../files/queue.js';
import { Problem } from '../problem.js';
import { inFolder, openInside, samePath } from '../security/paths.js';
import { isFolderName } from '../slug.js';
import { withDiskWords } from './diskWords.js';
import { requirePictureName } from './names.js';

/** A dataset's folder in use. `at` is a path that stays with this folder, `path` is its name (both absolute). */
export type DatasetFolder = { root: string; name: string; at: string; path: string };

/**
 * Runs work in a dataset's folder. Throws a Problem if it does not exist, or is a link that leads out of the datasets.
 */
export async function inDataset<T>(
  root: string,
  name: string,
  work: (folder: DatasetFolder) => Promise<T>,
): Promise<T> {
  if (!isFolderName(name)) throw noDataset();
  const done = await inFolder(root, join(root, name), async ({ at, real }) => {
    const folder = { root, name, at, path: real };
    try {
      return { result: await work(folder) };
    } catch (error) {
      if (isMissing(error)) await requireThere(folder);
      throw error;
    }
  });
  if (done === null) throw noDataset();
  return done.result;
}

/** Runs a change of a dataset, one after the other, with the disk's errors in words. Throws a Problem as `inDataset` does. */
export function changeDataset<T>(
  root: string,
  name: string,
  file: string,
  change: (folder: DatasetFolder) => Promise<T>,
): Promise<T> {
  return inDataset(root, name, (folder) =>
    withDiskWords(join(root, name, file), () => inTurnThere(folder, () => change(folder))),
  );
}

/**
 * Runs one change of a dataset after the other. Throws a Problem, and changes nothing, if it was deleted or renamed since it
 * was opened: what was sent for it must not arrive in the trash.
 */
export function inTurnThere<T>(folder: DatasetFolder, change: () => Promise<T>): Promise<T> {
  return inTurn(folder.path, async () => {
    await requireThere(folder);
    return change();
  });
}

async function requireThere({ at, path }: DatasetFolder): Promise<void> {
  const [opened, there] = await Promise.all([stat(at), lstat(path).catch(ifMissing(null))]);
  if (there?.ino === opened.ino && there.dev === opened.dev) return;
  throw new Problem('no_dataset', 'This dataset was deleted or renamed a moment ago. Nothing was saved in it.', {
    about: 'datasets',
  });
}

/** Makes an empty dataset. Returns false, and changes nothing, if the name is taken. */
export async function makeDataset(root: string, name: string): Promise<boolean> {
  return withDiskWords(join(root, name), async () => {
    await makeRoot(root);
    try {
      await mkdir(join(root, name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    }
  });
}

/** Removes a dataset that was made for files which were all refused, unless there are others in it. */
export async function removeEmpty(root: string, name: string): Promise<void> {
  await rmdir(join(root, name)).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(`${error.code}`)) throw error;
  });
}

/** Opens a picture for reading; the caller closes it. Throws a Problem if it does not exist, or is a link that leads out. */
export async function openPicture(root: string, name: string, file: string): Promise<OpenPicture> {
  requirePictureName(file);
  const handle = await inDataset(root, name, ({ at }) => openInside(root, join(at, file)));
  if (handle === null)
    throw new Problem('no_picture', 'There is no such picture in this dataset.', { about: 'datasets' });
  const { size, mtimeMs } = await handle.stat();
  return { file: join(root, name, file), path: samePath(handle, join(root, name, file)), handle, bytes: size, mtimeMs };
}

/** `file` is the picture's name; `path` leads to the opened file itself for as long as it is open. */
export type OpenPicture = { file: string; path: string; handle: FileHandle; bytes: number; mtimeMs: number };

function noDataset(): Problem {
  return new Problem('no_dataset', 'There is no such dataset. It may have been renamed or removed.', {
    about: 'datasets',
  });
}
