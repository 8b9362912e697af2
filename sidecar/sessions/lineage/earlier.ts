import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.js';
import { isOwnFolder } from '../../security/paths.js';
import type { Dialect } from '../../trainers/dialect.js';
import type { KeptEarlier } from '../facts.js';

/**
 * What a new attempt would overwrite is moved to `earlier/attempt-<n>/` before it starts, so that no checkpoint is ever
 * lost to a resume or a relaunch: trainers overwrite silently (sd-scripts train_network.py:1491).
 * Returns where things went, as a function from the old absolute path to the present one.
 */
export async function moveEarlier(
  folder: string,
  attempt: number,
  wouldBeOverwritten: (entry: string) => boolean,
): Promise<(path: string) => string> {
  const moving = (await readdir(folder)).filter(wouldBeOverwritten);
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
  dialect,
  outputName,
}: {
  folder: string;
  dialect: Dialect;
  outputName: string;
}): Promise<KeptEarlier> {
  const kept: KeptEarlier = { states: [], samples: [] };
  if (!(await isOwnFolder(join(folder, 'earlier')))) return kept;
  const newestFirst = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
  for (const name of (await namesIn(join(folder, 'earlier'))).sort(newestFirst)) {
    const inside = await namesIn(join(folder, 'earlier', name));
    if (inside.some((each) => dialect.saved(each, outputName)?.is === 'state')) kept.states.push(`earlier/${name}`);
    const samples = dialect.samples.folder;
    if (inside.includes(samples)) kept.samples.push(`earlier/${name}/${samples}`);
  }
  return kept;
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
