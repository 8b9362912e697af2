import { arch, release } from 'node:os';
import { log } from '../../log.js';
import { askPackages } from '../../trainers/pythonPackages.js';

/** The software of a training, for the record. Null when unknown. */
export type Environment = { python: string | null; torch: string | null; accelerate: string | null; system: string };

/** Asks an interpreter, once, for its version and those of the packages that matter, without importing any. */
export function readEnvironment(python: string): Promise<Environment> {
  const asked = known.get(python) ?? ask(python);
  known.set(python, asked);
  return asked;
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
