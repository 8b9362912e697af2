import { z } from 'zod';
import { memoForTime } from '../files/memoForTime.js';
import { runCommand } from '../processes/run.js';

const names = z.array(z.string());
/** Milliseconds that an answer is good for. */
const FRESH_MS = 60_000;

/** As `pip freeze` prints them, without pip: an environment may lack it. */
const SCRIPT = `
import json
from importlib.metadata import distributions
found = {}
# The first of a name on sys.path is the one that is imported.
for each in distributions(): found.setdefault((each.metadata["Name"] or "").lower(), each)
print(json.dumps([f'{found[name].metadata["Name"]}=={found[name].version}' for name in sorted(found) if name]))
`;

const kept = memoForTime<Promise<string[] | null>>(FRESH_MS);

/** All packages of an interpreter, "torch==2.6.0", sorted; null where it does not answer. Takes some 0.3 s. */
export function installedPackages(python: string): Promise<string[] | null> {
  return kept(python, () =>
    runCommand({ argv: [python, '-c', SCRIPT], patience: 30_000 }).then(
      (printed) => names.parse(JSON.parse(printed)),
      // silent: that it does not answer is said before a start.
      () => null,
    ),
  );
}
