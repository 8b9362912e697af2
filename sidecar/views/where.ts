import type { Launcher, Offers, Queue } from '../launchers/launcher.js';
import { CLUSTER_FIELDS, type ClusterField } from '../sessions/versions/clusterFields.js';
import { type FieldView, option, plain, type Typed } from './field.js';
import { plural } from './formatting.js';

export type WhereModel = {
  /** Where it trains unless somebody says otherwise. */
  usual: Launcher['id'];
  /** TRACKSIDE_LAUNCHER leaves no choice. */
  only: boolean;
  offers: Offers;
};

export type WhereView = ReturnType<typeof whereView>;

/** The section “Where it runs” of the form: this machine or the cluster, and what is asked of that. */
export function whereView({ usual, only, offers }: WhereModel, typed: Typed, wasOpen: boolean) {
  const launcher = typed.values.launcher || usual;
  const choice: FieldView = {
    ...plain,
    id: 'f-launcher',
    name: 'launcher',
    label: 'Train on',
    kind: 'choice',
    value: launcher,
    choices: Object.entries(LAUNCHER_WORDS).map(([id, words]) => option(id, launcher, words)),
    error: typed.errors.launcher ?? null,
  };
  const fields = CLUSTER_FIELDS.map((name) => clusterField(name, offers.queues, typed));
  const isWrong = [choice, ...fields].some(({ error }) => error !== null);
  return {
    /** Null where there is no choice: then `launcher` is sent as it is. */
    choice: only ? null : choice,
    launcher,
    fields: fields.filter(({ name }) => !RARE.includes(name as ClusterField)),
    rare: fields.filter(({ name }) => RARE.includes(name as ClusterField)),
    all: [choice, ...fields],
    open: wasOpen || isWrong,
    rareOpen: fields.some(
      ({ name, error, value }) => RARE.includes(name as ClusterField) && (error !== null || value !== ''),
    ),
    /** What is chosen, beside the summary. */
    chosen: LAUNCHER_WORDS[launcher === 'slurm' ? 'slurm' : 'local'],
    free: freeWords(offers),
  };
}

/** Behind "More of the cluster". */
const RARE: readonly ClusterField[] = [
  'cluster_nodes',
  'cluster_account',
  'cluster_qos',
  'cluster_constraint',
  'cluster_options',
];

/** How launchers are called on pages. */
export const LAUNCHER_WORDS: Record<Launcher['id'], string> = { local: 'this machine', slurm: 'the cluster' };

type Wording = { label: string; help?: string; unit?: string };

/** How the fields of a cluster are called on pages. */
export const CLUSTER_WORDS: Record<ClusterField, Wording> = {
  cluster_queue: { label: 'Partition' },
  cluster_gpus: { label: 'GPUs', help: 'Of one node. Empty: one, if the trainer needs one.' },
  cluster_gpu_type: { label: 'Type of GPU' },
  cluster_minutes: {
    label: 'Time limit',
    unit: 'minutes',
    help: 'Or as 2:30:00, or 1-12:00. Shortly before it is over, the training is paused, and can be resumed.',
  },
  cluster_cpus: { label: 'Processors' },
  cluster_memory_mib: { label: 'Memory', unit: 'MiB', help: 'Or as 16G.' },
  cluster_nodes: {
    label: 'Nodes',
    help: 'More than one only for scripts of your own that start themselves on each node (srun).',
  },
  cluster_account: { label: 'Account' },
  cluster_qos: { label: 'QOS', help: 'Quality of service, if your cluster uses it.' },
  cluster_constraint: { label: 'Constraint', help: 'Features that the node must have: a100|h100.' },
  cluster_options: { label: 'Further options of sbatch', help: 'Separated by spaces: --exclusive --exclude=n1.' },
};

function clusterField(name: ClusterField, queues: readonly Queue[], { values, errors }: Typed): FieldView {
  const { label, help = null, unit = null } = CLUSTER_WORDS[name];
  const value = values[name] ?? '';
  const field = { ...plain, id: `f-${name}`, name, label, help, unit, value, error: errors[name] ?? null };
  const choices = name === 'cluster_queue' ? queueChoices(queues, value) : typeChoices(queues, value);
  // What was typed while the controller was down, or for another cluster, stays what it is.
  const isKnown = choices.length > 1 && choices.some((choice) => choice.value === value);
  const isChoice = (name === 'cluster_queue' || name === 'cluster_gpu_type') && isKnown;
  return isChoice ? { ...field, kind: 'choice', choices } : field;
}

function queueChoices(queues: readonly Queue[], chosen: string): FieldView['choices'] {
  const usual = queues.find(({ isDefault }) => isDefault);
  const first = option('', chosen, usual ? `${usual.name} (usual)` : 'the usual one');
  return [first, ...queues.map((queue) => option(queue.name, chosen, `${queue.name}: ${queueWords(queue)}`))];
}

function queueWords(queue: Queue): string {
  const { free, total } = gpusOf([queue]);
  const gpus = total === 0 ? 'no GPUs' : `${free} of ${plural(total, 'GPU')} free`;
  return queue.maxMinutes === null ? gpus : `${gpus}, ${queue.maxMinutes} minutes at most`;
}

function typeChoices(queues: readonly Queue[], chosen: string): FieldView['choices'] {
  const types = new Set(
    queues.flatMap(({ nodes }) => nodes.flatMap(({ gpus }) => gpus.flatMap(({ type }) => type ?? []))),
  );
  return [option('', chosen, 'any'), ...[...types].sort().map((type) => option(type, chosen, typeWords(queues, type)))];
}

function typeWords(queues: readonly Queue[], type: string): string {
  const { free, total } = gpusOf(queues, type);
  return `${type}: ${free} of ${total} free`;
}

/** "Cluster: 3 of 6 GPUs free." or why that is not known. */
export function freeWords({ queues, missing }: Offers): string {
  if (missing) return missing;
  const { free, total, down } = gpusOf(queues);
  if (total === 0) return 'The cluster has no GPUs.';
  const away = down > 0 ? ` ${plural(down, 'node')} ${down === 1 ? 'is' : 'are'} down or drained.` : '';
  return `Cluster: ${free} of ${plural(total, 'GPU')} free.${away}`;
}

/** A node stands once, however many partitions have it. Nothing of a node that is down is free. */
function gpusOf(queues: readonly Queue[], type: string | null = null): { free: number; total: number; down: number } {
  const nodes = [...new Map(queues.flatMap((queue) => queue.nodes).map((node) => [node.name, node])).values()];
  const sum = { free: 0, total: 0, down: nodes.filter(({ state }) => state === 'down').length };
  for (const { state, gpus } of nodes)
    for (const each of gpus) {
      if (type !== null && each.type !== type) continue;
      sum.total += each.total;
      if (state !== 'down') sum.free += each.total - each.used;
    }
  return sum;
}
