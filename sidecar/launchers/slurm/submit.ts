import { join } from 'node:path';
import { bridge, contract } from '../../bridge.js';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { resolvePython } from '../../processes/python.js';
import { shellWord } from '../../processes/shellWord.js';
import { trainerEnvironment } from '../launch.js';
import type { Job, JobRef, Order, Submitted } from '../launcher.js';
import { controllerAnswers, readConfig, runClient, withoutSlurm } from './commands.js';
import { jobName, optionsOf } from './options.js';

const SCRIPT = 'slurm.sh';
/** Seconds. */
const PATIENCE = 20;
/** Bytes. */
const LARGEST_OUTPUT = 1_000_000;
/** Seconds. Less than this between Slurm's SIGTERM and its SIGKILL leaves a runner no time to write the end down. */
export const SHORT_KILL_WAIT = 20;

export const DOWN = "Slurm's controller does not answer.";

/**
 * Submits an attempt as a job whose script is its runner. Idempotent by the attempt's id, which is in the job's name. Where
 * no answer comes the job's id stays empty: `find` tells later whether it was taken.
 */
export async function submit(order: Order): Promise<Submitted> {
  if (!(await controllerAnswers())) return { ok: false, code: 'unreachable', message: DOWN };
  const { folder, attempt } = order;
  const [before] = (await find([{ attempt: attempt.id, folder, ref: null }])) ?? [];
  if (before) return { ok: true, ref: before };
  const python = await resolvePython(order.python).catch((error: Error) => error);
  if (python instanceof Error) return { ok: false, code: 'no_python', message: python.message };
  const path = join(folder, SCRIPT);
  try {
    await writeWhole(path, scriptOf(order, python, (await readConfig())?.killWait ?? null), 0o755);
  } catch (error) {
    return { ok: false, code: 'unwritable', message: (error as Error).message };
  }
  // Whatever a local trainer would get, and no more: secrets are in the environment, and nowhere else.
  const environment = withoutSlurm({ ...trainerEnvironment(order.environment), [contract.mark]: attempt.id });
  const asked = await runClient('sbatch', [...optionsOf(order), path], { patience: PATIENCE, environment });
  if (asked.code === 0) return { ok: true, ref: refOf(attempt.id, asked.out.trim()) };
  if (asked.code === null) return { ok: true, ref: refOf(attempt.id, '') };
  return { ok: false, code: 'refused', message: saidBy(asked.err) };
}

/** `12` or `12;cluster`, as `sbatch --parsable` prints it. */
function refOf(attempt: string, printed: string): JobRef {
  const [id = '', cluster = null] = printed.split(';');
  return { launcher: 'slurm', attempt, id, cluster };
}

function saidBy(err: string): string {
  const lines = err.split('\n').map((line) => line.replace(/^sbatch: (?:error: )?/, '').trim());
  const said = lines.filter((line) => line !== '');
  return `Slurm refused the job: ${said.find((line) => line.includes(':')) ?? said.at(-1) ?? 'it did not say why'}.`;
}

/** The job's script, which stays as a record: the runner in the place of the shell, so that it is told of an end first. */
export function scriptOf(order: Order, python: string, killWait: number | null): string {
  const { attempt, folder, cwd, argv, moves = [] } = order;
  const nodes = order.wants?.nodes ?? 1;
  const grace = killWait !== null && killWait < SHORT_KILL_WAIT ? Math.max(1, killWait - 3) : null;
  const words = [
    ...[python, '-I', '-S', bridge.runner, '--job', 'slurm'],
    ...['--output', folder, '--attempt', attempt.id, '--number', String(attempt.number)],
    ...['--kind', attempt.kind, '--cwd', cwd],
    ...(grace === null ? [] : ['--stop-grace', String(grace)]),
    ...moves.flatMap(({ from, to }) => ['--move', from, to]),
    '--',
    ...(nodes > 1 ? overNodes(nodes) : []),
    ...argv,
  ];
  const before = nodes > 1 ? MEETING : '';
  return `#!/bin/sh\n# Attempt ${attempt.number}, as its job runs it.\n${before}exec ${words.map(shellWord).join(' ')}\n`;
}

/** Where the processes of several nodes meet: the job's first node, by its address, for its name may be in no DNS. */
const MEETING = `first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(scontrol show node "$first" | grep -o 'NodeAddr=[^ ]*' | cut -d= -f2)
export MASTER_ADDR="\${address:-$first}" MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
`;

/** One process a node, each with the variables that torch.distributed and accelerate read. */
function overNodes(nodes: number): string[] {
  const ranks = 'export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID; exec "$@"';
  const step = ['srun', `--nodes=${nodes}`, `--ntasks=${nodes}`, '--ntasks-per-node=1', '--kill-on-bad-exit=1'];
  return [...step, 'sh', '-c', ranks, 'sh'];
}

/** The jobs of attempts, by their names; null where the controller does not answer. One question for all. */
export async function find(jobs: readonly Job[]): Promise<JobRef[] | null> {
  if (jobs.length === 0) return [];
  const names = new Map(jobs.map(({ attempt }) => [jobName(attempt), attempt]));
  const words = ['--me', '-h', '-t', 'all', `--name=${[...names.keys()].join(',')}`, '-o', '%i|%T|%N|%j'];
  const { code, out } = await runClient('squeue', words);
  if (code !== 0) return null;
  return out.split('\n').flatMap((line) => {
    const [id = '', state = '', node, name = ''] = line.split('|');
    const attempt = names.get(name);
    // What sbatch refuses may stay behind under its name.
    return attempt && id && (node || state !== 'FAILED')
      ? [{ launcher: 'slurm' as const, attempt, id, cluster: null }]
      : [];
  });
}

/** What the engine says in a job's output file, as its last words; the runner's own go into the log. */
export async function readOutput(folder: string, id: string): Promise<JobOutput> {
  const text = await readText(join(folder, `slurm-${id}.out`), LARGEST_OUTPUT).catch(ifUnreadable('', 'launchers'));
  return { words: text.trim().split('\n').at(-1)?.slice(0, 500) ?? '', memory: MEMORY.test(text) };
}

/** `memory`: it says that the job used more memory than it had asked for. */
export type JobOutput = { words: string; memory: boolean };

/** By slurmstepd: JobAcctGatherParams=OverMemoryKill ends a job as FAILED, and task/cgroup tells of what the kernel killed. */
const MEMORY = /^slurmstepd\S*: error: .*(?:exceeded (?:job )?memory limit|oom.kill event)/im;
