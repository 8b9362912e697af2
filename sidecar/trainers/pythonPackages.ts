import { z } from 'zod';
import { log } from '../log.js';
import { resolvePython } from '../processes/python.js';
import { runCommand } from '../processes/run.js';
import type { Run } from './describe.js';

/** The version of an interpreter, and of packages by pip's names; null if one is not installed. */
export type PythonPackages = z.infer<typeof answerShape>;

const answerShape = z.object({ python: z.string(), versions: z.record(z.string(), z.string().nullable()) });

const SCRIPT = `
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
def of(name, module):
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown" if module and find_spec(module) else None
asked = (each.partition("=") for each in sys.argv[1:])
print(json.dumps({"python": platform.python_version(), "versions": {name: of(name, module) for name, _, module in asked}}))
`;

/**
 * Asks an interpreter for package versions, without importing any. `opencv-python=cv2` also looks for the module, which
 * comes in packages of several names: "unknown" if only the module is found. Throws if the interpreter does not answer.
 */
export async function askPackages(
  python: string,
  names: readonly string[],
  run: Run = runCommand,
): Promise<PythonPackages> {
  // The shims of pyenv and the like cost as much as the answer.
  const path = await resolvePython(python).catch((error: unknown) => {
    log.debug('trainers', 'No working Python was found.', { error });
    return python;
  });
  return answerShape.parse(JSON.parse(await run({ argv: [path, '-c', SCRIPT, ...names] })));
}

/** Does it import without an error? */
export function canImport(python: string, module: string): Promise<boolean> {
  return runCommand({ argv: [python, '-c', `import ${module}`] }).then(
    () => true,
    // silent: that is the answer.
    () => false,
  );
}
