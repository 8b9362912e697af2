import type { TensorPlace } from '../../files/safetensors.js';
import { error, type Finding } from '../../trainers/finding.js';

/** Bytes. */
export type SaveSizes = { checkpoint: number; state: number };

/**
 * The most bytes that a run needs: `kept` saves, one more (sd-scripts deletes an old one after saving,
 * train_network.py:1690-1708), and the caches of its pictures.
 */
export function spaceNeeded(sizes: SaveSizes, kept: number, caches: number): number {
  return (kept + 1) * (sizes.checkpoint + sizes.state) + caches;
}

/**
 * Sizes from earlier saves, else from the number of trained values: weights in the precision of the save, and a state
 * of three times the weights in 32 bits (themselves, and two moments of AdamW).
 */
export function saveSizes(known: {
  parameters: number | null;
  bytesPerValue: number;
  savesStates: boolean;
  /** The largest existing ones. */
  seen: Partial<SaveSizes>;
}): SaveSizes | null {
  const { parameters, bytesPerValue, savesStates, seen } = known;
  const checkpoint = seen.checkpoint ?? (parameters === null ? null : parameters * bytesPerValue);
  if (checkpoint === null) return null;
  const state = seen.state ?? (parameters === null ? checkpoint * 3 : parameters * 4 * 3);
  return { checkpoint, state: savesStates ? state : 0 };
}

/** `needed` and `free` in bytes, of the disk that holds `place`. */
export function checkSpace(needed: number, free: number, place: string): Finding[] {
  if (needed <= free) return [];
  const message = `The disk of ${place} has ${gigabytes(free)} free, but this training writes up to ${gigabytes(needed)}. Free some space, save less often, or keep only the last saves (--save_last_n_epochs).`;
  return [error('disk_space', message, { field: 'save_every_n_epochs' })];
}

/** "1.4 GB", "38 MB" */
export function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

/**
 * The most values that a LoRA of rank `rank` trains on a model with these tensors: rank × (inputs + outputs) of every
 * linear layer and every 1×1 convolution (networks/lora.py). Embeddings and some linear layers are left out, so the
 * real number is a little smaller.
 */
export function loraParameters(places: readonly Pick<TensorPlace, 'name' | 'shape'>[], rank: number): number {
  return places.reduce((sum, { name, shape }) => {
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const isLayer = shape.length >= 2 && kernel.every((side) => side === 1) && name.endsWith('.weight');
    return isLayer && !/embed|token|position/i.test(name) ? sum + rank * (inputs + outputs) : sum;
  }, 0);
}
