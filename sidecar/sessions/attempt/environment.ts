import { arch, release } from 'node:os';
import { log } from '../../log.js';
import { resolvePython } from '../../processes/python.js';
import { askPackages } from '../../trainers/pythonPackages.js';

/** The software of a training, for the record. Null when unknown. */
export type Environment = { python: string | null; torch: string | null; accelerate: string | null; system: string };

/** Asks an interpreter, once under all of its names, for its version and those of the packages that matter, without importing any. */
export function readEnvironment(python: string): Promise<Environment> {
  const asked = known.get(python) ?? askBehind(python);
  known.set(python, asked);
  return asked;
}

/** The shims of pyenv and the like cost as much as the answer. */
async function askBehind(name: string): Promise<Environment> {
  const path = await resolvePython(name).catch((error: unknown) => {
    log.debug('sessions', 'No working Python was found.', { error });
    return name;
  });
  return path === name ? ask(path) : readEnvironment(path);
}

const known = new Map<string, Promise<Environment>>();

async function ask(python: string): Promise<Environment> {
  const system = `Linux ${release()} ${arch()}`;
  try {
    const { python: version, versions } = await askPackages(python, ['torch', 'accelerate']);
    return { python: version, torch: versions.torch ?? null, accelerate: versions.accelerate ?? null, system };
  } catch (error) {
    log.debug('sessions', 'The Python that trains did not tell its versions.', { error });
    return { python: null, torch: null, accelerate: null, system };
  }
}
