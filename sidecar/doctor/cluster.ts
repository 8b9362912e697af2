import { statfs } from 'node:fs/promises';
import { ifMissing } from '../caught.js';
import { runClient } from '../launchers/slurm/commands.js';
import { readOffers } from '../launchers/slurm/offers.js';
import { hasCluster } from '../launchers/slurm/presence.js';
import { SHORT_KILL_WAIT } from '../launchers/slurm/submit.js';
import type { Settings } from '../settings.js';
import { type Check, error, ok, unknown, warning } from './check.js';
import { checkNodes } from './nodes.js';

/** File systems that several machines see (statfs(2), and of FUSE whatever is behind it). */
const SHARED: Record<number, string> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  198183888: 'lustre',
  1196443219: 'gpfs',
  428016422: 'beegfs',
  12805120: 'ceph',
  1702057286: 'fuse',
  16914839: '9p',
  1819242352: 'overlay of a cluster',
};
/** Seconds. */
const SHORT_MEMORY = 120;

/**
 * Can jobs be submitted from here, and what does the cluster do to them? Empty where there is no cluster.
 *
 * @param nodes also runs a job of some seconds in each partition: does its node see our files, clock and Python?
 */
export async function checkCluster(settings: Settings, nodes: boolean): Promise<Check[]> {
  if (!hasCluster(settings)) return [];
  const answers = await checkController();
  const volume = await checkVolume(settings.outputs);
  if (answers.status !== 'ok') return [answers, volume];
  const [job, limits, partitions] = await Promise.all([checkTestOnly(), checkConfig(), checkPartitions()]);
  return [answers, job, partitions, ...limits, volume, ...(nodes ? await checkNodes(settings) : [])];
}

/** Is munge there, and does the controller answer? */
async function checkController(): Promise<Check> {
  const name = 'cluster';
  const { code, out, err } = await runClient('scontrol', ['ping'], { patience: 10 });
  if (/\bis UP\b/.test(out)) return ok(name, out.trim().split('\n')[0] ?? '');
  const said = err.trim().split('\n').at(-1) ?? '';
  if (code === null && !said && !out)
    return error(
      name,
      'scontrol does not answer, or is not installed.',
      'Install slurm-client in the cluster’s version.',
    );
  if (/munge/i.test(err))
    return error(
      name,
      `munge does not work here: ${said}`,
      'Start munged, with the key of the cluster (/etc/munge/munge.key); in a container, mount its socket /run/munge.',
    );
  return error(
    name,
    `Slurm’s controller does not answer: ${said || out.trim()}`,
    'Is SLURM_CONF, or /etc/slurm/slurm.conf, that of the cluster? Can this machine reach the controller? Running trainings are not affected.',
  );
}

/** Would a job be taken? Nothing is submitted. */
async function checkTestOnly(): Promise<Check> {
  const name = 'a job would be taken';
  const { code, err } = await runClient('sbatch', ['--test-only', '--nodes=1', '--wrap', 'true'], { patience: 20 });
  const said = err.replaceAll(/^sbatch: (?:error: )?/gm, '').trim();
  if (code === 0) return ok(name, said.split('\n').at(-1) ?? '');
  const todo =
    'Ask the administrators of the cluster which partition, account and QOS you may use, and enter them in the form.';
  return warning(name, said.split('\n')[0] || 'sbatch does not answer.', todo);
}

async function checkPartitions(): Promise<Check> {
  const name = 'partitions';
  const { queues, missing } = await readOffers();
  if (missing) return warning(name, missing, 'Ask the administrators of the cluster which partitions you may use.');
  const words = queues.map(({ name: queue, maxMinutes, nodes }) => {
    const limit = maxMinutes === null ? 'none' : `${maxMinutes} min`;
    return `${queue} (nodes: ${nodes.length}, time limit: ${limit})`;
  });
  return ok(name, words.join(', '));
}

/** What the cluster does to jobs at their end. */
async function checkConfig(): Promise<Check[]> {
  const { code, out } = await runClient('scontrol', ['show', 'config'], { patience: 10 });
  if (code !== 0) return [unknown('settings of the cluster', 'scontrol does not list them.')];
  const value = (name: string) => new Map(out.split('\n').map(pair)).get(name) ?? '';
  const killWait = Number.parseInt(value('KillWait'), 10);
  const memory = Number.parseInt(value('MinJobAge'), 10);
  const accounting = value('AccountingStorageType').includes('slurmdbd');
  const ends =
    killWait < SHORT_KILL_WAIT
      ? warning(
          'seconds at a job’s end',
          `KillWait is ${killWait} s: at a time limit or scancel, a training may be killed while it saves.`,
          'Give jobs a time limit in the form: Trackside has Slurm warn a training a minute or so before it.',
        )
      : ok('seconds at a job’s end', `KillWait is ${killWait} s`);
  const told =
    accounting || memory >= SHORT_MEMORY
      ? ok('memory of jobs', accounting ? 'accounting' : `${memory} s after their end`)
      : warning(
          'memory of jobs',
          `Slurm forgets a job ${memory} s after its end, and there is no accounting, so it may never be known why one ended.`,
          'Ask for accounting (slurmdbd), or a MinJobAge of 300.',
        );
  // Two trainers in one folder otherwise: every job of ours is submitted with --no-requeue.
  const requeue = ok('requeue', value('JobRequeue') === '0' ? 'off' : 'on by default; never for a job of Trackside');
  return [ends, told, requeue];
}

function pair(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** Is the outputs folder on a disk that nodes can see, as far as its kind tells? */
async function checkVolume(outputs: string): Promise<Check> {
  const name = 'the outputs are on a shared disk';
  const facts = await statfs(outputs).catch(ifMissing(null));
  if (!facts) return unknown(name, `${outputs} does not exist yet.`);
  const kind = SHARED[facts.type];
  if (kind) return ok(name, `${outputs} (${kind})`);
  return warning(
    name,
    `${outputs} seems to be on a local disk of this machine.`,
    'Nodes must see the same folder at the same path. Put it on the cluster’s shared disk, and have a job check: trackside doctor --nodes.',
  );
}
