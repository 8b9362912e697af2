import { describe, expect, test } from 'vitest';
import type { Queue } from '../../../sidecar/launchers/launcher.js';
import { Problem } from '../../../sidecar/problem.js';
import { readClusterFields } from '../../../sidecar/sessions/versions/clusterFields.js';

const node = (name: string, gpus: Queue['nodes'][number]['gpus'], cpus = 8): Queue['nodes'][number] => ({
  ...{ name, state: 'free', word: 'idle', gpus },
  ...{ cpus: { total: cpus, used: 0 }, memoryMiB: { total: 64_000, used: 0 } },
});
const QUEUES: Queue[] = [
  {
    ...{ name: 'main', isDefault: true, maxMinutes: null, defaultMinutes: null },
    nodes: [node('n1', [{ type: null, total: 2, used: 2 }]), node('n2', [{ type: 'a100', total: 4, used: 0 }], 16)],
  },
  {
    ...{ name: 'short', isDefault: false, maxMinutes: 60, defaultMinutes: null },
    nodes: [node('n1', [{ type: null, total: 2, used: 2 }])],
  },
];
const sdScripts = { needsGpu: true, hasOwnStart: false };
const read = (fields: Record<string, unknown>, queues = QUEUES, needs = sdScripts) =>
  readClusterFields(fields, queues, needs);

function refused(fields: Record<string, unknown>, queues = QUEUES, needs = sdScripts): Record<string, string> {
  try {
    read(fields, queues, needs);
  } catch (error) {
    if (error instanceof Problem) return error.fields ?? {};
  }
  return {};
}

describe('what a session asks its cluster for', () => {
  test('is left to the cluster where nothing is said, but for one GPU where the trainer needs one', () => {
    const nothing = Object.fromEntries(Object.entries(read({})).filter(([, value]) => value !== undefined));
    expect(nothing).toEqual({ cluster_gpus: 1 });
    expect(read({}, QUEUES, { ...sdScripts, needsGpu: false }).cluster_gpus).toBe(0);
  });

  test.each([
    ['cluster_minutes', '90', 90],
    ['cluster_minutes', '2:30:00', 150],
    ['cluster_minutes', '1-12:00', 2160],
    ['cluster_memory_mib', '16G', 16_384],
    ['cluster_memory_mib', '16 GB', 16_384],
    ['cluster_memory_mib', '16000', 16_000],
    ['cluster_gpus', '0', 0],
    ['cluster_gpus', 4, 4],
    ['cluster_cpus', '16', 16],
    ['cluster_queue', ' short ', 'short'],
    ['cluster_queue', 'main,short', 'main,short'],
    ['cluster_gpu_type', 'a100', 'a100'],
    ['cluster_constraint', 'a100|h100', 'a100|h100'],
    ['cluster_options', ' --exclusive   --exclude=n1', '--exclusive --exclude=n1'],
  ])('%s: %s is taken', (name, typed, value) => {
    expect(read({ [name]: typed })).toMatchObject({ [name]: value });
  });

  test.each([
    [{ cluster_queue: 'maim' }, 'cluster_queue', 'The cluster has no partition maim for you. Did you mean main?'],
    [{ cluster_queue: 'gpu' }, 'cluster_queue', 'There is main, short.'],
    [{ cluster_queue: '$(reboot)' }, 'cluster_queue', 'Enter the name as the cluster writes it'],
    [{ cluster_account: 'a b' }, 'cluster_account', 'Enter the name as the cluster writes it'],
    [{ cluster_gpus: '5' }, 'cluster_gpus', 'No node of main has 5 GPUs: 4 at most.'],
    [{ cluster_gpus: '3', cluster_queue: 'short' }, 'cluster_gpus', 'No node of short has 3 GPUs: 2 at most.'],
    [{ cluster_gpus: '-1' }, 'cluster_gpus', 'Enter a whole number from 0 to 64.'],
    [{ cluster_gpus: '1e3' }, 'cluster_gpus', 'Enter a whole number from 0 to 64.'],
    [{ cluster_gpu_type: 'h100' }, 'cluster_gpu_type', 'No node of main has GPUs of the type h100. There is a100.'],
    [{ cluster_gpu_type: 'a100', cluster_queue: 'short' }, 'cluster_gpu_type', 'Leave it empty.'],
    [
      { cluster_minutes: '61', cluster_queue: 'short' },
      'cluster_minutes',
      'short lets a job run for 60 minutes at most.',
    ],
    [{ cluster_minutes: 'soon' }, 'cluster_minutes', 'Enter minutes, such as 90'],
    [{ cluster_minutes: '0' }, 'cluster_minutes', 'Enter minutes, such as 90'],
    [{ cluster_cpus: '32' }, 'cluster_cpus', 'No node of main has 32 processors: 16 at most.'],
    [{ cluster_memory_mib: '100G' }, 'cluster_memory_mib', 'No node of main has that much memory: 64000 MiB at most.'],
    [{ cluster_memory_mib: 'lots' }, 'cluster_memory_mib', 'Enter an amount of memory, such as 16G'],
    [{ cluster_nodes: '2' }, 'cluster_nodes', 'One training over several nodes does not work with these scripts'],
    [{ cluster_constraint: 'a b' }, 'cluster_constraint', 'Enter node features as Slurm writes them'],
    [{ cluster_options: '--requeue' }, 'cluster_options', "“--requeue” can't be added to a job."],
    [{ cluster_options: '--wrap=reboot' }, 'cluster_options', "“--wrap=reboot” can't be added to a job."],
  ])('%j is refused beside its field', (fields, field, words) => {
    const found = refused(fields);
    expect(Object.keys(found)).toEqual([field]);
    expect(found[field]).toContain(words);
  });

  test('everything that is wrong is told at once', () => {
    const wrong = refused({ cluster_gpus: '9', cluster_minutes: 'x', cluster_options: '--array=1-9' });
    expect(Object.keys(wrong).sort()).toEqual(['cluster_gpus', 'cluster_minutes', 'cluster_options']);
  });

  test('a script of your own may take several nodes, as many as there are', () => {
    const own = { needsGpu: false, hasOwnStart: true };
    expect(read({ cluster_nodes: '2' }, QUEUES, own).cluster_nodes).toBe(2);
    expect(refused({ cluster_nodes: '3' }, QUEUES, own)).toEqual({ cluster_nodes: 'main has 2 nodes.' });
  });

  test('while the controller is down, names and limits are taken as they are', () => {
    expect(read({ cluster_queue: 'any', cluster_gpus: '9', cluster_minutes: '100000' }, [])).toMatchObject({
      ...{ cluster_queue: 'any', cluster_gpus: 9, cluster_minutes: 100_000 },
    });
  });
});
