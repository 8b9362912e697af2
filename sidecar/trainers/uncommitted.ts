import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../processes/run.js';
import { maskedText } from '../security/redact.js';

/** Characters of a diff that are kept. */
const LONGEST = 200_000;
/** git refuses a folder of another user, and a repository may name programs to run: neither matters to a reading. */
const GIT = ['git', '-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false'];
const DIFF = ['diff', 'HEAD', '--no-ext-diff', '--no-textconv', '--no-color', '--submodule=short'];

/**
 * What was changed in a checkout since its commit, as a diff with secrets masked; '' for nothing. Null without a history,
 * or without git.
 */
export async function uncommittedDiff(folder: string): Promise<string | null> {
  if (!existsSync(join(folder, '.git'))) return null;
  const command = { argv: [...GIT, '-C', folder, ...DIFF], patience: 30_000 };
  const text = await runCommand(command).catch(
    // silent: no git in the image, or a repository that it can't read.
    () => null,
  );
  if (text === null) return null;
  const shown = maskedText(text);
  return shown.length <= LONGEST ? shown : `${shown.slice(0, LONGEST)}\n… ${shown.length - LONGEST} characters more`;
}
