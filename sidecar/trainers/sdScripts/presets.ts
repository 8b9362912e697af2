import type { Family, Flags, Preset } from './family.js';

/** No GPU: 8-bit optimizers and half precision are for CUDA only. */
export const cpuPreset: Preset = {
  vram: 'CPU',
  gib: 0,
  label: 'CPU only (very slow)',
  why: 'Trains on the CPU in full precision: fine for a test with a tiny model, far too slow for a real one.',
  flags: {
    optimizer_type: 'AdamW',
    optimizer_args: false,
    mixed_precision: 'no',
    save_precision: false,
    fp8_base: false,
    fp8_scaled: false,
    blocks_to_swap: false,
    highvram: false,
  },
};

/** Uses less memory than 8-bit AdamW (docs/flux_train_network.md, FluxGym's 16G and 12G). */
const adafactor: Flags = {
  optimizer_type: 'Adafactor',
  optimizer_args: ['relative_step=False', 'scale_parameter=False', 'warmup_init=False'],
  lr_scheduler: 'constant_with_warmup',
  max_grad_norm: 0,
};

const card = (gib: number, why: string, flags: Flags): Preset => {
  return { vram: `${gib}G`, gib, label: `${gib} GB`, why, flags };
};

/** FluxGym's three presets are in the middle; its `--split_mode` becomes its meaning, `--blocks_to_swap=18`. */
export const fluxPresets: Family['presets'] = [
  card(48, 'Without fp8: the model keeps its full precision.', { optimizer_type: 'AdamW' }),
  card(24, 'fp8 weights and the plain AdamW optimizer: nothing is swapped.', {
    fp8_base: true,
    optimizer_type: 'AdamW',
  }),
  card(20, "FluxGym's preset with this name: fp8 weights and 8-bit AdamW.", {
    fp8_base: true,
    optimizer_type: 'AdamW8bit',
  }),
  card(16, "FluxGym's preset with this name: fp8 weights and Adafactor.", { fp8_base: true, ...adafactor }),
  card(12, "FluxGym's preset with this name: Adafactor, single blocks only, and 18 blocks swapped to RAM.", {
    fp8_base: true,
    ...adafactor,
    blocks_to_swap: 18,
    network_args: ['train_blocks=single'],
  }),
  card(8, 'As documented: 28 blocks swapped to RAM. Slow. Use a T5-XXL text encoder in fp8.', {
    fp8_base: true,
    ...adafactor,
    blocks_to_swap: 28,
    highvram: false,
  }),
];

/** The same weights and blocks as FLUX.1, so its presets fit; documented with 18 blocks swapped. */
export const chromaPresets: Family['presets'] = [
  card(48, 'Without fp8: the model keeps its full precision.', { optimizer_type: 'AdamW' }),
  card(24, 'fp8 weights and 8-bit AdamW: nothing is swapped.', { fp8_base: true }),
  card(16, 'fp8 weights, and the documented 18 blocks swapped to RAM.', { fp8_base: true, blocks_to_swap: 18 }),
  card(12, 'fp8 weights, Adafactor, and 22 blocks swapped to RAM.', {
    fp8_base: true,
    ...adafactor,
    blocks_to_swap: 22,
  }),
];

export const sdPresets: Family['presets'] = [
  card(12, 'Enough memory to keep what the backward pass needs: faster.', { gradient_checkpointing: false }),
  card(6, 'As documented: 8-bit AdamW and gradient checkpointing.', {}),
];

export const sdxlPresets: Family['presets'] = [
  card(24, 'As documented, with the plain AdamW optimizer.', { optimizer_type: 'AdamW' }),
  card(12, 'As documented: 8-bit AdamW, latents and text encoder outputs cached.', {}),
  card(8, 'As documented, with fp8 weights and Adafactor.', { fp8_base: true, ...adafactor }),
];

export const sd3Presets: Family['presets'] = [
  card(24, 'As documented, nothing swapped.', {}),
  card(16, 'Our own suggestion: 12 blocks swapped to RAM.', { blocks_to_swap: 12 }),
  card(12, 'Our own suggestion: 20 blocks swapped to RAM. The documented 32 are more than SD3 Medium has.', {
    blocks_to_swap: 20,
    ...adafactor,
  }),
];

export const luminaPresets: Family['presets'] = [
  card(24, 'As documented.', {}),
  card(16, 'As documented, with 8-bit AdamW.', { optimizer_type: 'AdamW8bit' }),
  card(12, 'Our own suggestion: 8-bit AdamW and 12 blocks swapped to RAM.', {
    optimizer_type: 'AdamW8bit',
    blocks_to_swap: 12,
  }),
];

/** The table of docs/hunyuan_image_train_network.md, 6.1. */
export const hunyuanPresets: Family['presets'] = [
  card(40, 'As documented: no special settings are needed.', {}),
  card(24, 'As documented: scaled fp8 weights, 9 blocks swapped to RAM.', { fp8_scaled: true, blocks_to_swap: 9 }),
  card(12, 'As documented: scaled fp8 weights, 32 blocks swapped to RAM.', {
    fp8_scaled: true,
    blocks_to_swap: 32,
    vae_chunk_size: 16,
  }),
  card(
    8,
    'As documented: scaled fp8 weights, 37 blocks swapped, text encoders on the CPU (minutes per caption, once).',
    {
      fp8_scaled: true,
      blocks_to_swap: 37,
      vae_chunk_size: 16,
      text_encoder_cpu: true,
    },
  ),
];

export const animaPresets: Family['presets'] = [
  card(16, 'As documented.', {}),
  card(12, 'Our own suggestion: 12 blocks swapped to RAM.', { blocks_to_swap: 12 }),
  card(8, 'Our own suggestion: 24 blocks swapped to RAM, and Adafactor.', { blocks_to_swap: 24, ...adafactor }),
];
