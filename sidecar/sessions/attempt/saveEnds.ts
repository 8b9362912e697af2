import type { ConsoleEvent } from '../../trainers/dialect.js';
import type { Outputs } from '../outputs/outputs.js';
import { saveUnderWay } from '../status/saveUnderWay.js';

/** A save that is in progress may end before the trainer is told to: bounded, for a disk may hang. */
const SAVE_PATIENCE_MS = 60_000;
/** A trainer that has saved all it had to may end by itself. */
const LEAVING_PATIENCE_MS = 10_000;
/** Its state is saved, or, where none was to come, the training goes on. */
const ENDS_OF_A_SAVE = ['state-saved', 'step', 'epoch', 'sampling'] as const;

/**
 * Resolves when what is being saved is whole, or when waiting has been long enough. After the last save nothing is left
 * to be stopped: the trainer is let go by itself.
 */
export async function saveEnds(outputs: Outputs, name: string): Promise<void> {
  await outputs.catchUp(name);
  const session = await outputs.read(name);
  const save = saveUnderWay(session, session.state?.enable_checkpointing ?? false);
  if (save === 'one of many') await heard(outputs, name, ENDS_OF_A_SAVE, SAVE_PATIENCE_MS);
  if (save === 'the last') await heard(outputs, name, ['finished'], SAVE_PATIENCE_MS);
  if (save === 'the last' || save === 'leaving') await heard(outputs, name, [], LEAVING_PATIENCE_MS);
}

/** Resolves when its console says one of these, when it has ended, or after so many milliseconds. */
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
