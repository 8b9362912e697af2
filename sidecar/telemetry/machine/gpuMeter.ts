import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type GpuReading, gpuCommand, readGpuLine, SLOWED_FIELDS } from './gpuLines.js';

/** The wait before nvidia-smi is started again after it ended: a driver may be reloaded. */
const AGAIN_MS = 60_000;
/** Readings older than this say nothing of now. */
const STALE_MS = 10_000;

export type GpuMeter = ReturnType<typeof createGpuMeter>;

/** Keeps one nvidia-smi running, which tells of every GPU once a second: a start of it takes a quarter of a second each. */
export function createGpuMeter() {
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let variant = 0;
  let missing: string | null = 'No GPU was asked yet.';
  const readings = new Map<number, { reading: GpuReading; at: number }>();

  function start(): void {
    const [file = '', ...rest] = gpuCommand(SLOWED_FIELDS[variant] ?? null);
    const started = spawn(file, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = started;
    let words = '';
    started.once('error', () => {
      missing = 'No GPU was found: nvidia-smi, which comes with NVIDIA’s driver, is not installed.';
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

  return {
    open: start,
    close(): void {
      closed = true;
      clearTimeout(timer);
      child?.kill('SIGKILL');
    },
    /** The GPUs by their index, and why there are none. */
    now(): { gpus: GpuReading[]; missing: string | null } {
      const since = performance.now() - STALE_MS;
      const fresh = [...readings.values()].filter(({ at }) => at > since).map(({ reading }) => reading);
      const silent = readings.size > 0 ? 'nvidia-smi has stopped telling.' : missing;
      return { gpus: fresh.sort((a, b) => a.index - b.index), missing: fresh.length > 0 ? null : silent };
    },
  };
}
