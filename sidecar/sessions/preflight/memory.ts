import type { Gpu, Gpus } from '../../launchers/launcher.js';
import { type Finding, warning } from '../../trainers/finding.js';
import type { GpuPreset } from '../../trainers/trainer.js';

const GiB = 2 ** 30;
/** The usable share of a GPU's nominal memory: driver, desktop and rounding take the rest. */
const SHARE = 0.9;

/** Checks that the GPU has the free memory that the preset is made for. */
export function checkGpuMemory(
  { gpus, missing }: Gpus,
  chosen: readonly number[],
  preset: GpuPreset | null,
): Finding[] {
  if (preset?.gib === 0) return [];
  if (gpus.length === 0) {
    const message = `${missing ?? 'No GPU was found.'} Without one, training fails or takes days. Use a pod with a GPU, or set GPU memory to “CPU only (very slow)” for a test.`;
    return [warning('no_gpu', message, { field: 'vram' })];
  }
  if (!preset) return [];
  return gpus.filter(({ index }) => chosen.includes(index)).flatMap((gpu) => tooSmall(gpu, preset));
}

function tooSmall({ index, name: model, memoryTotal: total, memoryFree: free }: Gpu, preset: GpuPreset): Finding[] {
  if (total === null) return [];
  const needed = preset.gib * GiB * SHARE;
  const name = `GPU ${index} (${model})`;
  if (total < needed) {
    const message = `${name} has ${gib(total)}, but the settings are for ${preset.label}, so it would run out of memory. Choose the preset for a smaller GPU.`;
    return [warning('gpu_too_small', message, { field: 'vram' })];
  }
  if (free !== null && free < needed) {
    const message = `${name} has only ${gib(free)} of ${gib(total)} free, but the settings are for ${preset.label}: another program is using it (nvidia-smi shows which). End that program, or choose the preset for a smaller GPU.`;
    return [warning('gpu_in_use', message, { field: 'gpus' })];
  }
  return [];
}

function gib(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GB`;
}

/**
 * Checks /dev/shm, through which loader workers pass pictures. A container has 64 MB by default; when it is full,
 * workers die of a bus error. `free` in bytes, null without /dev/shm.
 */
export function checkSharedMemory(
  free: number | null,
  loading: { workers: number; batchSize: number; resolution: number },
): Finding[] {
  const { workers, batchSize, resolution } = loading;
  // A picture in 32 bits and three colours, two batches ready for each worker (PyTorch's prefetch_factor).
  const needed = workers * 2 * batchSize * resolution ** 2 * 3 * 4;
  if (workers === 0 || free === null || free >= needed) return [];
  const message = `Shared memory (/dev/shm) has ${Math.round(free / 1e6)} MB free, but ${workers} data loader workers may need ${Math.round(needed / 1e6)} MB and would crash. Set data loader workers to 0, or give the container more (--shm-size).`;
  return [warning('small_shm', message, { field: 'workers' })];
}
