import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnFolder } from '../security/paths.js';
import { readStateName } from '../trainers/fileNames.js';
import type { KeptEarlier } from './facts.js';
import type { Session } from './session.js';

/** Where a session's states and samples went that a later attempt made room of (earlier.ts), newest first. */
export async function keptEarlier({ folder, outputName }: Session): Promise<KeptEarlier> {
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
