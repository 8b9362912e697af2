import type { Launcher } from '../../launchers/launcher.js';
import { local } from '../../launchers/local.js';
import { offersSoon } from '../../launchers/slurm/offers.js';
import { hasCluster } from '../../launchers/slurm/presence.js';
import { badField } from '../../problem.js';
import type { Settings } from '../../settings.js';
import type { Trainer } from '../../trainers/trainer.js';
import { wantsGpu } from '../claimGpus.js';
import { CLUSTER_FIELDS, readClusterFields, textOf, type Where } from './clusterFields.js';

/** A cluster that is slow leaves its own limits unchecked: it refuses what it can't give. */
const PATIENCE_MS = 2000;

/**
 * Where a new or changed session trains: as `launcher` says, else on the cluster if something is asked of it, else as
 * `usualLauncher`. Fields of the cluster count only there. Throws a Problem with a sentence a field.
 */
export async function readWhere(
  settings: Pick<Settings, 'launcher'>,
  trainer: Trainer,
  fields: Record<string, unknown>,
): Promise<Where> {
  const launcher = await chosenLauncher(settings, fields);
  if (launcher !== 'slurm') return launcher ? { launcher } : {};
  const { queues } = await offersSoon(PATIENCE_MS);
  const needsGpu = wantsGpu(trainer, textOf(fields.vram) || undefined);
  return { launcher, ...readClusterFields(fields, queues, { needsGpu, hasOwnStart: Boolean(trainer.own) }) };
}

async function chosenLauncher(
  settings: Pick<Settings, 'launcher'>,
  fields: Record<string, unknown>,
): Promise<Launcher['id'] | null> {
  const asked = textOf(fields.launcher);
  if (!['', 'local', 'slurm'].includes(asked)) throw badField('launcher', `“${asked}” is neither local nor slurm.`);
  const isForCluster =
    asked === 'slurm' || (asked === '' && CLUSTER_FIELDS.some((name) => textOf(fields[name]) !== ''));
  if (isForCluster && settings.launcher === 'local')
    throw badField(
      'launcher',
      'This Trackside trains on its own machine alone: it was started with TRACKSIDE_LAUNCHER=local.',
    );
  if (isForCluster && !hasCluster(settings))
    throw badField(
      'launcher',
      'There is no cluster here: sbatch is not installed, or no slurm.conf is found (set SLURM_CONF).',
    );
  if (asked === 'local' && settings.launcher === 'slurm')
    throw badField(
      'launcher',
      'This Trackside trains on its cluster alone: it was started with TRACKSIDE_LAUNCHER=slurm.',
    );
  if (isForCluster) return 'slurm';
  if (asked === 'local') return 'local';
  return hasCluster(settings) ? usualLauncher(settings) : null;
}

/** A machine beside a cluster that has no GPU is its login node, where nobody should train. */
export async function usualLauncher(settings: Pick<Settings, 'launcher'>): Promise<Launcher['id']> {
  if (settings.launcher !== 'auto') return settings.launcher;
  if (!hasCluster(settings)) return 'local';
  return (await local.offers()).gpus.length > 0 ? 'local' : 'slurm';
}
