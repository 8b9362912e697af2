import { Problem } from '../problem.js';
import { runCommand } from '../processes/run.js';
import type { Settings } from '../settings.js';
import { checkAnswer } from '../trainers/describe.js';
import { pythonFor } from '../trainers/sdScripts/checkout.js';

/** Prints every argument of a Python script as JSON. Throws a Problem where the script does not tell them. */
export async function describeScript(script: string, { python, bridge }: Settings): Promise<void> {
  const argv = [pythonFor(script, python), '-m', 'trackside.describe', script];
  const printed = await runCommand({ argv, cwd: process.cwd(), pythonPath: bridge }).catch((error: Error) => {
    throw new Problem('not_described', error.message);
  });
  process.stdout.write(printed);
  checkAnswer(printed, script);
}
