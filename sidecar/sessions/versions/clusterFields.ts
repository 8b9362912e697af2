import type { Queue } from '../../launchers/launcher.js';
import { minutesOf } from '../../launchers/slurm/offersText.js';
import { refuseFurther } from '../../launchers/slurm/options.js';
import { nearestName } from '../../nearestName.js';
import { Problem } from '../../problem.js';
import type { UiState } from '../record/uiState.js';

/** Where a session trains, by the names in ui_state.json; undefined leaves it to the cluster. */
export type Where = Pick<UiState, 'launcher' | ClusterField>;

/** In the order of the page. */
export const CLUSTER_FIELDS = [
  'cluster_queue',
  'cluster_gpus',
  'cluster_gpu_type',
  'cluster_minutes',
  'cluster_cpus',
  'cluster_memory_mib',
  'cluster_nodes',
  'cluster_account',
  'cluster_qos',
  'cluster_constraint',
  'cluster_options',
] as const satisfies readonly (keyof UiState)[];

export type ClusterField = (typeof CLUSTER_FIELDS)[number];

/** Of the trainer: does it train on a GPU, and can it start itself on several nodes? */
type Needs = { needsGpu: boolean; hasOwnStart: boolean };

/** Pure. `queues` are those of the cluster; empty where they are not known. Throws the Problem of `readWhere`. */
export function readClusterFields(
  fields: Record<string, unknown>,
  queues: readonly Queue[],
  { needsGpu, hasOwnStart }: Needs,
): Omit<Where, 'launcher'> {
  const found: Record<string, string> = {};
  const take = <T>(name: ClusterField, read: (text: string) => T | string): T | undefined => {
    const text = textOf(fields[name]);
    if (text === '') return undefined;
    const value = read(text);
    if (typeof value !== 'string') return value;
    found[name] = value;
    return undefined;
  };
  const word = (name: ClusterField) => take(name, (text) => (WORD.test(text) ? { text } : NO_WORD))?.text;
  const where = {
    cluster_queue: word('cluster_queue'),
    cluster_account: word('cluster_account'),
    cluster_qos: word('cluster_qos'),
    cluster_gpus: take('cluster_gpus', (text) => whole(text, 0, 64)) ?? (needsGpu ? 1 : 0),
    cluster_gpu_type: word('cluster_gpu_type'),
    cluster_nodes: take('cluster_nodes', (text) => whole(text, 1, 1000)),
    cluster_cpus: take('cluster_cpus', (text) => whole(text, 1, 4096)),
    cluster_memory_mib: take('cluster_memory_mib', mebibytes),
    cluster_minutes: take('cluster_minutes', minutes),
    cluster_constraint: take('cluster_constraint', (text) => (CONSTRAINT.test(text) ? { text } : NO_CONSTRAINT))?.text,
    cluster_options: textOf(fields.cluster_options).split(/\s+/).join(' ') || undefined,
  };
  for (const [name, words] of Object.entries(beyond(where, queues, hasOwnStart))) found[name] ??= words;
  try {
    refuseFurther(where.cluster_options?.split(' ') ?? []);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    found.cluster_options = error.ahead;
  }
  if (Object.keys(found).length > 0) throw new Problem('bad_fields', Object.values(found).join(' '), { fields: found });
  return where;
}

const WORD = /^[\w.@+,-]{1,200}$/;
const NO_WORD = 'Enter the name as the cluster writes it: letters, digits, dots, dashes and underscores.';
const CONSTRAINT = /^[\w.@+,&|*()[\]!:=-]{1,200}$/;
const NO_CONSTRAINT = 'Enter node features as Slurm writes them, without spaces: a100, or a100|h100.';

function whole(text: string, least: number, most: number): number | string {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : `Enter a whole number from ${least} to ${most}.`;
}

/** `16000`, `16000M`, `16G`, as Slurm writes memory: MiB. */
function mebibytes(text: string): number | string {
  const [, digits = '', unit = 'M'] = /^(\d{1,9})\s*([MGT])?(?:i?B)?$/i.exec(text) ?? [];
  const number = Number(digits) * ({ M: 1, G: 1024, T: 1024 ** 2 }[unit.toUpperCase()] ?? 1);
  return number > 0 ? number : 'Enter an amount of memory, such as 16G, or 16000 for MiB.';
}

