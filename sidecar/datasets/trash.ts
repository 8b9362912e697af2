import { link, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ended, ifUnreadable } from '../caught.js';
import { newTrashEntry, trashEntryTime } from '../files/trashEntry.js';
import { syncFolder } from '../files/wholeFile.js';
import { log } from '../log.js';
import { Problem } from '../problem.js';
import { inFolder, makeFolder } from '../security/paths.js';
import { isFolderName } from '../slug.js';
import { changeDataset, type DatasetFolder, makeDataset } from './folder.js';
import { captionStem, pictureStem } from './names.js';

const TRASH = '.trash';

/** Files put away together. `files` are the names of pictures and captions. */
export const trashEntry = z
  .object({ entry: z.string(), put_away_at: z.string(), files: z.array(z.string()), bytes: z.number() })
  .meta({ id: 'TrashEntry' });
export type TrashEntry = z.infer<typeof trashEntry>;

/**
 * Puts files of a dataset away, under their names, into a new folder `.trash/<dataset>/<when>/` of the datasets. Returns
 * that folder, relative to the datasets. Deletes nothing.
 *
 * @param keep leaves the files in place too, if the file system has hard links: they are about to be replaced, and no
 *   reader should miss them for a moment
 */
export async function putAway(
  folder: DatasetFolder,
  files: string[],
  { keep = false }: { keep?: boolean } = {},
): Promise<string> {
  const { root, name, at } = folder;
  return inNewEntry(root, name, async (entry) => {
    await mkdir(entry);
    for (const file of files) {
      const [from, to] = [join(at, file), join(entry, file)];
      // silent: disks without hard links keep no copy in place.
      if (keep) await link(from, to).catch(() => rename(from, to));
      else await rename(from, to);
    }
  });
}

/**
 * Puts a whole dataset away, with everything else in its folder; removes an empty one. Returns where to, relative to the
 * datasets, or null. Throws a Problem if it does not exist, or is a link.
 */
export async function putDatasetAway(root: string, name: string): Promise<string | null> {
  return changeDataset(root, name, '', async ({ at }) => {
    if ((await lstat(join(root, name))).isSymbolicLink())
      throw new Problem('dataset_is_link', `${name} is a link to another folder. Remove it by hand.`);
    const empty = (await readdir(at)).length === 0;
    if (empty) await rmdir(join(root, name));
    const kept = empty ? null : await inNewEntry(root, name, (entry) => rename(join(root, name), entry));
    await syncFolder(root);
    log.info('datasets', 'A dataset was moved to the trash.', { dataset: name, kept });
    return kept;
  });
}

/** Has `fill` make a folder in the trash of a dataset; returns its name, relative to the datasets. */
async function inNewEntry(root: string, name: string, fill: (entry: string) => Promise<void>): Promise<string> {
  const entry = newTrashEntry();
  // Step by step, so that a .trash that links elsewhere is refused before anything is made or moved there.
  await makeFolder(join(root, TRASH));
  await inFolder(root, join(root, TRASH), ({ at: trash }) => makeFolder(join(trash, name)));
  await inFolder(root, join(root, TRASH, name), ({ at: trash }) => fill(join(trash, entry)));
  return join(TRASH, name, entry);
}

/** Lists the datasets that are only in the trash, each with its newest entry; newest first. */
export async function listRemoved(root: string): Promise<(TrashEntry & { dataset: string })[]> {
  const all = await Promise.all(
    (await datasetsIn(root)).map(async (dataset) => {
      const there = await lstat(join(root, dataset)).catch(ifUnreadable(null, 'datasets'));
      const [newest] = there ? [] : await listTrash(root, dataset);
      return newest ? [{ ...newest, dataset }] : [];
    }),
  );
  return all.flat().sort((a, b) => (a.entry < b.entry ? 1 : -1));
}

