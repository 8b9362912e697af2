import type { GpuPreset } from './trainer.js';

/** A card of "24 GB" tells 22.5 to 24 GiB, by its maker's way to count and what its memory check takes. */
const TOLERANCE = 0.92;
const GIB = 1024 ** 3;

/**
 * The preset for the GPUs that were found, and a sentence that says why; that of the smallest, for any of them may be the
 * next free one. Without a GPU it is the one that needs none. Null where a trainer has no presets.
 */
export function presetForGpus(
  presets: readonly GpuPreset[],
  gpus: readonly { name: string; memoryTotal: number }[],
): { vram: string; found: string } | null {
  const none = presets.find(({ gib }) => gib === 0);
  const smallest = presets.filter(({ gib }) => gib > 0).at(-1);
  const [gpu] = [...gpus].sort((a, b) => a.memoryTotal - b.memoryTotal);
  if (!smallest) return none ? { vram: none.vram, found: '' } : null;
  if (!gpu) return { vram: (none ?? smallest).vram, found: 'No GPU was found on this machine.' };
  const gib = gpu.memoryTotal / GIB;
  const fit = presets.find((preset) => preset.gib > 0 && preset.gib * TOLERANCE <= gib);
  const has = `${gpu.name} has ${gib > 0 ? `${Math.round(gib)} GB` : 'an unknown amount of memory'}`;
  if (fit) return { vram: fit.vram, found: `This machine’s ${has}.` };
  return {
    vram: smallest.vram,
    found: `This machine’s ${has}: less than the smallest preset needs, so it may run out of memory.`,
  };
}
