import type { GpuPreset } from './trainer.js';

/** A card of "24 GB" reports 22.5 to 24 GiB, depending on its maker's units and on ECC. */
const TOLERANCE = 0.92;
const GIB = 1024 ** 3;

/** `found`: the reason, a sentence. */
export type PresetFound = { vram: string; found: string };

const HERE = { whose: 'This machine’s', none: 'No GPU was found on this machine.' };

/**
 * The preset for the smallest of the GPUs (any may be the next free one), with the reason in a sentence. Without a GPU,
 * the CPU preset. Null for a trainer without presets.
 */
export function presetForGpus(
  presets: readonly GpuPreset[],
  gpus: readonly { name: string; memoryTotal: number | null }[],
  { whose, none: noGpu } = HERE,
): PresetFound | null {
  const none = presets.find(({ gib }) => gib === 0);
  const smallest = presets.filter(({ gib }) => gib > 0).at(-1);
  const [gpu] = [...gpus].sort((a, b) => (a.memoryTotal ?? 0) - (b.memoryTotal ?? 0));
  if (!smallest) return none ? { vram: none.vram, found: '' } : null;
  if (!gpu) return { vram: (none ?? smallest).vram, found: noGpu };
  if (gpu.memoryTotal === null) {
    const words = `${whose} ${gpu.name} does not report its memory. Choose a preset; until then the smallest one is used.`;
    return { vram: smallest.vram, found: words };
  }
  const gib = gpu.memoryTotal / GIB;
  const fit = presets.find((preset) => preset.gib > 0 && preset.gib * TOLERANCE <= gib);
  const has = `${gpu.name} has ${Math.round(gib)} GB`;
  if (fit) return { vram: fit.vram, found: `${whose} ${has}.` };
  return {
    vram: smallest.vram,
    found: `${whose} ${has}: less than the smallest preset needs, so it may run out of memory.`,
  };
}

/**
 * Bytes of a GPU by the name that a cluster gives its type (`a100`, `a100-sxm4-80gb`, `nvidia_l40s`); null where it tells nothing.
 * Of cards that come in several sizes the smallest counts (NVIDIA's data sheets).
 */
export function memoryOfType(type: string): number | null {
  const name = type.toLowerCase();
  // Of a part of a card (1g.10gb) the last one is its memory.
  const said = [...name.matchAll(/(?<!\d)(\d{1,3})gi?b?(?![a-z])/g)].at(-1)?.[1];
  const gib = said ? Number(said) : TYPES.find(([pattern]) => pattern.test(name))?.[1];
  return gib ? gib * GIB : null;
}

const TYPES: readonly (readonly [RegExp, gib: number])[] = [
  [/gh200/, 96],
  [/h200/, 141],
  [/b[23]00/, 180],
  [/h100/, 80],
  [/a100/, 40],
  [/l40|a40|a6000|6000.?ada/, 48],
  [/pro.?6000/, 96],
  [/5090/, 32],
  [/[34]090|a10|a30|a5000|l4|titan.?rtx/, 24],
  [/v100|p100|t4|a4000|[45]080/, 16],
  [/3060|2080.?ti|1080.?ti/, 11],
];
