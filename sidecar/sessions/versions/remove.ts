import { hasCluster } from '../../launchers/slurm/presence.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import type { Settings } from '../../settings.js';
import { lookForRuns } from '../byHand/runs.js';
import type { SessionFacts } from '../facts.js';
import type { Outputs } from '../outputs/outputs.js';
import { withSessionLock } from '../record/lock.js';
import { putSessionAway } from './trash.js';

/** `trash`: where it lies now, relative to the outputs; `kept`: what stays where it was. */
export type Removed = { deleted: string; trash: string; kept: string[] };

/** The parts of the program that this needs. */
export type Removing = { outputs: Outputs; settings: Pick<Settings, 'launcher'> };

/**
 * Deletes a session: its folder goes to the trash with everything in it; the dataset stays. Throws a Problem while it is
 * alive.
 */
export async function removeSession({ outputs, settings }: Removing, name: string): Promise<Removed> {
  // A person may have started one in a terminal a moment ago.
  await lookForRuns({ cluster: hasCluster(settings) });
  const { folder } = await outputs.read(name);
  const removed = await withSessionLock(folder, async () => {
    const { facts, liveness, byHand, pending, job } = await outputs.read(name);
    if (liveness.alive !== 'no' || byHand || (pending && job)) {
      const more = { kept: 'Nothing was deleted.', todo: 'Stop it first.', about: { session: name } };
      throw new Problem('is_alive', pending ? `${name} waits as a job of its cluster.` : `${name} is training.`, more);
    }
    const trash = await putSessionAway(outputs.root, name);
    return { deleted: folder, trash, kept: facts.dataset_path ? [facts.dataset_path] : [] };
  });
  log.info('sessions', 'Deleted, to the trash.', { session: name });
  await outputs.refresh(name);
  return removed;
}

/** Deletes the failed ones of these sessions; returns their names. One that runs again meanwhile stays. */
export async function removeFailed(deps: Removing, versions: readonly SessionFacts[]): Promise<string[]> {
  const deleted: string[] = [];
  for (const { name } of versions.filter(({ status, pinned }) => status === 'failed' && !pinned)) {
    if ((await deps.outputs.read(name)).facts.status !== 'failed') continue;
    await removeSession(deps, name);
    deleted.push(name);
  }
  return deleted;
}
