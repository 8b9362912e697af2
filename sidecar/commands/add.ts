import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ifMissing } from '../caught.js';
import { makeRoot } from '../files/makeRoot.js';
import { Problem } from '../problem.js';
import { resolvePython } from '../processes/python.js';
import type { Settings } from '../settings.js';
import { askingOf } from '../trainers/catalogue.js';
import { describeScript } from '../trainers/script/ask.js';
import { allParsers, isShown } from '../trainers/script/description.js';
import { addScript, removeScript } from '../trainers/script/found.js';

/**
 * Makes a script, or an installed module, one of the trainers; a serving Trackside shows it at once. Throws a Problem for one
 * that can't be described: what its form would be is then unknown.
 *
 * @param own it keeps this Python, rather than the one of all trainers
 */
export async function addTrainer(target: string, isModule: boolean, settings: Settings, own: boolean): Promise<void> {
  const python = own ? await resolvePython(settings.python) : null;
  const cwd = isModule ? process.cwd() : resolve(target, '..');
  const asked = { path: isModule ? target : await fileOf(target), module: isModule ? target : null, cwd, python };
  const { parser, files, seconds } = await describeScript({ id: '', ...asked }, askingOf(settings));
  await makeRoot(settings.private);
  // The script itself is the first of its files.
  const { id } = await addScript(settings, { ...asked, path: Object.keys(files)[0] ?? asked.path });
  const count = allParsers(parser).flatMap((each) => each.arguments.filter(isShown)).length;
  const commands = parser.commands ? `, ${parser.commands.choices.length} commands` : '';
  console.log(`Added ${target} as ${id}: ${count} arguments${commands}, read in ${seconds.toFixed(1)} s.`);
  console.log('Choose it under New training.');
}

/** Throws a Problem if it is not on the list. */
export async function removeTrainer(target: string, settings: Settings): Promise<void> {
  await removeScript(settings, await fileOf(target)).catch((error: unknown) => {
    if (error instanceof Problem) return removeScript(settings, target);
    throw error;
  });
  console.log(`Removed ${target}.`);
}

async function fileOf(target: string): Promise<string> {
  return realpath(target).catch(ifMissing(resolve(target)));
}
