import { join } from 'node:path';
import { ifMissing } from '../../caught.js';
import { clearCaches } from '../../datasets/caches.js';
import { removeFromTrash } from '../../datasets/trash.js';
import { takeLock } from '../../files/lock.js';
import { newTrashEntry } from '../../files/trashEntry.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { withSessionLock } from '../record/lock.js';
import type { Purged, PurgedBy, PurgeItem } from './facts.js';
import { type Keeping, type PurgeAsked, planPurge, planSession } from './plan.js';
import { recordPurged } from './record.js';
import { emptyEntry, moveToTrash } from './trash.js';

/**
 * Removes exactly what `planPurge` says at this moment, and records each removal. What a session loses lies in the trash
 * afterwards; caches, and what was in a trash for long enough, are gone. What has changed since the plan, a moment ago, is left
 * and told. Throws a Problem while another purge runs.
 */
export async function purge(keeping: Keeping, asked: PurgeAsked, by: PurgedBy, now: Date): Promise<Purged> {
  const { outputs } = keeping;
  outputs.requireRoot();
  const release = await takeLock(join(outputs.root, '.purge.lock')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOCKED') throw new Problem('under_way', 'Another cleanup is running. Wait for it to end.');
    throw error;
  });
  try {
    const plan = await planPurge(keeping, asked, now);
    const done: Purged = { entry: null, items: [], bytes: 0, skipped: [] };
    // First what is gone for good: on a full disk it makes the room that the rest needs.
    for (const item of plan.items.filter(({ undo }) => !undo)) await removeForGood(keeping, item, done, by, now);
    const sessions = plan.items.filter(({ undo }) => undo);
    const entry = newTrashEntry(now);
    if (sessions.length > 0) done.entry = entry;
    for (const name of new Set(sessions.map(({ of }) => of))) {
      const items = sessions.filter(({ of }) => of === name);
      await purgeSession(keeping, name, items, { done, by, asked, now, entry });
    }
    const { items, bytes } = done;
    log.info('retention', 'Cleaned up.', { by, items: items.length, bytes, skipped: done.skipped.length });
    return done;
  } finally {
    await release();
  }
}

type Under = { done: Purged; by: PurgedBy; asked: PurgeAsked; now: Date; entry: string };

/** Under the session's lock, against what is true then: it may have been resumed a moment ago. */
async function purgeSession(keeping: Keeping, name: string, items: readonly PurgeItem[], under: Under): Promise<void> {
  const { done, by, asked, now, entry } = under;
  const skip = (reason: string) => done.skipped.push(...items.map(({ path }) => ({ path, reason })));
  const { outputs } = keeping;
  const folder = await outputs.folder(name).catch(ifMissing(null));
  if (folder === null) return void skip('The session is gone.');
  try {
    await withSessionLock(folder, async () => {
      const still = (await planSession(keeping, name, asked.days, now)).items;
      for (const item of items) {
        const same = still.find(({ path }) => path === item.path);
        const refused = same ? await moveToTrash(outputs.root, entry, same) : 'It has changed meanwhile.';
        if (refused !== null) done.skipped.push({ path: item.path, reason: refused });
        else await note(keeping, same ?? item, done, by, now, entry);
      }
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    skip(error.message);
  }
  await outputs.refresh(name);
}

async function removeForGood(keeping: Keeping, item: PurgeItem, done: Purged, by: PurgedBy, now: Date): Promise<void> {
  const { settings, outputs } = keeping;
  try {
    if (item.kind === 'cache') await clearCaches(settings.datasets, item.of);
    else if (item.path.startsWith(`${outputs.root}/`)) await emptyEntry(outputs.root, item.of);
    else await removeFromTrash(settings.datasets, item.path);
    await note(keeping, item, done, by, now, null);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    done.skipped.push({ path: item.path, reason: error.message });
  }
}

async function note(
  { outputs }: Keeping,
  item: PurgeItem,
  done: Purged,
  by: PurgedBy,
  now: Date,
  entry: string | null,
): Promise<void> {
  const { kind, of, path, files, bytes, reason } = item;
  await recordPurged(outputs.root, [{ at: now.toISOString(), by, kind, of, path, files, bytes, reason, entry }]);
  done.items.push(item);
  done.bytes += bytes;
}
