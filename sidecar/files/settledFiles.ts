import { lstat, readdir } from 'node:fs/promises';
import { ifUnreadable } from '../caught.js';
import { Lru } from './lru.js';

/** What was written so long ago, in milliseconds, is finished. */
const SETTLED_MS = 2000;
/** Settled files that are asked for again on each call, those first that were not for the longest time. */
const RECHECKED = 16;
/** Files of all folders together that are remembered. */
const MOST = 20_000;

type OnDisk = { name: string; bytes: number; savedAtMs: number };

/**
 * Reads the files of a folder of which thousands may lie there and few change: new and fresh ones on each call, of those
 * that have settled a few. One that was written over in place long after it was finished is noticed some calls later; up
 * to 16 files all are asked for each time. Gives the same array for as long as nothing changed.
 *
 * @param isWhole nothing more is going to be written into it
 * @param compare the order of what is given
 */
export function settledFiles<Found extends OnDisk>(
  isWhole: (found: Found) => boolean,
  compare: (a: Found, b: Found) => number,
) {
  type Known = {
    names: readonly string[];
    /** Those that were not asked for the longest come first. */
    files: Map<string, Found | null>;
    unsettled: Set<string>;
    sorted: Found[];
  };
  const folders = new Lru<Known>(MOST);
  /** `key` is what the folder and the names are remembered by. */
  return async (key: string, names: readonly string[], read: (name: string) => Promise<Found | null>) => {
    const known = folders.get(key) ?? { names: [], files: new Map(), unsettled: new Set(), sorted: [] };
    folders.set(key, known, names.length + 1);
    let changed = takeNames(known, names);
    const due = [...known.unsettled, ...firstSettled(known)];
    const found = await Promise.all(due.map(read));
    for (const [at, name] of due.entries()) {
      const [before, now] = [known.files.get(name) ?? null, found[at] ?? null];
      const same = isSame(before, now);
      changed ||= !same;
      known.files.delete(name);
      known.files.set(name, same ? before : now);
      if (now && isWhole(now) && hasSettled(now.savedAtMs)) known.unsettled.delete(name);
      else known.unsettled.add(name);
    }
    if (changed) known.sorted = [...known.files.values()].filter((file) => file !== null).sort(compare);
    return known.sorted;
  };

  /** Did a file go? */
  function takeNames(known: Known, names: readonly string[]): boolean {
    if (known.names === names) return false;
    known.names = names;
    const there = new Set(names);
    const gone = [...known.files.keys()].filter((name) => !there.has(name));
    for (const name of gone) known.files.delete(name);
    known.unsettled = new Set(names.filter((name) => known.unsettled.has(name) || !known.files.has(name)));
    return gone.length > 0;
  }

  function firstSettled({ files, unsettled }: Known): string[] {
    const names: string[] = [];
    for (const name of files.keys()) {
      if (names.length === RECHECKED) break;
      if (!unsettled.has(name)) names.push(name);
    }
    return names;
  }

  function isSame(a: Found | null, b: Found | null): boolean {
    return a?.bytes === b?.bytes && a?.savedAtMs === b?.savedAtMs && wholeness(a) === wholeness(b);
  }

  function wholeness(file: Found | null): boolean {
    return file !== null && isWhole(file);
  }
}

/** What is made of the names in a folder, anew only where it changed, or did a moment ago. Null: no folder, or a link to one. */
export function settledNames<Named>(choose: (names: string[]) => Named) {
  const folders = new Lru<{ signature: string; chosen: Named }>(MOST);
  return async (folder: string): Promise<Named | null> => {
    const stats = await lstat(folder).catch(ifUnreadable(null, 'files'));
    if (!stats?.isDirectory()) return null;
    const signature = `${stats.ino}:${stats.mtimeMs}`;
    const known = folders.get(folder);
    if (known?.signature === signature) return known.chosen;
    const names = await readdir(folder);
    const chosen = choose(names);
    if (hasSettled(stats.mtimeMs)) folders.set(folder, { signature, chosen }, names.length + 1);
    return chosen;
  };
}

function hasSettled(changedAtMs: number): boolean {
  return Math.abs(Date.now() - changedAtMs) > SETTLED_MS;
}
