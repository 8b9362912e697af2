import { readFileSync } from 'node:fs';
import { readable } from '../processes/identity.js';

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
  const all = readable(() => readFileSync(firstProcess, 'utf8'))?.split('\0');
  return all?.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) || null;
}
