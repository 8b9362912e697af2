import type { Queue, QueueNode } from '../launcher.js';
import { readFields, secondsOf } from './parse.js';

/**
 * The columns of `sinfo -N -O`, with their widths: it cuts a value there and puts nothing between full columns
 * (measured with 22.05; the same up to 25.11).
 */
const COLUMNS = {
  NodeList: 64,
  Partition: 64,
  StateLong: 24,
  CPUsState: 24,
  Memory: 16,
  AllocMem: 16,
  Gres: 256,
  GresUsed: 256,
} as const;

/** The words after `sinfo`. */
export const SINFO = [
  '-h',
  '-N',
  '-O',
  Object.entries(COLUMNS)
    .map((column) => column.join(':'))
    .join(','),
];
/** The words after `scontrol`. */
export const SHOW_PARTITIONS = ['-o', 'show', 'partition'];

/**
 * Pure: partitions with their nodes from what `scontrol -o show partition` and `sinfo` print. Partitions that are not up
 * are left out.
 */
export function readQueues(partitions: string, nodes: string): Queue[] {
  const lines = nodes.split('\n').filter((line) => line.trim() !== '');
  const all = lines.map(readNode);
  return partitions
    .split('\n')
    .map(readFields)
    .filter((fields) => fields.get('PartitionName') && (fields.get('State') ?? 'UP') === 'UP')
    .map((fields) => {
      const name = fields.get('PartitionName') ?? '';
      return {
        name,
        isDefault: fields.get('Default') === 'YES',
        maxMinutes: minutesOf(fields.get('MaxTime') ?? ''),
        defaultMinutes: minutesOf(fields.get('DefaultTime') ?? ''),
        nodes: all.filter(({ partition }) => partition === name).map(({ node }) => node),
      };
    });
}

/** A time as Slurm writes it, in minutes, rounded down; null without a limit. */
export function minutesOf(time: string): number | null {
  const seconds = secondsOf(time);
  return seconds === null ? null : Math.floor(seconds / 60);
}

function readNode(line: string): { partition: string; node: QueueNode } {
  let at = 0;
  const values = Object.entries(COLUMNS).map(([, width]) => {
    const value = line.slice(at, at + width).trim();
    at += width;
    return value;
  });
  const [name = '', partition = '', state = '', cpus = '', memory = '', used = '', gres = '', gresUsed = ''] = values;
  const [busy = 0, , , total = 0] = cpus.split('/').map(Number);
  return {
    // sinfo marks the default with a star.
    partition: partition.replace(/\*$/, ''),
    node: {
      name,
      state: stateOf(state),
      word: state,
      cpus: { total, used: busy },
      memoryMiB: { total: Number(memory) || 0, used: Number(used) || 0 },
      gpus: gpusOf(gres, gresUsed),
    },
  };
}

/** sinfo's word for a node, with marks behind it: `*` does not answer, `$` reserved, `@^` reboots, `~` powered down, and others. */
function stateOf(word: string): QueueNode['state'] {
  const state = word.toLowerCase();
  if (/[*$@^]$/.test(state)) return 'down';
  const [plain = ''] = /^[a-z]*/.exec(state) ?? [];
  // A node that is powered down is started for a job; one that is planned for another job (21.08) still takes a short one.
  if (plain === 'idle' || plain === 'planned') return 'free';
  if (plain === 'mixed') return 'part';
  return plain === 'allocated' || plain === 'completing' ? 'full' : 'down';
}

/** `gpu:2` or `gpu:a100:2(S:0-1),gpu:v100:1`, and of them in use `gpu:a100:1(IDX:0)`. */
function gpusOf(gres: string, used: string): QueueNode['gpus'] {
  const taken = new Map(readGres(used));
  return readGres(gres).map(([type, total]) => ({ type, total, used: Math.min(total, taken.get(type) ?? 0) }));
}

function readGres(text: string): [type: string | null, count: number][] {
  // A comma also stands in the brackets: gpu:2(IDX:0,1).
  return text
    .replace(/\([^()]{0,200}\)/g, '')
    .split(',')
    .flatMap((each): [string | null, number][] => {
      const [kind, ...rest] = each.trim().split(':');
      const count = Number(rest.at(-1));
      if (kind !== 'gpu' || !Number.isInteger(count) || count < 1) return [];
      // Without a type some releases write `gpu:(null):2`, of which the brackets are gone here.
      return [[(rest.length > 1 && rest[0]) || null, count]];
    });
}
