import { execFile } from 'node:child_process';

/** An answer of a client program. `code` is null where none came in time, or the program is missing. */
export type Answer = { code: number | null; out: string; err: string };

export type ClientOptions = {
  /** Seconds. A client whose controller is down tries for 9 to 18 s. */
  patience?: number;
  /** In place of ours; `SLURM_CONF` stays. */
  environment?: NodeJS.ProcessEnv;
};

const MOST_OUTPUT = 64 * 1024 * 1024;
/** What timeout(1) answers for a program that took too long, could not be started, or is missing. */
const NO_ANSWER = [124, 125, 126, 127, 137];

/**
 * Runs a client program of Slurm. Never rejects. It ends in time even if this process dies first: a forgotten `sbatch` must
 * not submit minutes later.
 */
export function runClient(
  program: string,
  words: readonly string[],
  { patience = 20, environment = process.env }: ClientOptions = {},
): Promise<Answer> {
  const env = { ...withoutSlurm(environment), SLURM_TIME_FORMAT: '%s' };
  const argv = ['-k', '1', String(patience), program, ...words];
  return new Promise((resolve) => {
    execFile('timeout', argv, { cwd: '/', env, maxBuffer: MOST_OUTPUT }, (error, out, err) => {
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      resolve({ code: code === null || NO_ANSWER.includes(code) ? null : code, out, err });
    });
  });
}

/**
 * An environment without what an outer job, or a shell, tells the clients: they would obey it (`SBATCH_PARTITION`), or hand it
 * on (`SLURM_MEM_PER_NODE`). Only where the configuration is stays.
 */
export function withoutSlurm(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => name === 'SLURM_CONF' || !OUTER.test(name));
  return Object.fromEntries(kept);
}

const OUTER = /^(?:SLURM|SLURMD|SBATCH|SRUN|SALLOC|SQUEUE|SINFO|SCONTROL|SCANCEL|SACCT)_/;

/** Does the controller answer? Says so within milliseconds, where every other client tries for many seconds. */
export async function controllerAnswers(): Promise<boolean> {
  // 1 where the primary is down; a backup may answer.
  const { out } = await runClient('scontrol', ['ping'], { patience: 5 });
  const answers = /\bis UP\b/.test(out);
  silentSince = answers ? null : (silentSince ?? new Date());
  return answers;
}

let silentSince: Date | null = null;

/** When the controller was first found not to answer; null while it does, as far as anybody asked. */
export function controllerSilentSince(): Date | null {
  return silentSince;
}

/** What of the cluster's configuration concerns an end. Seconds. */
export type ClusterConfig = { killWait: number; accounting: boolean };

/** Asked once; null while the controller does not answer. */
export async function readConfig(): Promise<ClusterConfig | null> {
  if (config) return config;
  const { code, out } = await runClient('scontrol', ['show', 'config'], { patience: 5 });
  if (code !== 0) return null;
  // "KillWait                = 30 sec"
  const value = (name: string) =>
    out
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split('=')[1]
      ?.trim() ?? '';
  config = {
    killWait: Number.parseInt(value('KillWait'), 10) || 30,
    accounting: value('AccountingStorageType').includes('slurmdbd'),
  };
  return config;
}

let config: ClusterConfig | null = null;

/** Does slurmd of a node answer the controller? It ends what no longer belongs there soon after it has come back. */
export async function nodeAnswers(node: string): Promise<boolean> {
  const { code, out } = await runClient('sinfo', ['-h', '-N', '-n', node, '-o', '%T'], { patience: 5 });
  const states = out.trim().split('\n');
  return (
    code === 0 &&
    states.every(
      (state) =>
        /^(?:idle|mixed|allocated|completing|drain|planned|reserved|blocked|maint|fail)/.test(state) &&
        !state.endsWith('*'),
    )
  );
}
