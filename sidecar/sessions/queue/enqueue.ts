import { hasCluster } from '../../launchers/slurm/presence.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { TRACKED } from '../../trainers/tracked/trainer.js';
import { lookForRuns } from '../byHand/runs.js';
import type { AttemptKind, SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { preflight, refuseErrors } from '../preflight/preflight.js';
import { withSessionLock } from '../record/lock.js';
import { updateStateFile } from '../record/stateFile.js';
import type { RawState } from '../record/uiState.js';
import { inQueueOrder } from '../status/queued.js';
import type { Session } from '../status/session.js';

/** The parts of the program that the queue needs. */
export type Queueing = { settings: Settings; outputs: Outputs };

export type Enqueue = {
  /** The default is what makes sense next: a start or a resume. Start over has to be said. */
  kind?: AttemptKind | undefined;
  /** As for an attempt: see attempt/plan.ts `Begin`. */
  state?: string | null | undefined;
  maxTrainEpochs?: number | null | undefined;
  gpus?: string | null | undefined;
  /** Ahead of all that wait. */
  first?: boolean | undefined;
  held?: boolean | undefined;
  /** When it runs out of memory, to try once more with the next smaller preset. */
  retrySmaller?: boolean | undefined;
  /** What else is changed in the record by the same write. */
  also?: Record<string, unknown>;
};

/** Findings that may be otherwise once it is its turn. */
export const PASSING = ['gpu_busy', 'disk_space'];

/**
 * Puts a session into the queue: it is begun as soon as a GPU that it asks for is really free (watchers/queue.ts). One that
 * waits already keeps its place. All that is known of it stands in its ui_state.json, so it waits through restarts of
 * Trackside and of the pod. Throws a Problem while it runs, and when a start would be refused whatever the GPU.
 *
 * @example await enqueue(trackside, 'my-cat-v3', {})
 */
export async function enqueue(trackside: Queueing, name: string, asked: Enqueue): Promise<Session> {
  const { outputs, settings } = trackside;
  outputs.requireRoot();
  const folder = await outputs.folder(name);
  await lookForRuns({ cluster: hasCluster(settings) });
  const session = await outputs.read(name);
  refuseRunning(session);
  const kind = asked.kind ?? kindOf(session.facts);
  if (session.trainer !== TRACKED) {
    const { errors } = await preflight(trackside, session);
    const lasting = errors.filter(({ code }) => !PASSING.includes(code));
    refuseErrors(name, lasting);
  }
  const others = inQueueOrder(await outputs.list()).map(({ queue }) => queue.position);
  const position = asked.first ? Math.min(1, ...others) - 1 : Math.max(0, ...others) + 1;
  await withSessionLock(folder, async () => {
    const now = await outputs.read(name);
    refuseRunning(now);
    await updateStateFile(folder, (raw) => {
      raw.queue = {
        ...(raw.queue as object | undefined),
        position: asked.first ? position : (now.facts.queue?.position ?? position),
        queued_at: now.facts.queue?.queued_at ?? new Date().toISOString(),
        kind,
        state: asked.state ?? null,
        max_train_epochs: asked.maxTrainEpochs ?? null,
        gpus: asked.gpus ?? null,
        held: asked.held ?? false,
        failed: null,
        after: lastNumber(raw),
      };
      if (asked.retrySmaller !== undefined) raw.retry_smaller = asked.retrySmaller;
      Object.assign(raw, asked.also, { status: 'pending' });
    });
  });
  log.info('queue', 'Queued.', { session: name });
  await outputs.refresh(name);
  return outputs.read(name);
}

/** Takes a session out of the queue; it becomes what it was before. Throws a Problem when it is not in it. */
export async function dequeue({ outputs }: Pick<Queueing, 'outputs'>, name: string): Promise<Session> {
  const folder = await outputs.folder(name);
  await withSessionLock(folder, async () => {
    const { facts, latest } = await outputs.read(name);
    if (!facts.queue) throw notQueued(name);
    await updateStateFile(folder, (raw) => {
      delete raw.queue;
      raw.status = latest ? statusAfter(latest.outcome) : 'draft';
    });
  });
  log.info('queue', 'Taken out of the queue.', { session: name });
  await outputs.refresh(name);
  return outputs.read(name);
}

export function notQueued(name: string): Problem {
  return new Problem('not_queued', `${name} is not in the queue. It may have been started meanwhile.`, {
    about: { session: name },
  });
}

/** The number of the newest attempt in a record; 0 without one. */
export function lastNumber(raw: RawState): number {
  const attempts = (raw.attempts ?? []) as { number?: number }[];
  return Math.max(0, ...attempts.map(({ number }) => number ?? 0));
}

/**
 * The number of the newest attempt that has ended; 0 without one. A release that meets a start under way must not count it:
 * its session would wait in the queue again after it has trained.
 */
export function lastEnded(raw: RawState): number {
  const attempts = (raw.attempts ?? []) as { number?: number; outcome?: string | null }[];
  return Math.max(0, ...attempts.map(({ number, outcome }) => (outcome ? (number ?? 0) : 0)));
}

function statusAfter(outcome: string | null): string {
  return outcome === 'completed' || outcome === 'failed' ? outcome : 'stopped';
}

function kindOf({ queue, next, name }: SessionFacts): AttemptKind {
  if (queue) return queue.kind;
  if (next === 'start' || next === 'resume') return next;
  const message =
    next === 'start over'
      ? 'It has no state folder to resume from. To start over, send "kind": "relaunch": the files so far are kept in earlier/.'
      : 'There is nothing to start: it has trained all of its epochs. To train further, enter more epochs.';
  throw new Problem('nothing_to_queue', message, { about: { session: name } });
}

function refuseRunning({ name, liveness, byHand, pending, job }: Session): void {
  if (liveness.alive === 'no' && !byHand && !(pending && job)) return;
  throw new Problem('already_running', `${name} is already training.`, { about: { session: name } });
}