/** `90`, `2:30:00`, `1-12:00`, as Slurm writes times. */
function minutes(text: string): number | string {
  const number = minutesOf(text);
  return number && number > 0 && number < 10_000_000
    ? number
    : 'Enter minutes, such as 90, or a time as Slurm writes it: 2:30:00 for two and a half hours, 1-12:00 for a day and a half.';
}

/** What the cluster never gives: one sentence a field. Jobs of such a kind would wait for ever, or be refused. */
function beyond(
  where: Omit<Where, 'launcher'>,
  queues: readonly Queue[],
  hasOwnStart: boolean,
): Record<string, string> {
  const { cluster_queue, cluster_gpus = 0, cluster_gpu_type: type, cluster_nodes = 1 } = where;
  const wrong: Record<string, string> = {};
  if (cluster_nodes > 1 && !hasOwnStart)
    wrong.cluster_nodes =
      'One training over several nodes does not work with these scripts: their start hangs (kohya-ss/sd-scripts, issue 1246). Leave 1, and take several GPUs of one node.';
  if (queues.length === 0) return wrong;
  const names = (cluster_queue ?? queues.find(({ isDefault }) => isDefault)?.name ?? '').split(',').filter(Boolean);
  const absent = names.find((name) => !queues.some((queue) => queue.name === name));
  if (absent !== undefined) {
    const all = queues.map(({ name }) => name);
    const nearest = nearestName(absent, all);
    const meant = nearest ? `Did you mean ${nearest}?` : `There is ${all.join(', ')}.`;
    return { ...wrong, cluster_queue: `The cluster has no partition ${absent} for you. ${meant}` };
  }
  const asked = queues.filter(({ name }) => names.includes(name));
  if (asked.length === 0) return wrong;
  const where_ = asked.map(({ name }) => name).join(' and ');
  const nodes = asked.flatMap((queue) => queue.nodes);
  const most = (read: (node: Queue['nodes'][number]) => number) => Math.max(0, ...nodes.map(read));
  const ofType = (node: Queue['nodes'][number]) =>
    node.gpus.filter((each) => !type || each.type === type).reduce((sum, { total }) => sum + total, 0);
  const types = [...new Set(nodes.flatMap((node) => node.gpus.flatMap((each) => each.type ?? [])))];
  if (type && !types.includes(type))
    wrong.cluster_gpu_type = `No node of ${where_} has GPUs of the type ${type}. ${types.length > 0 ? `There is ${types.join(', ')}.` : 'Leave it empty.'}`;
  else if (cluster_gpus > most(ofType))
    wrong.cluster_gpus = `No node of ${where_} has ${cluster_gpus} ${type ? `GPUs of the type ${type}` : 'GPUs'}: ${most(ofType)} at most.`;
  const { cluster_cpus = 0, cluster_memory_mib = 0, cluster_minutes = 0 } = where;
  const cpus = most((node) => node.cpus.total);
  if (cluster_cpus > cpus) wrong.cluster_cpus = `No node of ${where_} has ${cluster_cpus} processors: ${cpus} at most.`;
  const memory = most((node) => node.memoryMiB.total);
  if (cluster_memory_mib > memory)
    wrong.cluster_memory_mib = `No node of ${where_} has that much memory: ${memory} MiB at most.`;
  const limits = asked.map(({ maxMinutes }) => maxMinutes ?? Number.POSITIVE_INFINITY);
  const limit = Math.max(...limits);
  if (cluster_minutes > limit)
    wrong.cluster_minutes = `${where_} lets a job run for ${limit} minutes at most. A training that comes to its limit is paused, and can be resumed.`;
  if (cluster_nodes > nodes.length && !wrong.cluster_nodes)
    wrong.cluster_nodes = `${where_} has ${nodes.length === 1 ? 'one node' : `${nodes.length} nodes`}.`;
  return wrong;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
