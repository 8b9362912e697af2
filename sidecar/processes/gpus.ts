import { runCommand } from './run.js';

/** A GPU as nvidia-smi tells it. Memory in bytes. */
export type Gpu = {
  /** As `nvidia-smi` and CUDA_VISIBLE_DEVICES (in the order of the bus) count. */
  index: number;
  name: string;
  driver: string;
  memoryTotal: number;
  memoryFree: number;
};

export type Gpus = {
  gpus: Gpu[];
  /** Why there are none, in words; null where there are some. */
  missing: string | null;
};

const QUERY = ['index', 'name', 'driver_version', 'memory.total', 'memory.free'];
const PATIENCE_MS = 10_000;
const FRESH_MS = 2000;

/**
 * The GPUs of this machine, asked of `nvidia-smi` in a process of its own, at most every two seconds: without its driver
 * nothing of it is needed, and a driver that hangs must not hang us. Never rejects.
 */
export function readGpus(): Promise<Gpus> {
  const now = performance.now();
  if (!asked || now - asked.at > FRESH_MS) asked = { at: now, answer: ask() };
  return asked.answer;
}

let asked: { at: number; answer: Promise<Gpus> } | undefined;

async function ask(): Promise<Gpus> {
  const argv = ['nvidia-smi', `--query-gpu=${QUERY.join(',')}`, '--format=csv,noheader,nounits'];
  try {
    return parseGpus(await runCommand({ argv, cwd: '/', pythonPath: '', patience: PATIENCE_MS }));
  } catch (error) {
    const { message } = error as Error;
    const why = message.includes('ENOENT') ? 'there is no nvidia-smi, the program of NVIDIA’s driver' : message;
    return { gpus: [], missing: `No GPU was found: ${why}.` };
  }
}

/** What nvidia-smi prints for these queries: a line a GPU, memory in MiB; or words where it finds none. */
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

/** "[N/A]" on some shared GPUs. */
function mebibytes(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1024 * 1024 : 0;
}
