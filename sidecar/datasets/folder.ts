import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Problem } from '../problem.js';
import { isDatasetName, requirePictureName } from './names.js';
import { storing } from './storing.js';

/**
 * The real, absolute path of a dataset's folder. Throws a Problem: 404 where there is none, 422 where it is a link that
 * leads out of the datasets.
 */
export async function datasetFolder(root: string, name: string): Promise<string> {
  const path = isDatasetName(name) ? await confined(root, join(root, name)) : null;
  if (path === null || !(await stat(path)).isDirectory())
    throw new Problem('no_dataset', 404, 'There is no such dataset. It may have been renamed or moved.', {
      link: 'datasets',
    });
  return path;
}

/** Makes an empty dataset. False where there is one of this name already, which is left as it is. */
export async function makeDataset(root: string, name: string): Promise<boolean> {
  return storing(name, async () => {
    await mkdir(root, { recursive: true });
    try {
      await mkdir(join(root, name));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    }
  });
}

/** Opens a picture for reading; the caller closes it. Throws a Problem: 404, or 422 for a link that leads out. */
export async function openPicture(root: string, name: string, file: string): Promise<OpenPicture> {
  requirePictureName(file);
  const missing = () =>
    new Problem('no_picture', 404, 'There is no such picture in this dataset.', { link: 'datasets' });
  const path = await confined(root, join(await datasetFolder(root, name), file));
  if (path === null) throw missing();
  // NOFOLLOW: it was a file a moment ago, and must not have become a link since. NONBLOCK: a fifo would wait for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) throw missing();
  const facts = await handle.stat();
  if (facts.isFile()) return { path, handle, bytes: facts.size, mtimeMs: facts.mtimeMs };
  await handle.close();
  throw missing();
}

export type OpenPicture = { path: string; handle: FileHandle; bytes: number; mtimeMs: number };

/** What a path really is: null where nothing is there. Throws a Problem, 422, where links lead out of the datasets. */
export async function confined(root: string, path: string): Promise<string | null> {
  try {
    const [inside, real] = await Promise.all([realpath(root), realpath(path)]);
    if (real.startsWith(inside + sep)) return real;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(`${(error as NodeJS.ErrnoException).code}`))
      return null;
    throw error;
  }
  throw new Problem(
    'outside_datasets',
    422,
    'It is a link that leads out of the datasets folder, and is not followed. Copy the files themselves into the dataset.',
  );
}
