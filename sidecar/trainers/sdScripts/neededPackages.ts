import { log } from '../../log.js';
import type { ArgumentValue } from '../arguments.js';
import { VERSIONS } from '../causes/packageNames.js';
import { error, type Finding, warning } from '../finding.js';
import { askPackages } from '../pythonPackages.js';

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

/** The interpreter of a training, its flags and family ("sd-scripts/sd1"), and the checkout. */
type Asked = { python: string; flags: Record<string, ArgumentValue>; family: string; cwd: string };

/**
 * Finds missing packages of an interpreter, and versions that are known to break. What was found once is not asked for
 * again; what is missing is, at each start: it may be installed any moment.
 */
export async function findPackages(asked: Asked): Promise<Finding[]> {
  const { python } = asked;
  const before = known.get(python);
  const found = before ? checkPackages(before, asked) : [];
  if (before && !found.some(({ severity }) => severity === 'error')) return found;
  const now = await readPackages(python);
  if (now) known.set(python, now);
  return checkPackages(now, asked);
}

const known = new Map<string, Packages>();

/** Asks an interpreter for its packages, without importing one. Null when it does not answer. */
async function readPackages(python: string): Promise<Packages | null> {
  try {
    // One module may come in packages of several names, as OpenCV does.
    const modules = Object.entries(IMPORTED).map(([name, module]) => `${name}=${module}`);
    return (await askPackages(python, [...modules, ...MAYBE])).versions;
  } catch (error) {
    log.debug('trainers', 'The Python that trains did not tell its packages.', { error });
    return null;
  }
}

/** Finds missing packages that would end sd-scripts, and versions that are known to break. Pure. */
export function checkPackages(packages: Packages | null, asked: Asked): Finding[] {
  const { python, flags, cwd } = asked;
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
    const message = `${why} needs the package ${name}. Install it (${python} -m pip install ${VERSIONS[name] ?? name}), or choose another.`;
    return packages[name] ? [] : [error('missing_package', message, { field })];
  });
  return [...found, ...brokenLycoris(packages, asked), ...knownToBreak(packages)];
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
  if (/^(?:wandb|all)$/.test(String(flags.log_with ?? '')))
    needs.push({ name: 'wandb', why: `--log_with=${flags.log_with}`, field: 'arguments.log_with' });
  if (module.startsWith('lycoris'))
    needs.push({ name: 'lycoris-lora', why: `The network ${module}`, field: 'arguments.network_module' });
  return needs;
}

/** 4.x names layers of Stable Diffusion 1.x and 2.x twice (`AssertionError: duplicated lora name`), but those of attn-mlp. */
function brokenLycoris(
  packages: Packages,
  { python, flags, family }: Pick<Asked, 'python' | 'flags' | 'family'>,
): Finding[] {
  const version = packages['lycoris-lora'] ?? '';
  const preset = [flags.network_args ?? []]
    .flat()
    .some((each) => /^preset=(?:attn|unet-transformer)/.test(String(each)));
  const isOld = /\/sd[12]$/.test(family);
  if (flags.network_module !== 'lycoris.kohya' || !(Number.parseInt(version, 10) >= 4) || preset || !isOld) return [];
  const message = `lycoris-lora ${version} ends with an error on Stable Diffusion 1.x and 2.x. Install the version before (${python} -m pip install ${VERSIONS['lycoris-lora']}), or set preset=attn-mlp in the network arguments.`;
  return [error('missing_package', message, { field: 'arguments.network_module' })];
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
