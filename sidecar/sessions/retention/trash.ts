import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { folderBytes, isItself } from '../../files/folderBytes.js';
import { trashEntryTime } from '../../files/trashEntry.js';
import { syncFolder } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { inFolder, isOwnFolder, makeFolder } from '../../security/paths.js';
import type { PurgeItem, TrashFacts } from './facts.js';

/** For so many days what was removed can be put back; less on a disk that is nearly full. */
export const TRASH_DAYS = 7;

/** Beside `.trash`, which has whole sessions. */
const TRASH = '.cleaned';

export function trashFolder(root: string): string {
  return join(root, TRASH);
}

/**
 * Moves an item into an entry of the trash: a folder in `.cleaned/` of the outputs, in which everything lies below the same path
 * as it lay below the outputs. So nothing else has to be written, which a full disk would not allow. Says why it could not, in
 * words; null when it is there.
 */
export async function moveToTrash(root: string, entry: string, { path, files }: PurgeItem): Promise<string | null> {
  const folder = files.length > 0 ? path : dirname(path);
  const names = files.length > 0 ? files : [basename(path)];
  await makeFolder(trashFolder(root));
  await inFolder(root, trashFolder(root), ({ at }) =>
    mkdir(join(at, entry, relative(root, folder)), { recursive: true }),
  );
  const target = join(trashFolder(root), entry, relative(root, folder));
  const problem = await inFolder(root, folder, async ({ at: from }) => {
    for (const name of names) if (!(await isItself(join(from, name)))) return `${name} is a link, or gone.`;
    const done = await inFolder(root, target, async ({ at: into }) => {
      for (const name of names) await rename(join(from, name), join(into, name));
      await syncFolder(into);
      return true;
    });
    await syncFolder(from);
    return done ? '' : 'The trash can’t be used.';
  });
  return problem === null ? 'Its folder is gone.' : problem || null;
}

/** What is in the trash of the outputs, newest first. */
export async function listTrash(root: string): Promise<TrashFacts[]> {
  const found = await inFolder(root, trashFolder(root), async ({ at }) =>
    Promise.all((await readdir(at)).map((entry) => readEntry(root, at, entry))),
  ).catch(ifUnreadable(null, 'retention'));
  return (found ?? []).filter((each) => each !== null).sort((a, b) => (a.entry < b.entry ? 1 : -1));
}

/** Throws a Problem without such an entry. */
async function findEntry(root: string, entry: string): Promise<TrashFacts> {
  const facts = await inFolder(root, trashFolder(root), ({ at }) => readEntry(root, at, entry));
  if (facts) return facts;
  throw new Problem('not_in_trash', 'This is not in the trash. It was put back already, or it is gone for good.');
}

/** Null for what is no entry: by its name, or because it is a link. */
async function readEntry(root: string, trash: string, entry: string): Promise<TrashFacts | null> {
  const removed_at = trashEntryTime(entry);
  const path = join(trash, entry);
  if (removed_at === null || !(await isOwnFolder(path))) return null;
  return { entry, removed_at, bytes: await folderBytes(path), paths: await contents(path, root, '') };
}

/** What was removed, by its path below the outputs: all that is there no longer. */
async function contents(entry: string, root: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(join(entry, path)).catch(ifUnreadable([], 'retention'))).sort()) {
    const below = join(path, name);
    const both = (await isOwnFolder(join(entry, below))) && (await isOwnFolder(join(root, below)));
    found.push(...(both ? await contents(entry, root, below) : [below]));
  }
  return found;
}

/**
 * Puts back what was removed together. Where something has taken its place meanwhile, both stay: `left` are such paths. Throws a
 * Problem without such an entry.
 */
export async function putBack(root: string, entry: string): Promise<{ back: string[]; left: string[] }> {
  const { paths } = await findEntry(root, entry);
  const [back, left]: [string[], string[]] = [[], []];
  for (const path of paths) ((await moveBack(root, entry, path)) ? back : left).push(path);
  if (left.length === 0) await removeEntry(root, entry);
  return { back, left };
}

async function moveBack(root: string, entry: string, path: string): Promise<boolean> {
  const [folder, name] = [dirname(path), basename(path)];
  const moved = await inFolder(root, join(trashFolder(root), entry, folder), ({ at: from }) =>
    inFolder(root, join(root, folder), async ({ at: into }) => {
      if (await lstat(join(into, name)).catch(ifMissing(null))) return false;
      await rename(join(from, name), join(into, name));
      await syncFolder(into);
      return true;
    }),
  );
  return moved ?? false;
}

/** Removes an entry for good. Throws a Problem without such an entry. */
export async function emptyEntry(root: string, entry: string): Promise<TrashFacts> {
  const facts = await findEntry(root, entry);
  await removeEntry(root, entry);
  return facts;
}

/** `rm` removes a link, and never what it leads to. */
async function removeEntry(root: string, entry: string): Promise<void> {
  await inFolder(root, trashFolder(root), ({ at }) => rm(join(at, entry), { recursive: true, force: true }));
}
