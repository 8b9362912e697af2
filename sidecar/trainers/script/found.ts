import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { readOr } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';
import { readTextNow } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { slug } from '../../slug.js';

const script = z.object({
  /** As in ui_state.json: `script/my_train`. */
  id: z.string(),
  /** Absolute; of a module its file. */
  path: z.string(),
  /** Its name for `python -m`; null for a file. */
  module: z.string().nullable().default(null),
  /** Where it runs. */
  cwd: z.string(),
  /** Its interpreter; null for the one of all trainers. */
  python: z.string().nullable().default(null),
});

/** A script of the user that can train. */
export type Script = z.infer<typeof script>;

export type ScriptPlaces = Pick<Settings, 'private' | 'trainers'>;

/** The scripts that were added, then those in the folder TRACKSIDE_TRAINERS, by name. */
export function findScripts(places: ScriptPlaces): Script[] {
  const added = readAdded(places);
  const known = new Set(added.map(({ path }) => path));
  const taken = new Set(added.map(({ id }) => id));
  const inFolder = places.trainers ? scriptsIn(places.trainers).filter((path) => !known.has(path)) : [];
  return [
    ...added,
    ...inFolder.map((path) => ({ id: freeId(path, taken), path, module: null, cwd: dirname(path), python: null })),
  ];
}

/** Adds a script, or changes how it runs. Returns it with its id, which stays the same. */
export async function addScript(places: ScriptPlaces, asked: Omit<Script, 'id'>): Promise<Script> {
  const all = readAdded(places);
  const before = all.find(({ path }) => path === asked.path);
  const added = { ...asked, id: before?.id ?? freeId(asked.path, new Set(findScripts(places).map(({ id }) => id))) };
  await write(places, before ? all.map((each) => (each === before ? added : each)) : [...all, added]);
  return added;
}

/** Takes an added script off the list; the file stays. Throws a Problem if it is not on it. */
export async function removeScript(places: ScriptPlaces, path: string): Promise<void> {
  const all = readAdded(places);
  const rest = all.filter((each) => each.path !== path && each.module !== path);
  if (rest.length === all.length) throw new Problem('no_script', `${path} is not among the added trainers.`);
  await write(places, rest);
}

function listOf(places: ScriptPlaces): string {
  return join(places.private, 'trainers.json');
}

async function write(places: ScriptPlaces, scripts: readonly Script[]): Promise<void> {
  await writeWhole(listOf(places), `${JSON.stringify(scripts, null, 1)}\n`, 0o600);
}

/** Reads the list again only when it changed. */
function readAdded(places: ScriptPlaces): Script[] {
  return whileUnchanged(lists, listOf(places), [], (text) => z.array(script).parse(JSON.parse(text)));
}

type Kept<T> = Map<string, { stamp: string; found: T }>;
const lists: Kept<Script[]> = new Map();
const runs: Kept<boolean> = new Map();

/** What is found in a file, read again only when it changed. `other` where it can't be read, or there is none. */
function whileUnchanged<T>(kept: Kept<T>, path: string, other: T, find: (text: string) => T): T {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return other;
  const stamp = signatureOf(stats);
  const before = kept.get(path);
  if (before?.stamp === stamp) return before.found;
  const found = readOr(other, 'trainers', () => find(readTextNow(path, LONGEST)));
  kept.set(path, { stamp, found });
  return found;
}

/** The scripts directly in a folder: Python files that read a command line, or say that they are run. */
function scriptsIn(folder: string): string[] {
  const names = readOr<string[]>([], 'trainers', () => readdirSync(folder));
  return names
    .filter((name) => /^[^._].*\.py$/.test(name))
    .sort()
    .map((name) => resolve(folder, name))
    .filter((path) => whileUnchanged(runs, path, false, (text) => RUN.test(text)));
}

const RUN = /__name__\s*==\s*["']__main__["']|argparse|trackside\.trainer/;
const LONGEST = 1_000_000;

/** `script/my_train`, of a second one `script/my_train-2`. */
function freeId(path: string, taken: Set<string>): string {
  const stem = basename(path) === '__main__.py' ? basename(dirname(path)) : basename(path, '.py');
  const base = `script/${slug(stem) || 'script'}`;
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}-${number}`;
  taken.add(id);
  return id;
}
