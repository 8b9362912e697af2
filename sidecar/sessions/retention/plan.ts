import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { cachesOf } from '../../datasets/caches.js';
import { allTrash } from '../../datasets/trash.js';
import type { Settings } from '../../settings.js';
import type { SessionFacts } from '../facts.js';
import { datasetsOf } from '../outputs/active.js';
import type { Outputs } from '../outputs/outputs.js';
import type { PurgeItem, PurgePlan } from './facts.js';
import { daysAtRest, daysSince, whyUntouched } from './rules.js';
import { sessionItems } from './sessionItems.js';
import { listTrash, TRASH_DAYS, trashFolder } from './trash.js';

/** The parts of the program that keep house. */
export type Keeping = { settings: Settings; outputs: Outputs };

export type PurgeAsked = {
  /** What is older goes. */
  days: number;
  /** Of this session alone, without caches and trashes; of all without it. */
  session?: string | null;
};

/**
 * All that a purge of this moment would remove, in a fixed order. Changes nothing. Weights are never among it, and nothing of
 * a session that runs, waits or can be resumed.
 */
export async function planPurge(keeping: Keeping, { days, session = null }: PurgeAsked, now: Date): Promise<PurgePlan> {
  const { outputs } = keeping;
  const all = await outputs.list();
  const chosen = session === null ? all : [(await outputs.read(session)).facts];
  const kept: PurgePlan['kept'] = [];
  const items: PurgeItem[] = [];
  const untouched = new Set<string>();
  for (const { name } of [...chosen].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const found = await planSession(keeping, name, days, now);
    items.push(...found.items);
    if (found.untouched === null) continue;
    untouched.add(name);
    if (session !== null || found.old) kept.push({ session: name, reason: found.untouched });
  }
  if (session === null) {
    items.push(...(await cacheItems(keeping, all, untouched, days, now)));
    items.push(...(await trashItems(keeping, all, untouched, days, now)));
  }
  return { days, items, bytes: items.reduce((sum, { bytes }) => sum + bytes, 0), kept };
}

/** What would go of one session as it is now. `untouched`: why nothing may; `old`: though it is old enough. */
export async function planSession({ settings, outputs }: Keeping, name: string, days: number, now: Date) {
  const known = outputs.facts(name);
  // Thousands need not be read whole to see that they are too young.
  if (known && daysAtRest(known, now) < days) return { items: [], untouched: null, old: false };
  const session = await outputs.refresh(name);
  if (!session) return { items: [], untouched: 'It is gone.', old: false };
  const age = daysAtRest(session.facts, now);
  const untouched = whyUntouched(session);
  const old = age >= days;
  if (untouched !== null || !old) return { items: [], untouched, old };
  const keep = { last: settings.keepLast, every: settings.keepEvery };
  return { items: await sessionItems(session, keep, age), untouched, old };
}

/** Caches of pictures on which nothing has trained for long; who may go on with them keeps them. */
async function cacheItems(
  { settings }: Keeping,
  all: readonly SessionFacts[],
  untouched: ReadonlySet<string>,
  days: number,
  now: Date,
): Promise<PurgeItem[]> {
  const names = (await readdir(settings.datasets).catch(ifUnreadable([], 'datasets'))).sort();
  const found = names.map(async (name): Promise<PurgeItem[]> => {
    const users = all.filter((facts) => datasetsOf(facts).includes(join(settings.datasets, name)));
    if (users.some((facts) => untouched.has(facts.name) && facts.status !== 'draft')) return [];
    const caches = await cachesOf(settings.datasets, name);
    if (!caches || caches.files.length === 0) return [];
    const age = Math.min(daysSince(caches.newest, now), ...users.map((facts) => daysAtRest(facts, now)));
    if (age < days) return [];
    const reason = 'Caches of pictures that nothing trains on: the next training makes them again.';
    const { files, bytes } = caches;
    return [
      {
        kind: 'cache',
        of: name,
        path: join(settings.datasets, name),
        files,
        bytes,
        age_days: age,
        reason,
        undo: false,
      },
    ];
  });
  return (await Promise.all(found)).flat();
}

/** What lies in the trash of the outputs for a week, and in that of the datasets for as long as anything else. */
async function trashItems(
  { settings, outputs }: Keeping,
  all: readonly SessionFacts[],
  untouched: ReadonlySet<string>,
  days: number,
  now: Date,
): Promise<PurgeItem[]> {
  const kind = 'trash' as const;
  const own = (await listTrash(outputs.root)).map((each): PurgeItem => {
    const reason = `In the trash for more than ${TRASH_DAYS} days.`;
    const age_days = daysSince(Date.parse(each.removed_at), now);
    const path = join(trashFolder(outputs.root), each.entry);
    return { kind, of: each.entry, path, files: [], bytes: each.bytes, age_days, reason, undo: false };
  });
  const needed = new Set(all.filter(({ name }) => untouched.has(name)).flatMap(datasetsOf));
  const trash = (await allTrash(settings.datasets)).filter(
    ({ dataset }) => !needed.has(join(settings.datasets, dataset)),
  );
  const theirs = trash.map(({ dataset, entry, put_away_at, bytes, path }): PurgeItem => {
    const age_days = daysSince(Date.parse(put_away_at), now);
    const reason = `Pictures or captions of ${dataset} that you replaced or removed.`;
    return { kind, of: `${dataset}/${entry}`, path, files: [], bytes, age_days, reason, undo: false };
  });
  return [
    ...own.filter(({ age_days }) => age_days >= TRASH_DAYS),
    ...theirs.filter(({ age_days }) => age_days >= Math.max(days, TRASH_DAYS)),
  ];
}
