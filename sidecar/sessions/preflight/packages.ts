import { log } from '../../log.js';
import type { ArgumentValue } from '../../trainers/arguments.js';
import { askPackages } from '../../trainers/pythonPackages.js';
import { error, type Finding, warning } from './finding.js';

/** Versions by pip's names; "unknown" when only the module is found, null when it is not installed. */
export type Packages = Record<string, string | null>;

/** Packages that every script imports first, with their modules (train_util.py, from its first line on). */
const IMPORTED: Record<string, string> = {
  torch: 'torch',
  torchvision: 'torchvision',
  accelerate: 'accelerate',
  transformers: 'transformers',
  diffusers: 'diffusers',
  safetensors: 'safetensors',
  toml: 'toml',
  voluptuous: 'voluptuous',
  'opencv-python': 'cv2',
  einops: 'einops',
  imagesize: 'imagesize',
  'huggingface-hub': 'huggingface_hub',
  numpy: 'numpy',
  pillow: 'PIL',
};
const NEEDED = Object.keys(IMPORTED);
const MAYBE = [
  ...['bitsandbytes', 'xformers', 'tensorboard', 'wandb', 'lycoris-lora', 'prodigyopt', 'lion-pytorch'],
  ...['schedulefree', 'prodigy-plus-schedule-free', 'dadaptation'],
];

/** Asks an interpreter for its packages, without importing one. Null when it does not answer. */
export async function readPackages(python: string): Promise<Packages | null> {
  const before = known.get(python);
  if (before) return before;
  try {
    // One module may come in packages of several names, as OpenCV does.
    const modules = Object.entries(IMPORTED).map(([name, module]) => `${name}=${module}`);
    const { versions: found } = await askPackages(python, [...modules, ...MAYBE]);
    // A missing package may be installed any moment.
    if (NEEDED.every((name) => found[name])) known.set(python, found);
    return found;
  } catch (error) {
    log.debug('sessions', 'The Python that trains did not tell its packages.', { error });
    return null;
  }
}

const known = new Map<string, Packages>();

/** Finds missing packages that would end sd-scripts, and versions that are known to break. Pure. */
export function checkPackages(
  packages: Packages | null,
  python: string,
  flags: Record<string, ArgumentValue>,
  cwd: string,
): Finding[] {
  if (!packages) {
    const message = `${python} is not a working Python. Start Trackside with TRACKSIDE_PYTHON set to the Python that sd-scripts is installed for.`;
    return [error('no_python', message)];
  }
  const missing = NEEDED.filter((name) => !packages[name]);
  if (missing.length > 0) {
    const message = `${python} is missing the packages ${missing.join(', ')}. Install them (${python} -m pip install -r ${cwd}/requirements.txt), or set TRACKSIDE_PYTHON to a Python that has them.`;
    return [error('missing_packages', message)];
  }
  const found = neededBy(flags).flatMap(({ name, why, field }) => {
    const message = `${why} needs the package ${name}. Install it (${python} -m pip install ${name}), or choose another.`;
    return packages[name] ? [] : [error('missing_package', message, { field })];
  });
  return [...found, ...knownToBreak(packages)];
}

/** Optimizers by what they need, whatever the module before the dot (train_util.py:5099). */
const FOR_OPTIMIZER: readonly [optimizer: RegExp, name: string][] = [
  [/8bit|paged/i, 'bitsandbytes'],
  [/^prodigy$/i, 'prodigyopt'],
  [/^lion$/i, 'lion-pytorch'],
  [/^dadapt/i, 'dadaptation'],
  [/schedulefree$/i, 'schedulefree'],
  [/^prodigyplus\./, 'prodigy-plus-schedule-free'],
];

function neededBy(flags: Record<string, ArgumentValue>): { name: string; why: string; field: string }[] {
  const optimizer = String(flags.optimizer_type ?? '');
  const module = String(flags.network_module ?? '');
  const needs = FOR_OPTIMIZER.filter(([named]) => named.test(optimizer)).map(([, name]) => {
    return { name, why: `The optimizer ${optimizer}`, field: 'arguments.optimizer_type' };
  });
  if (flags.xformers === true) needs.push({ name: 'xformers', why: '--xformers', field: 'arguments.xformers' });
  if (module.startsWith('lycoris'))
    needs.push({ name: 'lycoris-lora', why: `The network ${module}`, field: 'arguments.network_module' });
  return needs;
}

/** accelerate before 1.0 loads no random states of torch 2.6: `KeyError: 'step'` (kohya_ss 3112, accelerate 2924). */
function knownToBreak({ accelerate, tensorboard }: Packages): Finding[] {
  const found: Finding[] = [];
  if (accelerate?.startsWith('0.')) {
    const message = `accelerate ${accelerate} can't resume from what newer versions of torch save. Install a newer one (sd-scripts asks for accelerate==1.6.0).`;
    found.push(warning('old_accelerate', message));
  }
  if (!tensorboard) {
    const message =
      'The trainer’s Python has no tensorboard, so no loss is recorded for the charts. Install it: python -m pip install tensorboard.';
    found.push(warning('no_tensorboard', message));
  }
  return found;
}
