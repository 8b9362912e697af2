import { readFileSync } from 'node:fs';

/**
 * A variable of the pod. Vast sets its own for the first process only, and not in sessions by ssh or tmux (from which a
 * sidecar may have been started): so that of the first process is asked, too. Null where neither has it.
 */
export function podVariable(
  name: string,
  environment: NodeJS.ProcessEnv,
  firstProcess = '/proc/1/environ',
): string | null {
  if (environment[name]) return environment[name];
  try {
    const found = readFileSync(firstProcess, 'utf8')
      .split('\0')
      .find((each) => each.startsWith(`${name}=`));
    return found?.slice(name.length + 1) || null;
  } catch {
    // silent: another user's: then it is not ours to read.
    return null;
  }
}
