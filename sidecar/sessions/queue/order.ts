import { z } from 'zod';
import { Problem } from '../../problem.js';
import type { Outputs } from '../outputs/outputs.js';
import { updateStateFile } from '../record/stateFile.js';
import type { RawState } from '../record/uiState.js';
import { inQueueOrder } from '../status/queued.js';
import { lastEnded, notQueued } from './enqueue.js';

const flag = z.union([z.boolean(), z.stringbool()], 'Choose true or false.').optional();

/** A change of the queue: of its order, or of one session or all. */
export const queueChange = z.object({
  /** Names in their new order; those that are not named follow in theirs. */
  order: z
    .union([z.array(z.string()), z.string().transform((names) => names.split(','))], 'Send a list of sessions.')
    .optional(),
  /** The session that the rest is about; all without it. */
  session: z.string().optional(),
  move: z.enum(['up', 'down', 'first', 'last'], 'Choose up, down, first or last.').optional(),
  /** True: it waits for a person. False: for its turn, also after its start was refused. */
  held: flag,
  retry_smaller: flag,
});
export type QueueChange = z.infer<typeof queueChange>;

/** Changes the queue. Throws a Problem for a session that is not in it, and without anything to change. */
export async function changeQueue({ outputs }: { outputs: Outputs }, change: QueueChange): Promise<void> {
  const names = inQueueOrder(await outputs.list()).map(({ name }) => name);
  const { session, move, held, retry_smaller: retry } = change;
  for (const name of [...(change.order ?? []), ...(session === undefined ? [] : [session])])
    if (!names.includes(name)) throw notQueued(name);
  if (move && session === undefined) throw new Problem('bad_queue', 'Say which session to move.', { field: 'session' });
  const order = change.order ?? (move && session !== undefined ? moved(names, session, move) : null);
  if (!order && held === undefined && retry === undefined) {
    throw new Problem('bad_queue', 'Nothing to change: send order, or session with move, held or retry_smaller.');
  }
  if (order) await reorder(outputs, [...order, ...names.filter((name) => !order.includes(name))]);
  if (held === undefined && retry === undefined) return;
  for (const name of session === undefined ? names : [session]) {
    await edit(outputs, name, (raw, queue) => {
      if (held !== undefined) queue.held = held;
      if (held === false) Object.assign(queue, { failed: null, after: lastEnded(raw) });
      if (retry !== undefined) raw.retry_smaller = retry;
    });
  }
}

/** A list with one name in another place. Pure. */
export function moved(names: readonly string[], name: string, move: NonNullable<QueueChange['move']>): string[] {
  const at = names.indexOf(name);
  const rest = names.toSpliced(at, 1);
  const to = { up: Math.max(0, at - 1), down: at + 1, first: 0, last: rest.length }[move];
  return rest.toSpliced(to, 0, name);
}

async function reorder(outputs: Outputs, names: readonly string[]): Promise<void> {
  for (const [index, name] of [...new Set(names)].entries())
    await edit(outputs, name, (_, queue) => {
      queue.position = index + 1;
    });
}

/** Changes what the record says of the queue; of one that has left it, nothing. */
async function edit(
  outputs: Outputs,
  name: string,
  change: (raw: RawState, queue: Record<string, unknown>) => void,
): Promise<void> {
  const folder = await outputs.folder(name);
  await updateStateFile(folder, (raw) => {
    if (raw.queue && typeof raw.queue === 'object') change(raw, raw.queue as Record<string, unknown>);
  });
  await outputs.refresh(name);
}
