import type { Queue } from '../../launchers/launcher.js';
import { local } from '../../launchers/local.js';
import { offersSoon } from '../../launchers/slurm/offers.js';
import type { Settings } from '../../settings.js';
import { memoryOfType, type PresetFound, presetForGpus } from '../../trainers/gpuPreset.js';
import type { Trainer } from '../../trainers/trainer.js';
import { CLUSTER_FIELDS, textOf } from './clusterFields.js';
import { usualLauncher } from './where.js';

/** A form waits so long for a cluster, in ms. */
const PATIENCE_MS = 300;

/**
 * The preset for the GPUs of where it is to run: this machine's, or those of the partition that `fields` choose. Null for a
 * trainer without presets.
 */
export async function presetFor(
  settings: Pick<Settings, 'launcher'>,
  { presets }: Pick<Trainer, 'presets'>,
  fields: Record<string, unknown>,
): Promise<PresetFound | null> {
  if (!presets) return null;
  if (!(await runsOnCluster(settings, fields))) {
    const { gpus, missing, unknown } = await local.offers();
    // A driver that is broken or does not answer is no machine without a GPU.
    return presetForGpus(presets, gpus, unknown || !missing ? undefined : { whose: 'This machine’s', none: missing });
  }
  const { queues } = await offersSoon(PATIENCE_MS);
  return presetForGpus(presets, gpusOfPlace(queues, fields), CLUSTER);
}

const CLUSTER = { whose: 'The cluster’s', none: 'No GPU is asked of the cluster.' };

async function runsOnCluster(settings: Pick<Settings, 'launcher'>, fields: Record<string, unknown>): Promise<boolean> {
  const asked = textOf(fields.launcher);
  if (settings.launcher === 'local' || asked === 'local') return false;
  if (asked === 'slurm' || CLUSTER_FIELDS.some((name) => textOf(fields[name]) !== '')) return true;
  return (await usualLauncher(settings)) === 'slurm';
}

/** One of each type that a job could get there, with the memory that its type has. Pure. */
export function gpusOfPlace(
  queues: readonly Queue[],
  fields: Record<string, unknown>,
): { name: string; memoryTotal: number | null }[] {
  if (textOf(fields.cluster_gpus) === '0') return [];
  const names = textOf(fields.cluster_queue).split(',').filter(Boolean);
  const asked = queues.filter(({ name, isDefault }) => (names.length > 0 ? names.includes(name) : isDefault));
  const wanted = textOf(fields.cluster_gpu_type);
  // What is not known now, or was typed for another cluster, is not taken for a machine without GPUs.
  if (asked.length === 0) return [{ name: wanted || 'GPU', memoryTotal: memoryOfType(wanted) }];
  const types = asked.flatMap(({ nodes }) => nodes.flatMap(({ gpus }) => gpus.map(({ type }) => type)));
  const possible = [...new Set(types)].filter((type) => wanted === '' || type === wanted);
  return possible.map((type) => ({ name: type ?? 'GPU', memoryTotal: memoryOfType(type ?? '') }));
}
