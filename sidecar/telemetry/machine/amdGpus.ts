import { jsonOrNull } from '../../files/exactJson.js';
import { runCommand } from '../../processes/run.js';
import type { GpuReading } from './gpuLines.js';

const PATIENCE_MS = 10_000;
const ROCM_SMI =
  'rocm-smi --showproductname --showuniqueid --showuse --showmeminfo vram --showtemp --showpower --showmaxpower --showfan --json';
/** AMD's "MB" are 2^20 bytes. */
const UNITS: Record<string, number> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/**
 * Asks amd-smi for AMD's GPUs, or the older rocm-smi. It answers once and ends, unlike nvidia-smi, and is a Python program: to
 * be asked a few times a minute. Empty without either. Never rejects.
 */
export async function readAmdGpus(): Promise<GpuReading[]> {
  const metric = await printed('amd-smi metric --json');
  if (metric !== null) return parseAmdSmi(metric, (await printed('amd-smi static --json')) ?? '');
  return parseRocmSmi((await printed(ROCM_SMI)) ?? '');
}

/** Null where there is no such program, or it fails. */
async function printed(line: string): Promise<string | null> {
  const run = runCommand({ argv: line.split(' '), patience: PATIENCE_MS });
  // silent: a machine without AMD's programs has no AMD GPU; the page says which programs were looked for.
  return run.catch(() => null);
}

/**
 * Reads `amd-smi metric --json` and `amd-smi static --json`: a list, or in newer versions `{"gpu_data": [...]}`. What a GPU does
 * not tell is "N/A" there.
 */
export function parseAmdSmi(metric: string, facts: string): GpuReading[] {
  const about = new Map(listOf(facts).map((each) => [each.gpu, each]));
  return listOf(metric).flatMap((gpu): GpuReading[] => {
    const index = Number(gpu.gpu);
    if (!Number.isInteger(index)) return [];
    const its = about.get(gpu.gpu);
    const limit = within(its, 'limit', 'max_power') ?? within(its, 'limit', 'ppt0', 'max_power_limit');
    return [
      {
        index,
        uuid: `amd-${index}`,
        name: wordOf(within(its, 'asic', 'market_name')) ?? 'AMD GPU',
        use: amountOf(within(gpu, 'usage', 'gfx_activity')),
        memoryUsed: bytesOf(within(gpu, 'mem_usage', 'used_vram')),
        memoryTotal: bytesOf(within(gpu, 'mem_usage', 'total_vram')),
        temperature: amountOf(within(gpu, 'temperature', 'hotspot')) ?? amountOf(within(gpu, 'temperature', 'edge')),
        power: amountOf(within(gpu, 'power', 'socket_power')),
        powerLimit: amountOf(limit),
        fan: amountOf(within(gpu, 'fan', 'usage')),
        slowed: null,
      },
    ];
  });
}

/** Reads what rocm-smi prints as JSON: `{"card0": {"GPU use (%)": "99", …}, …}`. */
export function parseRocmSmi(text: string): GpuReading[] {
  const cards = Object.entries((jsonOrNull(text) ?? {}) as Record<string, Record<string, unknown>>);
  return cards.flatMap(([key, card]): GpuReading[] => {
    const index = Number(/^card(\d{1,4})$/.exec(key)?.[1] ?? Number.NaN);
    if (!Number.isInteger(index) || typeof card !== 'object' || card === null) return [];
    // "Card series" in older versions, "Card Series" in newer ones.
    const told = new Map(Object.entries(card).map(([name, value]) => [name.toLowerCase(), value]));
    const amount = (...names: string[]) =>
      names.map((name) => amountOf(told.get(name))).find((value) => value !== null) ?? null;
    return [
      {
        index,
        uuid: wordOf(told.get('unique id')) ?? `amd-${index}`,
        name: wordOf(told.get('card series')) ?? wordOf(told.get('device name')) ?? 'AMD GPU',
        use: amount('gpu use (%)'),
        memoryUsed: amount('vram total used memory (b)'),
        memoryTotal: amount('vram total memory (b)'),
        temperature: amount('temperature (sensor junction) (c)', 'temperature (sensor edge) (c)'),
        power: amount('average graphics package power (w)', 'current socket graphics package power (w)'),
        powerLimit: amount('max graphics package power (w)'),
        fan: amount('fan speed (%)'),
        slowed: null,
      },
    ];
  });
}

type Told = Record<string, unknown>;

function listOf(text: string): Told[] {
  const read = jsonOrNull(text) as Told | Told[] | null;
  const list = Array.isArray(read) ? read : read?.gpu_data;
  return Array.isArray(list) ? list.filter((each): each is Told => typeof each === 'object' && each !== null) : [];
}

function within(told: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Told)[key] : null), told);
}

/** A number, "98", or `{"value": 98, "unit": "W"}`; null for "N/A" and all else. */
function amountOf(told: unknown): number | null {
  const value = typeof told === 'object' && told !== null ? (told as Told).value : told;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : null;
}

function bytesOf(told: unknown): number | null {
  const amount = amountOf(told);
  const unit = UNITS[String(within(told, 'unit') ?? 'MB').toUpperCase()];
  return amount === null || unit === undefined ? null : amount * unit;
}

function wordOf(told: unknown): string | null {
  return typeof told === 'string' && told.trim() !== '' && told !== 'N/A' ? told.trim() : null;
}
