import { z } from 'zod';
import type { Gpus } from '../processes/gpus.js';

/** This machine, or a cluster that Slurm runs. */
export type LauncherId = 'local' | 'slurm';

/**
 * Runs attempts: on this machine, or through an engine that queues them. No launcher is asked whether a training lives:
 * `liveness` decides that, from the files in the attempt's folder.
 */
export type Launcher = {
  readonly id: LauncherId;
  /** The choices of a form, and what is free. Lists may be empty, with the reason in words. What was found a moment ago will do, unless `anew`. Never rejects. */
  offers(anew?: boolean): Promise<Offers>;
  /** Resolves when the engine has accepted the attempt: running here, queued elsewhere. */
  submit(order: Order): Promise<Submitted>;
  /**
   * The phases of several attempts by id, in one request to the engine. Never rejects, nor reads silence as an end.
   */
  look(jobs: readonly Job[]): Promise<ReadonlyMap<string, JobLook>>;
  /**
   * `ask` signals only the runner, which ends in its own time; `end` resolves once the attempt has ended, or can't be;
   * `kill` leaves no time to write a record.
   */
  cancel(job: Job, how: 'ask' | 'end' | 'kill'): Promise<Cancelled>;
  /** Finds the jobs of attempts whose reference was not recorded. Null where the engine does not answer. */
  find(jobs: readonly Job[]): Promise<JobRef[] | null>;
};

export type { Gpu, Gpus } from '../processes/gpus.js';

/** `gpus`: those that an attempt may be given by index; empty if the engine assigns them itself. */
export type Offers = Gpus & { queues: readonly Queue[] };

const inUse = z.object({ total: z.number(), used: z.number() });

const queueNode = z.object({
  name: z.string(),
  state: z.enum(['free', 'part', 'full', 'down']),
  /** The engine's own word for its state: `draining`. */
  word: z.string(),
  cpus: inUse,
  memoryMiB: inUse,
  gpus: z.array(inUse.extend({ type: z.string().nullable() })),
});
export type QueueNode = z.infer<typeof queueNode>;

/** In Slurm's words, a partition. `maxMinutes`: null without a limit. */
export const queue = z
  .object({
    name: z.string(),
    isDefault: z.boolean(),
    maxMinutes: z.number().nullable(),
    defaultMinutes: z.number().nullable(),
    nodes: z.array(queueNode),
  })
  .meta({ id: 'Partition' });
export type Queue = z.infer<typeof queue>;

export type Order = {
  /** The id is random; all processes of the attempt carry it as their mark. */
  attempt: { id: string; number: number; kind: 'start' | 'resume' | 'relaunch' };
  /** The output folder. */
  folder: string;
  /** The trainer's working directory and command; no shell in between. */
  cwd: string;
  argv: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The Python for the runner, 3.10 or newer: a name in PATH, or a path. */
  python: string;
  /** What it asks a cluster for. */
  wants?: Wants;
  /** What the runner moves away before it starts the trainer, hours after a job was queued; both relative to `folder`. */
  moves?: readonly { from: string; to: string }[];
};

/** What a job asks its cluster for; null leaves it to the cluster. */
export type Wants = {
  /** On each node, of this type; 0 for none. */
  gpus: number;
  gpuType: string | null;
  /** At least 1. */
  nodes: number;
  cpus: number | null;
  memoryMiB: number | null;
  minutes: number | null;
  /** In Slurm's words: its partition. */
  queue: string | null;
  account: string | null;
  qos: string | null;
  constraint: string | null;
  /** Further options of `sbatch`, one word each, as they are: `--exclusive`. */
  further: readonly string[];
};

export type Submitted =
  | { ok: true; ref: JobRef }
  | {
      ok: false;
      code: 'held' | 'unwritable' | 'no_python' | 'refused' | 'unreachable' | 'failed';
      /** One line, for people. */
      message: string;
    };

/**
 * An engine's reference to an attempt; kept in ui_state.json as `attempts[].job`. Here `id` is the runner's PID. Of a cluster
 * it is the job's number; empty while the cluster has not said that it took the job.
 */
export type JobRef = { launcher: LauncherId; attempt: string; id: string; cluster: string | null };

/** A submitted attempt. `ref` is null in records of an older Trackside, which had one launcher. */
export type Job = { attempt: string; folder: string; ref: JobRef | null };

export type JobLook =
  /** No answer, or `forgotten` by the engine, which answers that it knows no such job: proves nothing. */
  | { phase: 'unknown'; why: string; forgotten?: boolean }
  /** `reason` in words; `place` among all that wait there, from 1. */
  | { phase: 'queued'; reason: string; place: number | null; startsAt: string | null }
  /** `endsAt`: its time limit. `suspended`: the cluster holds it, and it goes on later. */
  | { phase: 'running' | 'ending'; hosts: string[]; startedAt: string; endsAt: string | null; suspended?: boolean }
  /** `atLimit`: its time was as good as over, however it ended. */
  | {
      phase: 'ended';
      how: EndedHow;
      hosts: string[];
      exitCode: number | null;
      signal: string | null;
      words: string;
      atLimit?: boolean;
    };

export type EndedHow =
  | 'by itself'
  | 'cancelled'
  | 'time limit'
  | 'out of memory'
  | 'preempted'
  | 'node lost'
  | 'never started';

/**
 * The outcome of a cancel. `told`: it ends in its own time. `gone`: nothing of it is left. `unreachable`: this launcher
 * can't reach it. `remain`: the PIDs that survived SIGKILL, because they hang in the kernel.
 */
export type Cancelled = 'told' | 'gone' | 'unreachable' | { remain: number[] };
