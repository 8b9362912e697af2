import type { Offers } from '../launchers/launcher.js';
import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import type { GpuReading } from '../telemetry/machine/gpuLines.js';
import type { MachineFacts, MachineReading } from '../telemetry/machine/machine.js';
import { sessionAddress } from './action.js';
import { bytes, duration, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { freeWords } from './where.js';

export type MachineModel = PageModel & {
  machine: MachineFacts;
  running: SessionFacts[];
  /** Null where there is no cluster. */
  cluster?: Offers | null;
};

export type MachineView = ReturnType<typeof machineView>;

type Meter = {
  name: string;
  /** "41 of 80 GB", or "unknown". */
  value: string;
  /** 0 to 100 for a bar; null without one. */
  percent: number | null;
  tone: 'run' | 'wait' | 'fail';
  /** The last ten minutes as SVG points in a box of 120 × 30, now at its right edge; null where there are too few. */
  line: string | null;
};

export function machineView({ machine, running, root, cluster = null }: MachineModel) {
  const { now, history, no_gpu, disk_full_in } = machine;
  const gpus = now?.gpus ?? [];
  const trained = running.map((session) => trainedView(session, root));
  return {
    noGpu: no_gpu,
    waiting: now === null,
    gpus: gpus.map((gpu) => ({
      id: `gpu-${gpu.index}`,
      title: `GPU ${gpu.index}`,
      name: gpu.name,
      slowed: gpu.slowed?.length ? `Slowed: ${gpu.slowed.join(', ')}` : '',
      sessions: trained.filter(({ gpus }) => gpus.includes(gpu.index)),
      meters: gpuMeters(gpu, history),
    })),
    cluster: cluster && clusterView(cluster),
    host: now ? hostMeters(now, history) : [],
    /** Those that have no GPU that is known. */
    sessions: trained.filter((each) => each.here && !gpus.some(({ index }) => each.gpus.includes(index))),
    disk: disk_full_in === null ? '' : `Full in about ${duration(disk_full_in)} at this rate.`,
    diskTone: disk_full_in !== null && disk_full_in < SOON_FULL ? 'wait' : '',
  };
}

/** Less than a night. Seconds. */
const SOON_FULL = 12 * 3600;

/** A training under way, its process, and the GPUs of this machine that it has. */
function trainedView(session: SessionFacts, root: string) {
  const { gpus = [], host = null, job = null, pid = null } = session.attempts.at(-1) ?? {};
  const here = host === null && job === null;
  return {
    href: sessionAddress(root, session.name),
    label: `${session.lora_name} ${versionName(session)}`,
    process: here && pid !== null ? `, process ${pid}` : '',
    here,
    gpus: here ? gpus : [],
  };
}

/** A line of what is free, and a row a node in each of its partitions. */
function clusterView(offers: Offers) {
  return {
    free: freeWords(offers),
    rows: offers.queues.flatMap((queue) =>
      queue.nodes.map((node) => {
        // Nothing of a node that is down or drained can be had.
        const free = ({ total, used }: { total: number; used: number }) =>
          `${node.state === 'down' ? 0 : total - used} of ${total}`;
        const gpus = node.gpus.map((each) => `${free(each)}${each.type ? ` ${each.type}` : ''}`).join(', ') || 'none';
        const names = { queue: queue.name, node: node.name, state: NODE_WORDS[node.state], word: node.word };
        return { ...names, gpus, cpus: free(node.cpus) };
      }),
    ),
  };
}

const NODE_WORDS = { free: 'free', part: 'partly in use', full: 'in use', down: 'not available' };

function gpuMeters(gpu: GpuReading, history: readonly MachineReading[]): Meter[] {
  const past = (read: (each: GpuReading) => number | null) =>
    pastOf(history, ({ gpus }) => {
      const same = gpus.find(({ uuid }) => uuid === gpu.uuid);
      return same ? read(same) : null;
    });
  const memory = shareOf(gpu.memoryUsed, gpu.memoryTotal);
  const power = shareOf(gpu.power, gpu.powerLimit);
  return [
    meter(
      'Use',
      percentWords(gpu.use),
      gpu.use,
      [101, 101],
      past(({ use }) => use),
    ),
    meter(
      'Memory',
      ofWords(gpu.memoryUsed, gpu.memoryTotal),
      memory,
      [95, 99],
      past((each) => shareOf(each.memoryUsed, each.memoryTotal)),
    ),
    // NVIDIA's GPUs slow down from some 83 to 90 °C on.
    meter(
      'Temperature',
      gpu.temperature === null ? UNKNOWN : `${gpu.temperature} °C`,
      gpu.temperature,
      [83, 90],
      past((each) => each.temperature),
    ),
    meter(
      'Power',
      wattWords(gpu),
      power,
      [101, 101],
      past((each) => shareOf(each.power, each.powerLimit)),
    ),
  ];
}

function hostMeters(now: MachineReading, history: readonly MachineReading[]): Meter[] {
  const memory = shareOf(now.memoryUsed, now.memoryTotal);
  const disk = now.diskFree === null ? null : shareOf((now.diskTotal ?? 0) - now.diskFree, now.diskTotal);
  return [
    meter(
      `Processor (${plural(now.processors, 'core')})`,
      percentWords(now.cpu),
      now.cpu,
      [101, 101],
      pastOf(history, ({ cpu }) => cpu),
    ),
    meter(
      'Memory',
      ofWords(now.memoryUsed, now.memoryTotal),
      memory,
      [90, 96],
      pastOf(history, (each) => shareOf(each.memoryUsed, each.memoryTotal)),
    ),
    meter(
      'Disk',
      now.diskFree === null ? UNKNOWN : `${bytes(now.diskFree)} of ${bytes(now.diskTotal)} free`,
      disk,
      [90, 97],
      pastOf(history, (each) =>
        each.diskFree === null ? null : shareOf((each.diskTotal ?? 0) - each.diskFree, each.diskTotal),
      ),
    ),
  ];
}

const UNKNOWN = 'unknown';

function meter(name: string, value: string, percent: number | null, limits: [number, number], past: Past): Meter {
  const [warn, fail] = limits;
  const tone = percent === null || percent < warn ? 'run' : percent < fail ? 'wait' : 'fail';
  return { name, value, percent: percent === null ? null : Math.round(percent), tone, line: lineOf(past) };
}

/** Percents by when they were read, in ms before the newest. */
type Past = { before: number; percent: number }[];

/** The newest in each hundred-and-twentieth of ten minutes, oldest first. */
function pastOf(history: readonly MachineReading[], read: (each: MachineReading) => number | null): Past {
  const newest = history.at(-1)?.at ?? 0;
  const places = new Map<number, Past[number]>();
  for (const each of history) {
    const [before, percent] = [newest - each.at, read(each)];
    if (percent !== null && before <= SHOWN_MS)
      places.set(Math.floor((WIDTH * before) / SHOWN_MS), { before, percent });
  }
  return [...places.values()];
}

const SHOWN_MS = 600_000;
const [WIDTH, HEIGHT] = [120, 30];

function lineOf(past: Past): string | null {
  if (past.length < 2) return null;
  return past
    .map(({ before, percent }) => {
      const y = HEIGHT - 1 - (Math.min(100, percent) / 100) * (HEIGHT - 2);
      return `${round(WIDTH * (1 - before / SHOWN_MS))},${round(y)}`;
    })
    .join(' ');
}

function shareOf(part: number | null, all: number | null): number | null {
  return part === null || !all ? null : (100 * part) / all;
}

function percentWords(value: number | null): string {
  return value === null ? UNKNOWN : `${Math.round(value)} %`;
}

function ofWords(part: number | null, all: number | null): string {
  if (part === null) return UNKNOWN;
  return all === null ? bytes(part) : `${bytes(part)} of ${bytes(all)}`;
}

function wattWords({ power, powerLimit }: GpuReading): string {
  if (power === null) return UNKNOWN;
  return powerLimit === null ? `${Math.round(power)} W` : `${Math.round(power)} of ${Math.round(powerLimit)} W`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
