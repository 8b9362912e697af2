import { repeatedly } from '../../caught.js';
import { readDisk } from '../disk.js';
import type { GpuReading } from './gpuLines.js';
import { createGpuMeter } from './gpuMeter.js';
import { createHostMeter, type HostReading } from './hostMeter.js';

/** The machine at one moment. */
export type MachineReading = HostReading & {
  /** Milliseconds since 1970. */
  at: number;
  gpus: GpuReading[];
  /** Bytes where outputs are written; null where unknown. */
  diskFree: number | null;
  diskTotal: number | null;
};

export type MachineFacts = {
  now: MachineReading | null;
  /** The last ten minutes, oldest first. */
  history: MachineReading[];
  /** Why no GPU is shown; null if there is one. */
  no_gpu: string | null;
  /** Seconds until the disk is full if it goes on as in the last ten minutes; null if it does not shrink. */
  disk_full_in: number | null;
};

const LOOK_MS = 2000;
const KEPT = 300;
/** Less than this is noise of the file system. Bytes. */
const SHRINKS = 50e6;

/** Looks at GPUs, processor, memory and disk every two seconds. `changed` is called after each look. */
export function watchMachine({ outputs, changed }: { outputs: string; changed(): void }) {
  const gpus = createGpuMeter();
  const host = createHostMeter();
  const history: MachineReading[] = [];
  const looking = repeatedly('machine', LOOK_MS, async () => {
    const disk = await readDisk(outputs);
    const reading = { at: Date.now(), ...host(), gpus: gpus.now().gpus };
    history.push({ ...reading, diskFree: disk?.free_bytes ?? null, diskTotal: disk?.total_bytes ?? null });
    if (history.length > KEPT) history.shift();
    changed();
  });
  return {
    open(): void {
      gpus.open();
      void looking.now();
      looking.open();
    },
    close(): void {
      looking.close();
      gpus.close();
    },
    facts: (): MachineFacts => ({
      now: history.at(-1) ?? null,
      history,
      no_gpu: gpus.now().missing,
      disk_full_in: fullIn(history),
    }),
  };
}

function fullIn(history: readonly MachineReading[]): number | null {
  const [first, last] = [history[0], history.at(-1)];
  if (!first || !last || first.diskFree === null || last.diskFree === null) return null;
  const shrunk = first.diskFree - last.diskFree;
  const seconds = (last.at - first.at) / 1000;
  return shrunk < SHRINKS || seconds < 30 ? null : last.diskFree / (shrunk / seconds);
}
