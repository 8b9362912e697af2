import { offersSoon } from '../launchers/slurm/offers.js';
import { hasCluster } from '../launchers/slurm/presence.js';
import { usualLauncher } from '../sessions/versions/where.js';
import type { Settings } from '../settings.js';
import type { WhereModel } from '../views/where.js';

/** How long a page waits for a cluster, in ms: then it shows what was known before. */
const CLUSTER_MS = 300;

/**
 * The choices of where a training runs; null where there is none. Also for a session that is for a cluster which is not here:
 * it can be moved to this machine.
 */
export async function whereModel(settings: Settings, launcher: unknown): Promise<WhereModel | null> {
  if (!hasCluster(settings) && launcher !== 'slurm') return null;
  const [usual, offers] = await Promise.all([usualLauncher(settings), offersSoon(CLUSTER_MS)]);
  return { usual, only: settings.launcher !== 'auto', offers };
}
