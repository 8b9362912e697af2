import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { lookForRuns } from '../byHand/runs.js';
import type { Outputs } from '../outputs/outputs.js';
import { withSessionLock } from '../record/lock.js';

export type Removed = { deleted: string; kept: string[] };

/** Deletes a session's output folder with everything in it; the dataset stays. Throws a Problem while it is alive. */
export async function removeSession({ outputs }: { outputs: Outputs }, name: string): Promise<Removed> {
  // A person may have started one in a terminal a moment ago.
  await lookForRuns();
  const { folder } = await outputs.read(name);
  const aside = join(outputs.root, `.deleting-${randomBytes(6).toString('hex')}`);
  const kept = await withSessionLock(folder, async () => {
    const { facts, liveness, byHand } = await outputs.read(name);
    if (liveness.alive !== 'no' || byHand) {
      const more = { kept: 'Nothing was deleted.', todo: 'Stop it first.', about: { session: name } };
      throw new Problem('is_alive', `${name} is training.`, more);
    }
    // One rename: nobody ever sees half a session.
    await rename(folder, aside);
    return facts.dataset_path ? [facts.dataset_path] : [];
  });
  log.info('sessions', 'Deleted.', { session: name });
  await outputs.refresh(name);
  await rm(aside, { recursive: true, force: true });
  return { deleted: folder, kept };
}
