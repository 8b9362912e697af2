import { accessSync, constants, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcess } from '../../sidecar/processes/identity.js';
import { until } from './outputFolder.js';

const CONTROLLER = '/sys/fs/cgroup/freezer';

/** Freezing takes root and the freezer of cgroup v1: what that of v2 freezes can be killed. */
export const canFreeze = ((): boolean => {
  try {
    accessSync(join(CONTROLLER, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
})();

/**
 * Makes a process hang in the kernel (state D), as under a GPU driver that does not answer: no signal reaches it, SIGKILL
 * neither. Returns how to let it go.
 */
export async function freeze(pid: number): Promise<() => void> {
  const group = join(CONTROLLER, `trackside-${pid}`);
  mkdirSync(group);
  writeFileSync(join(group, 'cgroup.procs'), `${pid}`);
  writeFileSync(join(group, 'freezer.state'), 'FROZEN');
  await until(() => readProcess(pid)?.state === 'D', 'the process to hang');
  return () => {
    writeFileSync(join(group, 'freezer.state'), 'THAWED');
    void until(() => readProcess(pid) === null, 'the process to end').then(() => rmdirSync(group));
  };
}
