import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonOrNull } from '../files/exactJson.js';
import { resolvePython } from '../processes/python.js';
import { runCommand } from '../processes/run.js';
import { type Check, error, ok, unknown, warning } from './check.js';

/** Importing torch from a network volume takes a minute at the first time. Ms. */
const PATIENCE_MS = 90_000;

/** Is there a Python that is new enough? */
export async function checkPython(python: string): Promise<Check> {
  try {
    return ok('python', await resolvePython(python));
  } catch (failed) {
    return error('python', (failed as Error).message, 'Install Python 3.10 or newer, or name one with --python.');
  }
}

const LOCK = `
import fcntl, os, sys
path = sys.argv[1]
first = open(path, "w")
try:
    fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        fcntl.flock(open(path, "w"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("open")
    except BlockingIOError:
        print("kept")
finally:
    os.unlink(path)
`;

/** Does the disk keep locks? They are what lets only one trainer write into a session. */
export async function checkLocks(python: string, outputs: string): Promise<Check> {
  const name = 'locks on the outputs';
  const todo =
    'Use a folder on another disk (on pods: the volume itself, not a mounted bucket). Don’t start the same session from two pods.';
  const path = join(outputs, `.trackside-doctor-${randomBytes(4).toString('hex')}.lock`);
  try {
    const said = await ask(python, LOCK, [path], 15_000);
    return said.trim() === 'kept'
      ? ok(name, 'kept')
      : error(name, 'The disk gives the same lock to two programs.', todo);
  } catch (failed) {
    return error(name, `A file can’t be locked: ${lastLine(failed)}.`, todo);
  }
}

const TORCH = `
import json, warnings
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    try:
        import torch
    except ModuleNotFoundError as error:
        print(json.dumps({"missing": error.name}))
        raise SystemExit
    usable = torch.cuda.is_available()
    cards = [list(torch.cuda.get_device_capability(at)) for at in range(torch.cuda.device_count())] if usable else []
    built = torch.cuda.get_arch_list() if usable else []
    print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "rocm": torch.version.hip, "usable": usable,
                      "cards": cards, "built": built, "said": [str(each.message) for each in said][:3]}))
`;

const answer = z.union([
  z.object({ missing: z.string() }),
  z.object({
    version: z.string(),
    cuda: z.string().nullable(),
    rocm: z.string().nullable(),
    usable: z.boolean(),
    cards: z.array(z.tuple([z.number(), z.number()])),
    built: z.array(z.string()),
    said: z.array(z.string()),
  }),
]);

const CPU_ONLY = 'Install the build for your driver: pytorch.org/get-started has the line for pip.';

/** Can torch use the GPU: is it built for CUDA, for this driver, and for this card? */
export async function checkTorch(python: string, hasGpu: boolean): Promise<Check> {
  const name = 'torch';
  const printed = await ask(python, TORCH, [], PATIENCE_MS).catch((failed: Error) => failed);
  if (printed instanceof Error) return error(name, `It can’t be imported: ${lastLine(printed)}.`, 'Install it again.');
  const parsed = answer.safeParse(jsonOrNull(printed.trim().split('\n').at(-1) ?? ''));
  if (!parsed.success) return unknown(name, 'It did not say what it is.');
  const facts = parsed.data;
  if ('missing' in facts)
    return unknown(name, `${facts.missing} is not installed in ${python}; the practice trainer doesn’t need it.`);
  const { version, cuda, rocm, usable, cards, built, said } = facts;
  const words = `${version}, ${cuda ? `CUDA ${cuda}` : rocm ? `ROCm ${rocm}` : 'for the processor only'}`;
  if (!hasGpu) return ok(name, words);
  if (!cuda && !rocm) return error(name, `${words}, but there is a GPU.`, CPU_ONLY);
  if (!usable)
    return error(
      name,
      `${words}, but it finds no GPU. ${said[0] ?? ''}`.trim(),
      'Update the driver, or install a torch for an older CUDA; in a container, start it with --gpus all.',
    );
  const strange = cards.find(([major, minor]) => !isBuiltFor(built, major, minor));
  if (strange)
    return error(
      name,
      `${words}, built for ${built.join(', ')}, but the card is sm_${strange.join('')}.`,
      'Install a newer torch, built for this card.',
    );
  return said.length > 0 ? warning(name, `${words}. ${said[0]}`, 'Do as it says.') : ok(name, words);
}

/** `sm_80` runs on 8.0 to 8.9; `compute_80` is compiled for anything newer. */
function isBuiltFor(built: readonly string[], major: number, minor: number): boolean {
  return (
    built.length === 0 ||
    built.some((each) => {
      const [, kind, digits = ''] = /^(sm|compute|gfx)_?(\w+)$/.exec(each) ?? [];
      if (kind === 'gfx' || !/^\d+/.test(digits)) return true;
      const number = Number.parseInt(digits, 10);
      const [itsMajor, itsMinor] = [Math.floor(number / 10), number % 10];
      return kind === 'compute' ? number <= major * 10 + minor : itsMajor === major && itsMinor <= minor;
    })
  );
}

function ask(python: string, script: string, rest: string[], patience: number): Promise<string> {
  return runCommand({ argv: [python, '-c', script, ...rest], patience });
}

function lastLine(failed: unknown): string {
  return ((failed as Error).message.trim().split('\n').at(-1) ?? '').replace(/\.$/, '');
}
