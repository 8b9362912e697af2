import { hostname } from 'node:os';
import { join } from 'node:path';
import { logged, repeatedly } from '../../caught.js';
import { takeLock } from '../../files/lock.js';
import type { Hub } from '../../live/hub.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { ProblemCode } from '../../problemStatus.js';
import { type Beginning, beginAttempt } from '../attempt/begin.js';
import type { QueueFacts, SessionFacts } from '../facts.js';
import { gpusFor, readTaken, wantsOf } from '../queue/taken.js';
import { planTurns, type Turn } from '../queue/turns.js';
import { updateStateFile } from '../record/stateFile.js';
import { inQueueOrder, isWaiting } from '../status/queued.js';
import { retrySmaller } from './retrySmaller.js';

const LOOK_MS = 1000;
/** Problems that pass: another one was quicker, or has just changed the session. */
const PASSING = new Set<ProblemCode>(['already_running', 'not_due', 'gpu_busy', 'busy_session', 'busy_state']);
/** A GPU that was just given back may show its memory as used for a moment; one look a second is enough. */
const AGAIN_MS = 5000;

type Queued = SessionFacts & { queue: QueueFacts };

/**
 * Begins the sessions of the queue, each as soon as a GPU that it asks for is really free. All lasting knowledge stands in
 * the sessions' records; what is decided here is decided from the evidence, every second anew. A start that is refused is
 * told there, and the next session has its turn.
 */
export function watchQueue(trackside: Beginning & { hub: Hub }) {
  const { settings, outputs, hub, underWay } = trackside;
  /** Sessions that were just begun or refused, and when they may be tried again. */
  const later = new Map<string, number>();
  /** Those that wait or train, as they were last heard of. */
  const heard = new Map<string, string>();
  let leave = () => {};
  let closed = false;
  const looking = repeatedly('queue', LOOK_MS, async () => {
    const queued = inQueueOrder(await outputs.list());
    if (queued.length === 0 || closed) return;
    const turns = await planNow(queued, false);
    tell(queued, turns);
    if (turns.some((turn) => 'gpus' in turn)) await beginAll();
  });

  async function planNow(queued: readonly Queued[], anew: boolean): Promise<Turn[]> {
    const waiting = queued.filter(
      (facts) => isWaiting(facts) && !underWay.beginning.has(facts.name) && !isLater(facts.name),
    );
    const found = await gpusFor(settings, waiting, anew);
    return planTurns(wantsOf(settings, found, waiting), await readTaken(trackside, found));
  }

  /** One Trackside of this machine at a time: the other's GPUs are seen by its processes, which live when it lets go. */
  async function beginAll(): Promise<void> {
    const release = await takeLock(join(outputs.root, `.queue-${hostname()}.lock`)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ELOCKED') return null;
        throw error;
      },
    );
    if (!release) return;
    try {
      const queued = inQueueOrder(await outputs.list());
      // A moment ago the memory of a training that has ended since may not have been taken yet.
      const turns = await planNow(queued, true);
      await Promise.all(turns.map((turn) => ('gpus' in turn && !closed ? begin(turn.name, turn.gpus) : undefined)));
    } finally {
      await release();
    }
  }

  async function begin(name: string, gpus: string): Promise<void> {
    const queue = outputs.facts(name)?.queue;
    if (!queue) return;
    const { kind, state, max_train_epochs: maxTrainEpochs } = queue;
    later.set(name, performance.now() + AGAIN_MS);
    try {
      await beginAttempt(trackside, name, { kind, state, maxTrainEpochs, fromQueue: { gpus: gpus || queue.gpus } });
      later.delete(name);
    } catch (error) {
      if (error instanceof Problem && PASSING.has(error.code)) return;
      log.warn('queue', 'A session of the queue could not be started; the next one has its turn.', {
        session: name,
        error,
      });
      const failed = (error as Error).message;
      await updateStateFile(join(outputs.root, name), (raw) => {
        if (raw.queue && typeof raw.queue === 'object') Object.assign(raw.queue, { failed });
      }).catch(logged('queue', 'That could not be recorded.', name));
      await outputs.refresh(name);
    }
  }

  /** Did it end, begin, or change its place since the last time that it was heard of? */
  function hasTurned(name: string): boolean {
    const facts = outputs.facts(name);
    const alive = facts?.attempts.at(-1)?.alive;
    const now =
      facts?.queue || alive ? `${alive} ${facts?.queue?.position} ${facts?.queue && isWaiting(facts)}` : undefined;
    const before = heard.get(name);
    if (now === undefined) heard.delete(name);
    else heard.set(name, now);
    return now !== before;
  }

  function isLater(name: string): boolean {
    const until = later.get(name);
    if (until === undefined || until > performance.now()) return until !== undefined;
    later.delete(name);
    return false;
  }

  function tell(queued: readonly Queued[], turns: readonly Turn[]): void {
    const words = new Map(turns.map((turn) => [turn.name, 'waits' in turn ? turn.waits : 'It starts now.']));
    for (const [index, { name, queue }] of queued.entries()) {
      const waits = queue.failed ?? (queue.held ? 'It is on hold.' : (words.get(name) ?? queue.waits));
      if (queue.place !== index + 1 || queue.waits !== waits)
        outputs.mark(name, { queue: { place: index + 1, waits } });
    }
  }

  const retry = (name: string) =>
    void retrySmaller(trackside, name).catch(logged('queue', 'The smaller preset could not be tried.', name));

  return {
    async open() {
      leave = hub.join((event) => {
        if (event.type !== 'session') return;
        if (hasTurned(event.name)) void looking.now();
        retry(event.name);
      });
      // Those that ended while no sidecar ran.
      for (const { name } of await outputs.list()) retry(name);
      looking.open();
    },
    close() {
      closed = true;
      looking.close();
      leave();
    },
    /** Looks at once; resolves when what could be begun was begun, or refused. */
    look: looking.now,
  };
}
