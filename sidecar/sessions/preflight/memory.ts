import type { Gpu, Gpus } from '../../launchers/launcher.js';
import type { GpuPreset } from '../../trainers/trainer.js';
import { type Finding, warning } from './finding.js';

const GiB = 2 ** 30;
/** A driver, a desktop and rounding take their share of what a GPU is sold with. */
const SHARE = 0.9;

/** Does the GPU have what the preset was made for? Other programs' memory counts. */
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

function tooSmall(gpu: Gpu, preset: GpuPreset): Finding[] {
  if (gpu.memoryTotal === 0) return [];
  const needed = preset.gib * GiB * SHARE;
  const name = `GPU ${gpu.index} (${gpu.name})`;
  if (gpu.memoryTotal < needed) {
    const message = `${name} has ${gib(gpu.memoryTotal)}, but the settings are for ${preset.label}, so it would run out of memory. Choose the preset for a smaller GPU.`;
    return [warning('gpu_too_small', message, { field: 'vram' })];
  }
  if (gpu.memoryFree < needed) {
    const message = `${name} has only ${gib(gpu.memoryFree)} of ${gib(gpu.memoryTotal)} free, but the settings are for ${preset.label}: another program is using it (nvidia-smi shows which). End that program, or choose the preset for a smaller GPU.`;
    return [warning('gpu_in_use', message, { field: 'gpus' })];
  }
  return [];
}

function gib(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GB`;
}

/**
 * Loader workers hand pictures over through /dev/shm, which a container has 64 MB of unless it was given more; where it is
 * full they die of a bus error. `free` in bytes, null where there is none.
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
