import type { Gpus } from '../processes/gpus.js';

/**
 * Where attempts run: this machine, or an engine that queues them. None is ever asked whether a training lives: `liveness`
 * decides that, from what lies in the attempt's folder.
 */
export type Launcher = {
  readonly id: 'local';
  /** What a form may offer, and what is free. Lists may be empty, with the reason in words. Never rejects. */
  offers(): Promise<Offers>;
  /** Resolves when the engine has taken it: here that it runs, elsewhere that it is queued. */
  submit(order: Order): Promise<Submitted>;
  /** Of all at once, by attempt id: one question to the engine. Never rejects, and never takes silence for an end. */
  look(jobs: readonly Job[]): Promise<ReadonlyMap<string, JobLook>>;
  /**
   * `ask` tells the runner alone, which ends in its own time; `end` ends it the engine's way and resolves when that is done
   * or can't be; `kill` leaves no time to write anything down.
   */
  cancel(job: Job, how: 'ask' | 'end' | 'kill'): Promise<Cancelled>;
  /** Of attempts whose job was not written down, those that the engine knows. */
  find(jobs: readonly Job[]): Promise<JobRef[]>;
};

export type { Gpu, Gpus } from '../processes/gpus.js';

/** `gpus`: those that an attempt may be given by their index; none where the engine gives them out itself. */
export type Offers = Gpus & { queues: readonly Queue[] };

export type Queue = {
  name: string;
  isDefault: boolean;
  maxMinutes: number | null;
  defaultMinutes: number | null;
  nodes: {
    name: string;
    state: 'free' | 'part' | 'full' | 'down';
    gpus: { type: string | null; total: number; used: number }[];
  }[];
};

export type Order = {
  /** The id is random: the mark that all processes of the attempt carry. */
  attempt: { id: string; number: number; kind: 'start' | 'resume' | 'relaunch' };
  /** The output folder. */
  folder: string;
  /** Where the trainer is started, and its command. No shell is in between. */
  cwd: string;
  argv: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The Python that runs the runner: a name to be found in PATH, or a path. 3.10 or newer. */
  python: string;
};

export type Submitted =
  | { ok: true; ref: JobRef }
  | {
      ok: false;
      code: 'held' | 'unwritable' | 'no_python' | 'refused' | 'unreachable' | 'failed';
      /** One line, for people. */
      message: string;
    };

/** What an engine knows an attempt by; kept in ui_state.json as `attempts[].job`. Here `id` is the runner's PID. */
export type JobRef = { launcher: Launcher['id']; attempt: string; id: string; cluster: string | null };

/** An attempt that was submitted. `ref` null: it was not written down, as by a Trackside that knew no other launcher. */
export type Job = { attempt: string; folder: string; ref: JobRef | null };

export type JobLook =
  /** No answer, or forgotten: decides nothing. */
  | { phase: 'unknown'; why: string }
  | { phase: 'queued'; reason: string; startsAt: string | null }
  | { phase: 'running' | 'ending'; hosts: string[]; startedAt: string; endsAt: string | null }
  | { phase: 'ended'; how: EndedHow; hosts: string[]; exitCode: number | null; signal: string | null; words: string };

export type EndedHow =
  | 'by itself'
  | 'cancelled'
  | 'time limit'
  | 'out of memory'
  | 'preempted'
  | 'node lost'
  | 'never started';

/**
 * What came of a cancel. `told`: it ends in its own time. `gone`: nothing of it is left. `unreachable`: it is not for this
 * launcher to reach. `remain`: the PIDs that survived SIGKILL, for they hang in the kernel.
 */
export type Cancelled = 'told' | 'gone' | 'unreachable' | { remain: number[] };
