import { arch, release } from 'node:os';
import { runCommand } from './run.js';

/** What a training ran on, for the record. Null where it can't be told. */
export type Environment = { python: string | null; torch: string | null; accelerate: string | null; system: string };

const SCRIPT = `
import json, platform
from importlib.metadata import PackageNotFoundError, version
def of(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
print(json.dumps({"python": platform.python_version(), "torch": of("torch"), "accelerate": of("accelerate")}))
`;

/** Asks an interpreter for its version and those of the packages that matter, without importing any. Asked once a name. */
export function readEnvironment(python: string): Promise<Environment> {
  const asked = known.get(python) ?? ask(python);
  known.set(python, asked);
  return asked;
}

const known = new Map<string, Promise<Environment>>();

async function ask(python: string): Promise<Environment> {
  const system = `Linux ${release()} ${arch()}`;
  try {
    const printed = await runCommand({ argv: [python, '-c', SCRIPT], cwd: '/', pythonPath: '' });
    return { ...(JSON.parse(printed) as Omit<Environment, 'system'>), system };
  } catch {
    return { python: null, torch: null, accelerate: null, system };
  }
}
