import { existsSync } from 'node:fs';
import { isInPath } from '../../processes/run.js';
import type { Settings } from '../../settings.js';

/** Where Slurm's configuration is by default: Debian's and Slurm's own, and of nodes that fetch it from the controller. */
const CONFIGURATIONS = ['/etc/slurm/slurm.conf', '/usr/local/etc/slurm.conf', '/run/slurm/conf/slurm.conf'];

/**
 * Can trainings run on a cluster from here? As TRACKSIDE_LAUNCHER says; with `auto`, where `sbatch` is installed and a
 * configuration names the cluster.
 */
export function hasCluster({ launcher }: Pick<Settings, 'launcher'>): boolean {
  if (launcher !== 'auto') return launcher === 'slurm';
  if (!isInPath('sbatch')) return false;
  const { SLURM_CONF } = process.env;
  return SLURM_CONF ? existsSync(SLURM_CONF) : CONFIGURATIONS.some((path) => existsSync(path));
}
