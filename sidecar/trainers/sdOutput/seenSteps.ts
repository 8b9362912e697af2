import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { readPickleKeys } from '../../files/pickle.js';
import { readZipEntries } from '../../files/zipArchive.js';

/** What the optimizer and the schedule of a state tell of themselves. */
export type Told = {
  /** Optimizer steps that the weights have seen, of all attempts together; null when untold. */
  seen: number | null;
  /** A schedule-free optimizer wrote it, and there is no schedule. */
  scheduleFree: boolean;
};

/**
 * Reads the steps of a state from its schedule (`last_epoch` in scheduler.bin), else from its optimizer: the counter of a
 * schedule-free one, or Adam's step. Unlike `current_step` they go on counting after a resume, and also tell of an epoch that
 * was begun twice. `processes` is the number of processes of the run: accelerate moves the schedule once for each of them
 * (accelerate scheduler.py:73).
 */
export async function readSeenSteps(folder: string, processes: number): Promise<Told> {
  const schedule = (await keysIn(join(folder, 'scheduler.bin'), ['last_epoch'])).get('last_epoch');
  // The optimizer is ten times as large, and tells no more.
  if (schedule !== undefined) return { seen: asCount(schedule / processes), scheduleFree: false };
  const optimizer = await keysIn(join(folder, 'optimizer.bin'), ['step', 'k', 'd0', 'train_mode', 'weight_sum']);
  const scheduleFree = optimizer.has('k') && (optimizer.has('weight_sum') || optimizer.has('train_mode'));
  // ProdigyPlusScheduleFree, which has d0, counts from 1.
  const k = (optimizer.get('k') ?? 0) - (optimizer.has('d0') ? 1 : 0);
  return { seen: asCount(scheduleFree ? k : optimizer.get('step')), scheduleFree };
}

function asCount(seen: number | undefined): number | null {
  return seen !== undefined && Number.isInteger(seen) && seen >= 0 ? seen : null;
}

/** Numbers by their keys; a tensor of one number is read, too. None of a file that is missing, or no archive of torch's. */
async function keysIn(path: string, keys: readonly string[]): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  let told = new Map<string, number | string>();
  const open = (found: ReadonlyMap<string, Buffer>): string | null => {
    const pickle = found.get('/data.pkl');
    if (!pickle) return '/data.pkl';
    if (found.size === 1) told = readPickleKeys(pickle, keys);
    const [, storage] = [...told].find(([key, value]) => key === 'step' && typeof value === 'string') ?? [];
    return typeof storage === 'string' && /^\d+$/.test(storage) ? `/data/${storage}` : null;
  };
  const entries = await readZipEntries(path, open).catch(ifUnreadable(null, 'trainers'));
  for (const [key, value] of told) {
    const number = typeof value === 'number' ? value : entries?.get(`/data/${value}`);
    if (typeof number === 'number') numbers.set(key, number);
    // Adam's step is a tensor of one float.
    else if (number?.length === 4) numbers.set(key, number.readFloatLE());
  }
  return numbers;
}
