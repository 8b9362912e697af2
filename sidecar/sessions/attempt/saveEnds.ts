import { setTimeout as wait } from 'node:timers/promises';
import type { ConsoleEvent } from '../../trainers/console.js';
import type { Outputs } from '../outputs/outputs.js';
import { saveUnderWay } from '../status/saveUnderWay.js';

/** The longest wait for a save in progress, before the trainer is stopped: a disk may hang. */
const SAVE_PATIENCE_MS = 60_000;
/** The longest wait for what the console says of a save. */
const CATCH_UP_MS = 2000;
/** The longest wait for a trainer that has saved everything to end by itself. */
const LEAVING_PATIENCE_MS = 10_000;
/** The state is saved; or none was to come, and the training goes on. */
const ENDS_OF_A_SAVE = ['state-saved', 'step', 'epoch', 'sampling'] as const;

/**
 * Resolves when the save under way is whole, or after the longest wait. After the last save there is nothing left to
 * stop: the trainer ends by itself.
 */
export async function saveEnds(outputs: Outputs, name: string): Promise<void> {
  // A trainer may write faster than anybody reads.
  await Promise.race([outputs.catchUp(name), wait(CATCH_UP_MS)]);
  const session = await outputs.read(name);
  const save = saveUnderWay(session, session.state?.enable_checkpointing ?? false);
  if (save === 'one of many') await heard(outputs, name, ENDS_OF_A_SAVE, SAVE_PATIENCE_MS);
  if (save === 'the last') await heard(outputs, name, ['finished'], SAVE_PATIENCE_MS);
  if (save === 'the last' || save === 'leaving') await heard(outputs, name, [], LEAVING_PATIENCE_MS);
}

/** Resolves when the console says one of `types`, when the training has ended, or after `patience` milliseconds. */
async function heard(
  outputs: Outputs,
  name: string,
  types: readonly ConsoleEvent['type'][],
  patience: number,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const leave = outputs.onConsole((speaker, events) => {
      if (speaker === name && events.some(({ type }) => types.includes(type))) done();
    });
    const unheard = setInterval(() => {
      void outputs.read(name).then(
        (session) => session.liveness.alive === 'no' && done(),
        // silent: deleted, or not to be read: nothing is left to wait for.
        () => done(),
      );
    }, 1000);
    const timer = setTimeout(done, patience);
    function done(): void {
      clearTimeout(timer);
      clearInterval(unheard);
      leave();
      resolve();
    }
  });
}