/** All entries of the trash, of every dataset, with their absolute paths. */
export async function allTrash(root: string): Promise<(TrashEntry & { dataset: string; path: string })[]> {
  const all = (await datasetsIn(root)).map(async (dataset) => {
    const entries = await listTrash(root, dataset);
    return entries.map((each) => ({ ...each, dataset, path: join(root, TRASH, dataset, each.entry) }));
  });
  return (await Promise.all(all)).flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Names of the datasets of which something is in the trash. */
async function datasetsIn(root: string): Promise<string[]> {
  const names = await inFolder(root, join(root, TRASH), ({ at }) => readdir(at)).catch(ifUnreadable(null, 'datasets'));
  return (names ?? []).filter(isFolderName);
}

/** Removes an entry of the trash for good, by its path as `allTrash` tells it. */
export async function removeFromTrash(root: string, path: string): Promise<void> {
  if (trashEntryTime(basename(path)) === null) throw new Problem('not_in_trash', 'This is not in the trash.');
  await inFolder(root, dirname(path), ({ at }) => rm(join(at, basename(path)), { recursive: true, force: true }));
}

/** Lists the trash of a dataset, newest first. */
export async function listTrash(root: string, name: string): Promise<TrashEntry[]> {
  if (!isFolderName(name)) return [];
  const found = await inFolder(root, join(root, TRASH, name), async ({ at }) =>
    Promise.all((await readdir(at)).map((entry) => readEntry(at, entry))),
  ).catch(ifUnreadable(null, 'datasets'));
  return (found ?? [])
    .flatMap((each) => (each && each.files.length > 0 ? [each] : []))
    .sort((a, b) => (a.entry < b.entry ? 1 : -1));
}

/**
 * Puts back an entry of the trash, also of a dataset that is in the trash as a whole. Puts away the files that have taken
 * these names meanwhile: `kept` says where to. Throws a Problem without such an entry.
 */
export async function restoreFromTrash(
  root: string,
  name: string,
  entry: string,
): Promise<{ files: string[]; kept: string | null }> {
  const gone = new Problem('not_in_trash', 'This is not in the trash. It may have been put back already.', {
    about: { dataset: name },
  });
  if (!(await listTrash(root, name)).some((each) => each.entry === entry)) throw gone;
  await makeDataset(root, name);
  const restored = await changeDataset(root, name, '', (folder) =>
    inFolder(root, join(root, TRASH, name), async ({ at: trash }) => {
      const { files } = (await readEntry(trash, entry)) ?? { files: [] };
      if (files.length === 0) return null;
      const there = new Set(await readdir(folder.at));
      const inTheWay = files.filter((file) => there.has(file));
      const kept = inTheWay.length > 0 ? await putAway(folder, inTheWay) : null;
      const all = there.size === 0 ? await readdir(join(trash, entry)) : files;
      for (const file of all) await rename(join(trash, entry, file), join(folder.at, file));
      // Keeps other files of the entry in the trash.
      await ended(rmdir(join(trash, entry)));
      await syncFolder(folder.at);
      return { files, kept };
    }),
  );
  if (restored === null) throw gone;
  return restored;
}

/** Null for what is no entry by its name. */
async function readEntry(trash: string, entry: string): Promise<TrashEntry | null> {
  const put_away_at = trashEntryTime(entry);
  if (put_away_at === null) return null;
  // An entry that is a link was not made by us.
  const own = (await lstat(join(trash, entry)).catch(ifUnreadable(null, 'datasets')))?.isDirectory();
  const names = own ? (await readdir(join(trash, entry))).sort() : [];
  const files = names.filter((file) => pictureStem(file) !== null || captionStem(file) !== null);
  const stats = await Promise.all(
    files.map((file) => lstat(join(trash, entry, file)).catch(ifUnreadable(null, 'datasets'))),
  );
  return { entry, put_away_at, files, bytes: stats.reduce((sum, each) => sum + (each?.size ?? 0), 0) };
}
