import { Problem } from '../../problem.js';
import { canImport } from '../../trainers/pythonPackages.js';
import type { Trainer } from '../../trainers/trainer.js';

/** Packages that were found, by interpreter. A missing one is searched for again: it may be installed any moment. */
const found = new Set<string>();

/**
 * Checks that the trainer's Python has the package that these pictures need: without it the trainer ends at once.
 * Throws a Problem with the command that installs it.
 *
 * @param pictures their file names
 */
export async function requirePackage(trainer: Trainer, pictures: readonly string[], python: string): Promise<void> {
  const need = trainer.needsFor?.(pictures);
  if (!need) return;
  const key = `${python} ${need.module}`;
  if (found.has(key)) return;
  if (!(await canImport(python, need.module))) {
    const todo = `Install it (${python} -m pip install ${need.name}), or save the pictures as PNG.`;
    throw new Problem('missing_package', need.why, { todo, field: 'dataset' });
  }
  found.add(key);
}
