import { mkdir, readdir, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { foldersIn } from '../../files/foldersIn.js';
import { Problem } from '../../problem.js';
import { isOwnFolder } from '../../security/paths.js';
import type { Dialect } from '../../trainers/dialect.js';
import type { KeptEarlier } from '../savedFacts.js';

/** The moves of earlier attempts' files. */
export type Room = {
  /** The absolute path of a file after the moves. */
  placeOf(path: string): string;
  /** The moves as names in the output folder, for who makes them later. */
  moves: { from: string; to: string }[];
  /** Moves the files. Throws a Problem before the first one if `earlier/` is a link. */
  make(): Promise<void>;
};

/**
 * Plans to move files that a new attempt would overwrite to `earlier/attempt-<n>/`, so that no checkpoint is ever lost
 * to a resume or a relaunch: trainers overwrite silently (sd-scripts train_network.py:1491). Moves nothing yet: the
 * command, which names the new places, may still be refused. Needs the session's lock.
 */
export async function planRoom(
  folder: string,
  attempt: number,
  wouldBeOverwritten: (entry: string) => boolean,
): Promise<Room> {
  const moving = (await readdir(folder)).filter(wouldBeOverwritten);
  const earlier = join(folder, 'earlier');
  const target = await freePlace(earlier, `attempt-${attempt}`);
  const moves = new Map(moving.map((name) => [join(folder, name), join(target, name)]));
  return {
    placeOf: (path) => moves.get(path) ?? path,
    moves: [...moves].map(([from, to]) => ({ from: relative(folder, from), to: relative(folder, to) })),
    async make() {
      if (moves.size === 0) return;
      await mkdir(earlier, { recursive: true });
      const link = 'earlier/ in the output folder is a link, and Trackside moves no files through links.';
      const more = { kept: 'Nothing was changed.', todo: 'Remove the link, and try again.' };
      if (!(await isOwnFolder(earlier))) throw new Problem('leads_out', link, more);
      await mkdir(target);
      for (const [from, to] of moves) await rename(from, to);
    },
  };
}

/** Never an existing one: files that were moved there before must not be replaced in turn. */
async function freePlace(parent: string, name: string): Promise<string> {
  const taken = new Set(await readdir(parent).catch(ifUnreadable([], 'sessions')));
  for (let again = 1; ; again += 1) {
    const free = again === 1 ? name : `${name}-${again}`;
    if (!taken.has(free)) return join(parent, free);
  }
}

/** The folders with a session's moved states and samples, newest first. */
export async function keptEarlier(of: { folder: string; dialect: Dialect; outputName: string }): Promise<KeptEarlier> {
  const { folder, dialect, outputName } = of;
  const kept: KeptEarlier = { states: [], samples: [] };
  if (!(await isOwnFolder(join(folder, 'earlier')))) return kept;
  const newestFirst = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
  for (const name of (await foldersIn(join(folder, 'earlier'), 'sessions')).sort(newestFirst)) {
    const inside = await foldersIn(join(folder, 'earlier', name), 'sessions');
    if (inside.some((each) => dialect.saved(each, outputName)?.is === 'state')) kept.states.push(`earlier/${name}`);
    const samples = dialect.samples.folder;
    if (inside.includes(samples)) kept.samples.push(`earlier/${name}/${samples}`);
  }
  return kept;
}
