import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { syncFolder } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { inFolder, makeFolder } from '../../security/paths.js';
import { folderBytes, isItself } from './bytes.js';
import type { PurgeItem, TrashFacts } from './facts.js';

/** For so many days what was removed can be put back; less on a disk that is nearly full. */
export const TRASH_DAYS = 7;

/** Beside `.trash`, which has whole sessions. */
const TRASH = '.cleaned';
const ENTRY = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{6}$/;

export function trashFolder(root: string): string {
  return join(root, TRASH);
}

/**
 * Names a new entry of the trash: a folder in `.cleaned/` of the outputs, in which everything lies below the same path as it lay
 * below the outputs. So nothing else has to be written, which a full disk would not allow.
 */
export function newEntry(now: Date): string {
  return `${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;
}

/** Moves an item into an entry of the trash. Says why it could not, in words; null when it is there. */
export async function moveToTrash(root: string, entry: string, { path, files }: PurgeItem): Promise<string | null> {
  const folder = files.length > 0 ? path : dirname(path);
  const names = files.length > 0 ? files : [basename(path)];
  await makeFolder(trashFolder(root));
  await inFolder(root, trashFolder(root), ({ at }) =>
    mkdir(join(at, entry, relative(root, folder)), { recursive: true }),
  );
  const target = join(trashFolder(root), entry, relative(root, folder));
  const moved = await inFolder(root, folder, async ({ at: from }) => {
    for (const name of names) if (!(await isItself(join(from, name)))) return `${name} is a link, or gone.`;
    const done = await inFolder(root, target, async ({ at: into }) => {
      for (const name of names) await rename(join(from, name), join(into, name));
      await syncFolder(into);
      return true;
    });
    await syncFolder(from);
    return done ? null : 'The trash can’t be used.';
  });
  return moved === null && !(await isThere(root, target)) ? 'Its folder is gone.' : moved;
}

async function isThere(root: string, path: string): Promise<boolean> {
  return (await inFolder(root, path, async ({ at }) => (await readdir(at)).length > 0)) ?? false;
}

/** What is in the trash of the outputs, newest first. */
export async function listTrash(root: string): Promise<TrashFacts[]> {
  const found = await inFolder(root, trashFolder(root), async ({ at }) => {
    const entries = (await readdir(at)).filter((entry) => ENTRY.test(entry));
    return Promise.all(entries.map((entry) => factsOf(root, at, entry)));
  }).catch(ifUnreadable(null, 'retention'));
  return (found ?? []).flat().sort((a, b) => (a.entry < b.entry ? 1 : -1));
}

async function factsOf(root: string, trash: string, entry: string): Promise<TrashFacts[]> {
  if (!(await isFolder(join(trash, entry)))) return [];
  const paths = await contents(join(trash, entry), root, '');
  const [, year, month, day, hour, minute, second] = ENTRY.exec(entry) ?? [];
  const removed_at = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  return [{ entry, removed_at, bytes: await folderBytes(join(trash, entry)), paths }];
}

/** What was removed, by its path below the outputs: all that is there no longer. */
async function contents(entry: string, root: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(join(entry, path)).catch(ifUnreadable([], 'retention'))).sort()) {
    const below = join(path, name);
    const both = (await isFolder(join(entry, below))) && (await isFolder(join(root, below)));
    found.push(...(both ? await contents(entry, root, below) : [below]));
  }
  return found;
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(ifMissing(null)))?.isDirectory() ?? false;
}

/**
 * Puts back what was removed together. Where something has taken its place meanwhile, both stay: `left` are such paths. Throws a
 * Problem without such an entry.
 */
export async function putBack(root: string, entry: string): Promise<{ back: string[]; left: string[] }> {
  const facts = (await listTrash(root)).find((each) => each.entry === entry);
  if (!facts) throw notInTrash();
  const [back, left]: [string[], string[]] = [[], []];
  for (const path of facts.paths) ((await moveBack(root, entry, path)) ? back : left).push(path);
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
  const facts = (await listTrash(root)).find((each) => each.entry === entry);
  if (!facts) throw notInTrash();
  await removeEntry(root, entry);
  return facts;
}

/** `rm` removes a link, and never what it leads to. */
async function removeEntry(root: string, entry: string): Promise<void> {
  await inFolder(root, trashFolder(root), ({ at }) => rm(join(at, entry), { recursive: true, force: true }));
}

function notInTrash(): Problem {
  return new Problem('not_in_trash', 'This is not in the trash. It was put back already, or it is gone for good.');
}
