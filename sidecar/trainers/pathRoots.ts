import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Settings } from '../settings.js';

/** The folders that a path among a trainer's arguments may lead into. All absolute. */
export type PathRoots = {
  /** Filled by trainers and uploads: a link in it that leads out of all roots is not followed. */
  closed: readonly string[];
  /** Filled by the machine's owner: models are often links to another volume. */
  linked: readonly string[];
  /** The trainer's working directory, for relative paths. */
  cwd: string;
};

/** A trainer's working directory and checkout. */
type TrainerPlaces = { script: { cwd: string }; checkout?: string };

/** Outputs, datasets, models and the trainer's checkout. */
export function pathRoots(settings: Settings, { script, checkout }: TrainerPlaces): PathRoots {
  return {
    closed: [settings.outputs, settings.datasets],
    linked: [settings.models, ...(checkout ? [checkout] : [])],
    cwd: script.cwd,
  };
}

/** Does a path, absolute or from `cwd`, stay inside the roots, links included? It need not exist. */
export function leadsInside(path: string, { closed, linked, cwd }: PathRoots): boolean {
  const asked = resolve(cwd, path);
  if (linked.some((root) => holds(root, asked))) return true;
  if (!closed.some((root) => holds(root, asked))) return false;
  const real = realPath(asked);
  return [...closed, ...linked].some((root) => holds(realPath(root), real));
}

/** Is a path, links included, inside the folders that trainers and uploads write to? */
export function leadsIntoUploads(path: string, { closed, cwd }: PathRoots): boolean {
  const asked = resolve(cwd, path);
  return closed.some((root) => holds(root, asked) || holds(realPath(root), realPath(asked)));
}

function holds(root: string, path: string): boolean {
  const rest = relative(root, path);
  return !rest.startsWith('..') && !isAbsolute(rest);
}

/** Follows links as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // silent: it does not exist: its parent may.
    const above = dirname(path);
    return above === path ? path : resolve(realPath(above), relative(above, path));
  }
}
