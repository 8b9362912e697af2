import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Settings } from '../../settings.js';
import { commitOf } from '../commit.js';

/** A folder of kohya-ss/sd-scripts, and the Python that runs it. */
export type Checkout = {
  /** Absolute. */
  path: string;
  /** Its git commit, null without a history (a downloaded archive). */
  commit: string | null;
  /** Absolute if it was found beside the checkout, else the configured name. */
  python: string;
  /** The source of `python`, in words. */
  pythonFrom: string;
};

/** Why there is none, in words. */
export type NoCheckout = { missing: string };

/** The default Python. */
const DEFAULT_PYTHON = 'python3';

/**
 * The checkout that TRACKSIDE_SD_SCRIPTS names, else the first one in the usual places: beside us, on a pod's volume,
 * inside a FluxGym or a kohya_ss. A handful of stat calls, cheap enough for every request, so that a new checkout is
 * found without a restart.
 */
export function findCheckout(
  settings: Pick<Settings, 'sdScripts' | 'python' | 'root'>,
  places: readonly string[] = usualPlaces(settings.root),
): Checkout | NoCheckout {
  if (settings.sdScripts) {
    const path = resolve(settings.sdScripts);
    if (isCheckout(path)) return describe(path, settings.python);
    const why = existsSync(path) ? 'holds no train_network.py with its library folder' : 'does not exist';
    return { missing: `TRACKSIDE_SD_SCRIPTS is ${path}, which ${why}.` };
  }
  const path = places.find(isCheckout);
  return path ? describe(path, settings.python) : { missing: 'sd-scripts was not found in the usual places.' };
}

/** The Python for a script: its checkout's, for one of sd-scripts. */
export function pythonFor(script: string, set: string): string {
  const folder = dirname(resolve(script));
  return isCheckout(folder) ? pythonOf(folder, set).python : set;
}

/** Every family's script needs both. */
function isCheckout(path: string): boolean {
  return existsSync(join(path, 'train_network.py')) && existsSync(join(path, 'library', 'train_util.py'));
}

/** In the order of preference. `root` is the folder of Trackside. */
export function usualPlaces(root: string): string[] {
  const parents = [dirname(root), root, '/workspace', process.env.HOME ?? '/root', '/root', '/app', '/opt'];
  const inside = [
    'sd-scripts',
    'fluxgym/sd-scripts',
    'FluxGym/sd-scripts',
    'kohya_ss/sd-scripts',
    'kohya-ss/sd-scripts',
  ];
  return [...new Set(parents.flatMap((parent) => inside.map((name) => join(parent, name))))];
}

function describe(path: string, python: string): Checkout {
  return { path, commit: commitOf(path), ...pythonOf(path, python) };
}

/** TRACKSIDE_PYTHON, else a virtual environment in the checkout or beside it (FluxGym's is `env`). */
function pythonOf(path: string, set: string): Pick<Checkout, 'python' | 'pythonFrom'> {
  if (set !== DEFAULT_PYTHON) return { python: set, pythonFrom: 'TRACKSIDE_PYTHON' };
  for (const folder of [path, dirname(path)]) {
    for (const name of ['venv', '.venv', 'env']) {
      const python = join(folder, name, 'bin', 'python');
      if (isExecutable(python)) return { python, pythonFrom: `the virtual environment ${join(folder, name)}` };
    }
  }
  return { python: set, pythonFrom: 'the PATH, for there is no virtual environment in the checkout or beside it' };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // silent: not there, or not ours to run.
    return false;
  }
}
