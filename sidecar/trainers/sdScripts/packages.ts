import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import type { Run } from '../describe.js';
import { askPackages } from '../pythonPackages.js';
import type { Checkout } from './checkout.js';

/** `wanted`: the version that requirements.txt pins, or null. `installed`: its version, or null. */
export type Package = { name: string; wanted: string | null; installed: string | null };

export type Packages = {
  python: string | null;
  packages: Package[];
  /** Why Python told nothing. */
  problem: string | null;
};

/** Optional packages, and their use; all others are required for any training. */
const FOR: Record<string, string> = {
  bitsandbytes: 'the optimizers whose names end in 8bit, which most presets use',
  'lion-pytorch': 'the optimizer Lion',
  schedulefree: 'the optimizers whose names end in ScheduleFree',
  'pytorch-optimizer': 'optimizers of that package',
  'prodigy-plus-schedule-free': 'the optimizer ProdigyPlusScheduleFree',
  prodigyopt: 'the optimizer Prodigy',
};

/** Bytes of requirements.txt. */
const LARGEST = 100_000;

/** Compares the checkout's requirements.txt, and torch, with its Python's packages. Imports none of them. */
export async function readPackages({ path, python }: Checkout, run: Run): Promise<Packages> {
  const wanted = requirements(
    await readText(join(path, 'requirements.txt'), LARGEST).catch(ifUnreadable('', 'trainers')),
  );
  // One of the two is enough: pods without a display have the headless one.
  const names = [...wanted.keys(), 'opencv-python-headless'];
  try {
    const answer = await askPackages(python, names, run);
    const { versions } = answer;
    const packages = [...wanted].map(([name, version]) => ({
      name,
      wanted: version,
      installed: versions[name] ?? (name === 'opencv-python' ? (versions['opencv-python-headless'] ?? null) : null),
    }));
    return { python: answer.python, packages, problem: null };
  } catch (error) {
    return { python: null, packages: [], problem: `${python} did not list its packages: ${(error as Error).message}.` };
  }
}

/** Names and pins. Adds torch, which requirements.txt leaves to the person, and accelerate, which is always needed. */
function requirements(text: string): Map<string, string | null> {
  const lines = text.split('\n').map((line) => /^([A-Za-z][\w.-]*)(?:\[[^\]]*\])?(?:==([^\s;]+))?/.exec(line.trim()));
  const named = lines.flatMap((match): [string, string | null][] => (match?.[1] ? [[match[1], match[2] ?? null]] : []));
  return new Map([['torch', null], ['torchvision', null], ['accelerate', null], ...named]);
}

/** Missing packages, in sentences with a remedy. */
export function missingPackages({ path, python }: Checkout, { packages, problem }: Packages): string[] {
  if (problem) return [`${problem} Set TRACKSIDE_PYTHON to the Python that sd-scripts is installed in.`];
  const missing = packages.filter(({ installed }) => installed === null).map(({ name }) => name);
  const torch = missing.filter((name) => name.startsWith('torch'));
  const needed = missing.filter((name) => !(name in FOR) && !torch.includes(name));
  return [
    ...(torch.length > 0
      ? [
          `${list(torch)} ${are(torch)} missing. Install ${are(torch) === 'is' ? 'it' : 'them'} to match the GPU’s driver: ${python} -m pip install ${torch.join(' ')}.`,
        ]
      : []),
    ...(needed.length > 0
      ? [`${list(needed)} ${are(needed)} missing: cd ${path} && ${python} -m pip install -r requirements.txt.`]
      : []),
    ...missing
      .filter((name) => name in FOR)
      .map((name) => `${name} is missing, for ${FOR[name]}: ${python} -m pip install ${name}.`),
  ];
}

function list(names: string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? '');
}

function are(names: string[]): 'is' | 'are' {
  return names.length > 1 ? 'are' : 'is';
}
