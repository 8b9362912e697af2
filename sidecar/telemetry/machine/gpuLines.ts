/** What nvidia-smi says of one GPU at one moment; null where it does not tell ("[N/A]", "[Not Supported]", a MIG slice). */
export type GpuReading = {
  /** As nvidia-smi counts. */
  index: number;
  uuid: string;
  name: string;
  /** 0 to 100. */
  use: number | null;
  /** Bytes. */
  memoryUsed: number | null;
  memoryTotal: number | null;
  /** °C. */
  temperature: number | null;
  /** Watts. */
  power: number | null;
  powerLimit: number | null;
  /** 0 to 100; null for a server's, which has none. */
  fan: number | null;
  /** Why it is slower than it could be, in words; empty if it is not; null where unknown. */
  slowed: string[] | null;
};

/** nvidia-smi --help-query-gpu. The last one has another name in older drivers, and is left out where both are unknown. */
const FIELDS =
  'index uuid name utilization.gpu memory.used memory.total temperature.gpu power.draw power.limit fan.speed'.split(
    ' ',
  );
export const SLOWED_FIELDS = ['clocks_event_reasons.active', 'clocks_throttle_reasons.active', null];

/** The command that prints a line a GPU every second until it is ended. */
export function gpuCommand(slowed: string | null): string[] {
  const fields = slowed ? [...FIELDS, slowed] : FIELDS;
  return ['nvidia-smi', `--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits', '-lms', '1000'];
}

/** Reads one line; null for any other words, like those of a missing driver. */
export function readGpuLine(line: string): GpuReading | null {
  const fields = line.split(',').map((field) => field.trim());
  const [index = '', uuid = '', name = ''] = fields;
  if (!/^\d+$/.test(index) || fields.length < FIELDS.length) return null;
  const [use, used, total, temperature, power, limit, fan] = fields.slice(3, FIELDS.length).map(numberOf);
  return {
    index: Number(index),
    uuid,
    name,
    use: use ?? null,
    memoryUsed: used == null ? null : used * 1024 * 1024,
    memoryTotal: total ? total * 1024 * 1024 : null,
    temperature: temperature ?? null,
    power: power ?? null,
    powerLimit: limit ?? null,
    fan: fan ?? null,
    slowed: reasonsOf(fields[FIELDS.length]),
  };
}

function numberOf(text: string): number | null {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
}

/** Bits of nvmlClocksEventReasons (nvml.h); being idle and a clock that somebody set are no slowing. */
const REASONS: [bit: number, words: string][] = [
  [0x4, 'power limit'],
  [0x8, 'hardware slowdown'],
  [0x20, 'too warm'],
  [0x40, 'too warm (hardware)'],
  [0x80, 'power brake'],
];

function reasonsOf(text: string | undefined): string[] | null {
  if (text === undefined || !/^0x[0-9a-f]+$/i.test(text)) return null;
  const bits = Number(BigInt(text) & 0xffffffffn);
  return REASONS.filter(([bit]) => (bits & bit) !== 0).map(([, words]) => words);
}
