import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { bridge } from '../../bridge.js';
import { ifUnreadable, logged } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { signatureAt } from '../../files/fileSignature.js';
import { writePrivate } from '../../files/privateFile.js';
import { readBytes, readText } from '../../files/regularFile.js';
import { Problem } from '../../problem.js';
import { resolvePython } from '../../processes/python.js';
import { runCommand } from '../../processes/run.js';
import { lastJson } from '../describe.js';
import { chosenParsers, type Description, readDescription } from './description.js';
import type { Script } from './found.js';
import { scriptTokens, type Values } from './tokens.js';

/** How to ask: the interpreter of trainers without their own, and the folder where answers are kept for the next start. */
export type Asking = { python: string; kept: string };

/** The interpreter of a script. */
export function pythonOf({ python }: Script, asking: Asking): string {
  return python ?? asking.python;
}

/**
 * Asks a script's own parser for its arguments, in a process of its own that ends before the script trains. Keeps the answer
 * until the script, a file beside it that it imports, or the interpreter changes. Throws a Problem with the reason when it
 * can't be described; asks again after a minute, for a package may be installed by then.
 */
export async function describeScript(script: Script, asking: Asking): Promise<Description> {
  const place = await placeOf(script, asking);
  const key = JSON.stringify(place);
  const before = known.get(key);
  if (before && (await isSame(before))) return before.description;
  const running = underWay.get(key) ?? describe(script, place, asking);
  underWay.set(key, running);
  return running.finally(() => underWay.delete(key));
}

/**
 * Lets the script's own parser read a command line with these values. Throws a Problem in its words, with the field, for what
 * it refuses. The same values are asked once.
 */
export async function checkValues(
  script: Script,
  description: Description,
  values: Values,
  asking: Asking,
): Promise<void> {
  const tokens = scriptTokens(description.parser, values);
  const key = JSON.stringify([await placeOf(script, asking), description.files, tokens]);
  if (passed.has(key)) return;
  const answer = verdict.safeParse(await run(script, asking, ['--check', JSON.stringify(tokens)]));
  if (!answer.success) return;
  if ('values' in answer.data) {
    passed.add(key);
    return;
  }
  const { wrong, flag } = answer.data;
  const named = new Set((flag ?? '').split('/'));
  const argument = chosenParsers(description.parser, values)
    .flatMap((each) => each.arguments)
    .find((each) => [...each.flags, each.dest, each.metavar ?? ''].some((name) => named.has(name)));
  const words = `The script refuses ${flag ? `${flag}: ${wrong}` : `these values: ${wrong}`}`;
  const message = words.endsWith('.') ? words : `${words}.`;
  throw new Problem('bad_arguments', message, argument ? { field: `arguments.${argument.name}` } : {});
}

type Place = { format: number; path: string; module: string | null; python: string; changed: number };
type Known = { description: Description; stamps: Record<string, string> };

/** To be raised when the shape of an answer changes. */
const FORMAT = 1;
const known = new Map<string, Known>();
const underWay = new Map<string, Promise<Description>>();
const passed = new Set<string>();
/** Why a script could not be described, until when that is not asked again. */
const refusals = new Map<string, { stamp: string; until: number; problem: Problem }>();
const ASK_AGAIN_MS = 60_000;
/** Bytes of an answer. */
const LARGEST = 8_000_000;

const verdict = z.union([
  z.object({ values: z.record(z.string(), z.string()) }),
  z.object({ wrong: z.string(), flag: z.string().nullable() }),
]);

async function placeOf(script: Script, asking: Asking): Promise<Place> {
  const python = await resolvePython(pythonOf(script, asking)).catch((error: Error) => {
    throw new Problem('no_python', error.message, { field: 'trainer' });
  });
  const stats = await stat(python).catch(ifUnreadable(null, 'trainers'));
  return { format: FORMAT, path: script.path, module: script.module, python, changed: stats?.mtimeMs ?? 0 };
}

async function describe(script: Script, place: Place, asking: Asking): Promise<Description> {
  const key = JSON.stringify(place);
  const stamp = await signatureAt(script.path, 'trainers');
  if (stamp === '' && !script.module)
    throw new Problem('no_script', `The script ${script.path} is missing.`, { field: 'trainer' });
  const file = join(asking.kept, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
  const kept = await readKept(file);
  const refused = refusals.get(key);
  if (!kept && refused?.stamp === stamp && performance.now() < refused.until) throw refused.problem;
  const answer = kept ?? (await run(script, asking, []));
  const description = readDescription(answer);
  if (!description) {
    const words = z.object({ error: z.string() }).safeParse(answer).data?.error;
    const problem = new Problem('not_described', words ?? `${script.path} did not list its arguments.`, {
      field: 'trainer',
    });
    refusals.set(key, { stamp, until: performance.now() + ASK_AGAIN_MS, problem });
    throw problem;
  }
  // Only a cache: without it, the next start asks again.
  if (!kept)
    await writePrivate(file, `${JSON.stringify(answer)}\n`).catch(
      logged('trainers', 'The arguments of a script could not be stored.'),
    );
  const paths = Object.keys(description.files);
  const stamps = await Promise.all(paths.map(async (path) => [path, await signatureAt(path, 'trainers')]));
  known.set(key, { description, stamps: Object.fromEntries(stamps) });
  return description;
}

/** What the describer printed of one script, on its last line. */
async function run(script: Script, asking: Asking, more: readonly string[]): Promise<unknown> {
  const target = script.module ? ['-m', script.module] : [script.path];
  const argv = [pythonOf(script, asking), bridge.describe, '--limit', String(LIMIT_S), ...more, ...target];
  const printed = await runCommand({ argv, cwd: script.cwd }).catch((error: Error) => {
    throw new Problem('not_described', error.message, { field: 'trainer' });
  });
  return lastJson(printed);
}

/** For the imports of a script, torch among them, from a slow disk. */
const LIMIT_S = 60;

/** A kept answer, if the files that it is of are still the same. */
async function readKept(file: string): Promise<unknown> {
  const text = await readText(file, LARGEST).catch(ifUnreadable(null, 'trainers'));
  const answer = text === null ? null : jsonOrNull(text);
  const files = Object.entries(readDescription(answer)?.files ?? {});
  const same = await Promise.all(files.map(async ([path, hash]) => (await hashOf(path)) === hash));
  return files.length > 0 && same.every(Boolean) ? answer : null;
}

async function hashOf(path: string): Promise<string | null> {
  const content = await readBytes(path, LARGEST).catch(ifUnreadable(null, 'trainers'));
  return content && createHash('sha256').update(content).digest('hex');
}

async function isSame({ stamps }: Known): Promise<boolean> {
  const same = Object.entries(stamps).map(async ([path, stamp]) => (await signatureAt(path, 'trainers')) === stamp);
  return (await Promise.all(same)).every(Boolean);
}
