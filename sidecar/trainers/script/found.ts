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

/** A script of the user that can train. */
export type Script = {
  /** As in ui_state.json: `script/my_train`. */
  id: string;
  /** Absolute; of a module its file. */
  path: string;
  /** Its name for `python -m`; null for a file. */
  module: string | null;
  /** Where it runs. */
  cwd: string;
  /** Its interpreter; null for the one of all trainers. */
  python: string | null;
};

export type ScriptPlaces = Pick<Settings, 'private' | 'trainers'>;

const entry = z.object({
  id: z.string(),
  path: z.string(),
  module: z.string().nullable().default(null),
  cwd: z.string(),
  python: z.string().nullable().default(null),
});

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
  const script = { ...asked, id: before?.id ?? freeId(asked.path, new Set(findScripts(places).map(({ id }) => id))) };
  await write(places, before ? all.map((each) => (each === before ? script : each)) : [...all, script]);
  return script;
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
  const path = listOf(places);
  const stamp = stampOf(path);
  if (stamp === null) return [];
  const before = lists.get(path);
  if (before?.stamp === stamp) return before.scripts;
  const scripts = readOr<Script[]>([], 'trainers', () => z.array(entry).parse(JSON.parse(readTextNow(path, LONGEST))));
  lists.set(path, { stamp, scripts });
  return scripts;
}

const lists = new Map<string, { stamp: string; scripts: Script[] }>();

function stampOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? signatureOf(stats) : null;
}

/** The scripts directly in a folder: Python files that read a command line, or say that they are run. */
function scriptsIn(folder: string): string[] {
  const names = readOr<string[]>([], 'trainers', () => readdirSync(folder));
  return names
    .filter((name) => /^[^._].*\.py$/.test(name))
    .sort()
    .map((name) => resolve(folder, name))
    .filter(isRun);
}

function isRun(path: string): boolean {
  const stamp = stampOf(path);
  if (stamp === null) return false;
  const before = runs.get(path);
  if (before?.stamp === stamp) return before.run;
  const run = readOr(false, 'trainers', () => RUN.test(readTextNow(path, LONGEST)));
  runs.set(path, { stamp, run });
  return run;
}

const runs = new Map<string, { stamp: string; run: boolean }>();
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
