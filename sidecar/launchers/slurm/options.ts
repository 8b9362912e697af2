import { Problem } from '../../problem.js';
import type { Order, Wants } from '../launcher.js';

/** Options of `sbatch` that a person may add: what a job asks for and how it is placed. Each as one word. A job of another cluster (`--clusters`) would never be seen again. */
const FURTHER =
  /^--(?:exclusive|exclude|nodelist|reservation|licenses|begin|deadline|nice|hint|comment|mail-type|mail-user|gpu-freq|gpu-bind|mem-bind|mem-per-gpu|cpus-per-gpu|switches|tmp|prefer|wckey|oversubscribe|spread-job|contiguous|cores-per-socket|sockets-per-node|threads-per-core|thread-spec|core-spec|gres-flags|network|x11|bb|bbf|power|priority|hold|dependency|delay-boot|use-min-nodes|tres-bind|tres-per-task|ntasks-per-socket|ntasks-per-core)(?:=[^\0\n]*)?$/;

/** Throws a Problem for an option that is Trackside's own, or that changes what is run. */
export function refuseFurther(words: readonly string[]): void {
  const wrong = words.find((word) => !FURTHER.test(word));
  if (wrong === undefined) return;
  const message = `“${wrong}” can't be added to a job. Further options say where and when it runs, each as one word, such as --exclusive or --exclude=n1; the rest has a field of its own, or is Trackside's.`;
  throw new Problem('bad_option', message, { field: 'cluster_options' });
}

/** Slurm checks limits twice a minute, and may tell a job up to a minute early: seconds before the limit. */
const WARN_SECONDS = { short: 30, usual: 90 };
/** Minutes. A shorter job would be told at its start. */
const SHORT = 5;

/** The words of `sbatch` before the script. `killWait`: seconds from Slurm's SIGTERM to its SIGKILL. Pure. */
export function optionsOf({ attempt, folder, wants }: Order): string[] {
  return [
    '--parsable',
    // Two trainers in one folder otherwise: a resume is ours.
    '--no-requeue',
    // Or the limits of this process go along.
    '--propagate=NONE',
    '--export=ALL',
    `--job-name=${jobName(attempt.id)}`,
    `--chdir=${folder}`,
    `--output=${outputPath(folder)}`,
    '--open-mode=append',
    ...(wants ? wanted(wants) : []),
  ];
}

function wanted(wants: Wants): string[] {
  const { gpus, gpuType, nodes, cpus, memoryMiB, minutes, queue, account, qos, constraint, further } = wants;
  const warn = minutes !== null && minutes <= SHORT ? WARN_SECONDS.short : WARN_SECONDS.usual;
  return [
    `--nodes=${nodes}`,
    '--ntasks-per-node=1',
    `--signal=B:TERM@${warn}`,
    ...(gpus > 0 ? [`--gres=gpu:${gpuType ? `${gpuType}:` : ''}${gpus}`] : []),
    ...(cpus === null ? [] : [`--cpus-per-task=${cpus}`]),
    ...(memoryMiB === null ? [] : [`--mem=${memoryMiB}M`]),
    ...(minutes === null ? [] : [`--time=${minutes}`]),
    ...(queue === null ? [] : [`--partition=${queue}`]),
    ...(account === null ? [] : [`--account=${account}`]),
    ...(qos === null ? [] : [`--qos=${qos}`]),
    ...(constraint === null ? [] : [`--constraint=${constraint}`]),
    ...further,
  ];
}

/** A job's name, by which an attempt is found again: of [a-z0-9-] alone, so that no reader of it is ever misled. */
export function jobName(attempt: string): string {
  return `ts-${attempt.toLowerCase().replace(/[^a-z0-9]/g, '-')}`;
}

/** Slurm's own words go there. `%` begins a pattern, and `\` switches them all off. */
function outputPath(folder: string): string {
  return folder.includes('\\') ? `${folder}/slurm.out` : `${folder.replaceAll('%', '%%')}/slurm-%j.out`;
}
