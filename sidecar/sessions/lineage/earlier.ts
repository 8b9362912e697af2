import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.js';
import { isOwnFolder } from '../../security/paths.js';
import { readCheckpointName, readStateName, type SavedAt } from '../../trainers/sdOutput/fileNames.js';
import type { KeptEarlier } from '../facts.js';

/**
 * What a new attempt would overwrite is moved to `earlier/attempt-<n>/` before it starts, so that no checkpoint is ever
 * lost to a resume or a relaunch: sd-scripts reuses step and final names and overwrites silently (train_network.py:1491).
 * Returns where things went, as a function from the old absolute path to the present one.
 */
export async function moveEarlier(
  folder: string,
  outputName: string,
  attempt: number,
  wouldBeOverwritten: (file: SavedAt) => boolean,
  alsoMove: readonly string[] = [],
): Promise<(path: string) => string> {
  const names = await readdir(folder);
  const moving = names.filter((name) => {
    const file = readCheckpointName(name, outputName) ?? readStateName(name, outputName);
    return file ? wouldBeOverwritten(file) : alsoMove.includes(name);
  });
  if (moving.length === 0) return (path) => path;
  const target = await freshFolder(join(folder, 'earlier'), `attempt-${attempt}`);
  const moved = new Map<string, string>();
  for (const name of moving) {
    await rename(join(folder, name), join(target, name));
    moved.set(join(folder, name), join(target, name));
  }
  return (path) => moved.get(path) ?? path;
}

/** Never one that exists: what was moved there before must not be replaced in its turn. */
async function freshFolder(parent: string, name: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  if (!(await isOwnFolder(parent)))
    throw new Problem('leads_out', 'earlier/ in the output folder is a link, and nothing is moved through it.', {
      kept: 'Nothing was changed.',
      todo: 'Remove the link, and try again.',
    });
  for (let again = 1; ; again += 1) {
    const path = join(parent, again === 1 ? name : `${name}-${again}`);
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Where a session's states and samples went that a later attempt made room of (earlier.ts), newest first. */
export async function keptEarlier({
  folder,
  outputName,
}: {
  folder: string;
  outputName: string;
}): Promise<KeptEarlier> {
  const kept: KeptEarlier = { states: [], samples: [] };
  if (!(await isOwnFolder(join(folder, 'earlier')))) return kept;
  const newestFirst = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
  for (const name of (await namesIn(join(folder, 'earlier'))).sort(newestFirst)) {
    const inside = await namesIn(join(folder, 'earlier', name));
    if (inside.some((each) => readStateName(each, outputName))) kept.states.push(`earlier/${name}`);
    if (inside.includes('sample')) kept.samples.push(`earlier/${name}/sample`);
  }
  return kept;
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
