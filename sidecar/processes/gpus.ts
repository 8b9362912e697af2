import { memoForTime } from '../files/memoForTime.js';
import { isInPath, runCommand } from './run.js';

/** A GPU as nvidia-smi reports it. Memory in bytes. */
export type Gpu = {
  /** As `nvidia-smi` and CUDA_VISIBLE_DEVICES (in bus order) count. */
  index: number;
  name: string;
  driver: string;
  /** In bytes; null where it does not tell. */
  memoryTotal: number | null;
  memoryFree: number | null;
};

export type Gpus = {
  gpus: Gpu[];
  /** Why there are none, in words; null if there are some. */
  missing: string | null;
  /** There is no nvidia-smi at all: who needs a GPU has one of another maker, or none. */
  unknown?: true;
};

const QUERY = ['index', 'name', 'driver_version', 'memory.total', 'memory.free'];
const PATIENCE_MS = 10_000;
const FRESH_MS = 2000;

/**
 * Asks `nvidia-smi` for the GPUs of this machine, at most every two seconds, unless `anew`. A process of its own needs no driver library,
 * and a driver that hangs does not hang us: once it has not answered in time, that is the answer until it does. Never rejects.
 */
export function readGpus(anew = false): Promise<Gpus> {
  if (silence && !anew) {
    if (!isAsking) {
      isAsking = true;
      void ask().finally(() => {
        isAsking = false;
      });
    }
    return Promise.resolve(silence);
  }
  return kept('', ask, anew);
}

/** What is told while nvidia-smi does not answer. */
let silence: Gpus | null = null;
let isAsking = false;

const kept = memoForTime<Promise<Gpus>>(FRESH_MS);

async function ask(): Promise<Gpus> {
  const argv = ['nvidia-smi', `--query-gpu=${QUERY.join(',')}`, '--format=csv,noheader,nounits'];
  const since = performance.now();
  try {
    const told = parseGpus(await runCommand({ argv, patience: PATIENCE_MS }));
    silence = null;
    return told;
  } catch (error) {
    const { message } = error as Error;
    const isAbsent = !isInPath('nvidia-smi');
    const why = isAbsent ? 'nvidia-smi, which comes with NVIDIA’s driver, is not installed' : message;
    const none: Gpus = { gpus: [], missing: `No GPU was found: ${why}.`, ...(isAbsent ? { unknown: true } : {}) };
    silence = performance.now() - since >= PATIENCE_MS ? none : null;
    return none;
  }
}

/** Parses nvidia-smi's answer: one line per GPU with memory in MiB, or words if it finds none. */
export function parseGpus(printed: string): Gpus {
  const lines = printed.split('\n').filter((line) => line.trim() !== '');
  const gpus = lines.flatMap((line): Gpu[] => {
    const [index = '', name = '', driver = '', total = '', free = ''] = line.split(',').map((field) => field.trim());
    if (!/^\d+$/.test(index) || name === '') return [];
    return [{ index: Number(index), name, driver, memoryTotal: mebibytes(total), memoryFree: mebibytes(free) }];
  });
  if (gpus.length > 0) return { gpus, missing: null };
  return { gpus, missing: `No GPU was found: nvidia-smi says “${lines[0]?.trim() ?? 'nothing'}”.` };
}

/** "[N/A]" on GPUs that are shared, or share the memory of the machine; "[Unknown Error]" on sick ones. */
function mebibytes(text: string): number | null {
  return /^\d+$/.test(text) && Number(text) > 0 ? Number(text) * 1024 * 1024 : null;
}
