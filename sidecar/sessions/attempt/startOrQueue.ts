import { Problem } from '../../problem.js';
import { enqueue } from '../queue/enqueue.js';
import { launcherFor } from '../record/wants.js';
import { inQueueOrder, isWaiting } from '../status/queued.js';
import type { Session } from '../status/session.js';
import { type Beginning, beginAttempt } from './begin.js';
import { type Begin, chooseState, requireExact } from './plan.js';

/**
 * Begins an attempt, as `beginAttempt` does; or puts the session into the queue, where its GPU is in use or others wait
 * already. With `queue` false, and on a cluster, it is begun or refused. Throws the Problems of both.
 */
export async function startOrQueue(trackside: Beginning, name: string, begin: Begin, queue: boolean): Promise<Session> {
  // A cluster has a queue of its own.
  const waitsHere = queue && launcherFor(trackside.settings, (await trackside.outputs.read(name)).state) === 'local';
  if (!waitsHere) return (await beginAttempt(trackside, name, begin)).session;
  const { kind, state, maxTrainEpochs, gpus } = begin;
  const wait = async () => {
    if (begin.exactly) {
      const session = await trackside.outputs.read(name);
      requireExact(session, await chooseState(session, begin, session.state?.max_train_epochs ?? 1));
    }
    return enqueue(trackside, name, { kind, state, maxTrainEpochs, gpus });
  };
  const others = inQueueOrder(await trackside.outputs.list()).filter((each) => each.name !== name);
  if (others.some(isWaiting)) return wait();
  try {
    return (await beginAttempt(trackside, name, begin)).session;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'gpu_busy') throw error;
    return wait();
  }
}
