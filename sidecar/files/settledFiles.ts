import { lstat, readdir } from 'node:fs/promises';
import { ifUnreadable } from '../caught.js';
import { Lru } from './lru.js';

/** Milliseconds after the last write until a file counts as finished; and one that is not complete, as given up. */
const SETTLED_MS = 2000;
const GIVEN_UP_MS = 60_000;
/** Settled files that are checked again once a second at most, the longest unchecked first. */
const RECHECKED = 16;
const RECHECK_MS = 1000;
/** Remembered files, over all folders. */
const MOST = 20_000;

type OnDisk = { name: string; bytes: number; savedAtMs: number };

/**
 * Reads the files of a folder with thousands of files, few of which change: new and fresh ones on each call, and a few of
 * the settled ones each second. Notices an old file that is overwritten in place some calls later. Returns the same array
 * as long as nothing changes.
 *
 * @param isWhole whether the file is complete
 * @param compare the order of the result
 */
export function settledFiles<Found extends OnDisk>(
  isWhole: (found: Found) => boolean,
  compare: (a: Found, b: Found) => number,
) {
  type Known = {
    names: readonly string[];
    /** The longest unchecked first. */
    files: Map<string, Found | null>;
    unsettled: Set<string>;
    /** `performance.now()` of the last check of settled files. */
    recheckedAt: number;
    sorted: Found[];
  };
  const folders = new Lru<Known>(MOST);
  /** `key` identifies the folder and the names. */
  return async (key: string, names: readonly string[], read: (name: string) => Promise<Found | null>) => {
    const known = folders.get(key) ?? {
      names: [],
      files: new Map(),
      unsettled: new Set(),
      recheckedAt: Number.NEGATIVE_INFINITY,
      sorted: [],
    };
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
      if (now && hasSettled(now.savedAtMs, isWhole(now) ? SETTLED_MS : GIVEN_UP_MS)) known.unsettled.delete(name);
      else known.unsettled.add(name);
    }
    if (changed) known.sorted = [...known.files.values()].filter((file) => file !== null).sort(compare);
    return known.sorted;
  };

  /** Is a file gone? */
  function takeNames(known: Known, names: readonly string[]): boolean {
    if (known.names === names) return false;
    known.names = names;
    const there = new Set(names);
    const gone = [...known.files.keys()].filter((name) => !there.has(name));
    for (const name of gone) known.files.delete(name);
    known.unsettled = new Set(names.filter((name) => known.unsettled.has(name) || !known.files.has(name)));
    return gone.length > 0;
  }

  function firstSettled(known: Known): string[] {
    const { files, unsettled, recheckedAt } = known;
    if (performance.now() - recheckedAt < RECHECK_MS) return [];
    known.recheckedAt = performance.now();
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

/** Caches the result of `choose` for the names in a folder until the folder changes. Null: no folder, or a link to one. */
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

function hasSettled(changedAtMs: number, after = SETTLED_MS): boolean {
  return Math.abs(Date.now() - changedAtMs) > after;
}
