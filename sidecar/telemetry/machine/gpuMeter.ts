import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isInPath } from '../../processes/run.js';
import { readAmdGpus } from './amdGpus.js';
import { type GpuReading, gpuCommand, readGpuLine, SLOWED_FIELDS } from './gpuLines.js';

/** The wait before nvidia-smi, or AMD's program, is started again: a driver may be reloaded. */
const AGAIN_MS = 60_000;
/** Readings older than this say nothing of now. */
const STALE_MS = 10_000;
/** Of AMD's, which are asked once in that time: their programs are started anew each time, and take half a second of a core. */
const AMD_STALE_MS = 2.5 * AGAIN_MS;

const NONE =
  'No GPU was found: neither nvidia-smi, which comes with NVIDIA’s driver, nor AMD’s amd-smi or rocm-smi is installed.';

export type GpuMeter = ReturnType<typeof createGpuMeter>;

/**
 * Keeps one nvidia-smi running, which tells of every GPU once a second: a start of it takes a quarter of a second each. Where
 * there is none, AMD's programs are asked once a minute.
 */
export function createGpuMeter() {
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let variant = 0;
  let staleMs = STALE_MS;
  let missing: string | null = 'The GPUs have not been checked yet.';
  const readings = new Map<number, { reading: GpuReading; at: number }>();

  function start(): void {
    const [file = '', ...rest] = gpuCommand(SLOWED_FIELDS[variant] ?? null);
    // To try costs a copy of this process.
    if (!isInPath(file)) {
      missing = NONE;
      void askAmd();
      timer = setTimeout(start, AGAIN_MS).unref();
      return;
    }
    const started = spawn(file, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = started;
    let words = '';
    started.once('error', () => {
      missing = NONE;
      void askAmd();
    });
    createInterface({ input: started.stdout }).on('line', (line) => {
      const reading = readGpuLine(line);
      if (reading) {
        readings.set(reading.index, { reading, at: performance.now() });
        missing = null;
      } else if (readings.size === 0 && line.trim()) words = line.trim();
    });
    started.once('close', () => {
      child = null;
      if (closed) return;
      if (words.includes('not a valid field') && variant < SLOWED_FIELDS.length - 1) {
        variant += 1;
        start();
        return;
      }
      if (words) missing = `No GPU was found: nvidia-smi says “${words.slice(0, 200)}”.`;
      timer = setTimeout(start, AGAIN_MS).unref();
    });
  }

  async function askAmd(): Promise<void> {
    const found = await readAmdGpus();
    for (const reading of found) readings.set(reading.index, { reading, at: performance.now() });
    if (found.length > 0) staleMs = AMD_STALE_MS;
  }

  return {
    open: start,
    close(): void {
      closed = true;
      clearTimeout(timer);
      child?.kill('SIGKILL');
    },
    /** The GPUs by their index, and why there are none. */
    now(): { gpus: GpuReading[]; missing: string | null } {
      const since = performance.now() - staleMs;
      const fresh = [...readings.values()].filter(({ at }) => at > since).map(({ reading }) => reading);
      const silent = readings.size > 0 ? 'The driver’s program has stopped reporting on the GPUs.' : missing;
      return { gpus: fresh.sort((a, b) => a.index - b.index), missing: fresh.length > 0 ? null : silent };
    },
  };
}
