import type { GpuPreset } from './trainer.js';

/** A card of "24 GB" reports 22.5 to 24 GiB, depending on its maker's units and on ECC. */
const TOLERANCE = 0.92;
const GIB = 1024 ** 3;

/**
 * The preset for the smallest of the GPUs (any may be the next free one), with the reason in a sentence. Without a GPU,
 * the CPU preset. Null for a trainer without presets.
 */
export function presetForGpus(
  presets: readonly GpuPreset[],
  gpus: readonly { name: string; memoryTotal: number | null }[],
): { vram: string; found: string } | null {
  const none = presets.find(({ gib }) => gib === 0);
  const smallest = presets.filter(({ gib }) => gib > 0).at(-1);
  const [gpu] = [...gpus].sort((a, b) => (a.memoryTotal ?? 0) - (b.memoryTotal ?? 0));
  if (!smallest) return none ? { vram: none.vram, found: '' } : null;
  if (!gpu) return { vram: (none ?? smallest).vram, found: 'No GPU was found on this machine.' };
  if (gpu.memoryTotal === null) {
    const words = `This machine’s ${gpu.name} does not tell its memory: choose a preset. The smallest one is chosen until then.`;
    return { vram: smallest.vram, found: words };
  }
  const gib = gpu.memoryTotal / GIB;
  const fit = presets.find((preset) => preset.gib > 0 && preset.gib * TOLERANCE <= gib);
  const has = `${gpu.name} has ${Math.round(gib)} GB`;
  if (fit) return { vram: fit.vram, found: `This machine’s ${has}.` };
  return {
    vram: smallest.vram,
    found: `This machine’s ${has}: less than the smallest preset needs, so it may run out of memory.`,
  };
}
