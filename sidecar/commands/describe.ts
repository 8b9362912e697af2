import { Problem } from '../problem.js';
import { runCommand } from '../processes/run.js';
import type { Settings } from '../settings.js';
import { describeCommand, requireAnswer } from '../trainers/describe.js';
import { pythonFor } from '../trainers/sdScripts/checkout.js';

/** Prints every argument of a Python script as JSON. Throws a Problem if the script does not list them. */
export async function describeScript(script: string, { python }: Settings): Promise<void> {
  const command = describeCommand(pythonFor(script, python), script, process.cwd());
  const printed = await runCommand(command).catch((error: Error) => {
    throw new Problem('not_described', error.message);
  });
  process.stdout.write(printed);
  requireAnswer(printed, script);
}
