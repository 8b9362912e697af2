import type { PurgeItem, PurgePlan, PurgeRecord, TrashFacts } from '../sessions/retention/facts.js';
import { TRASH_DAYS } from '../sessions/retention/trash.js';
import { bytes, plural } from './formatting.js';
import type { PageModel } from './frame.js';

export type PurgeModel = PageModel & {
  plan: PurgePlan;
  /** The session that the page is about; null for all of them. */
  session: string | null;
  trash: TrashFacts[];
  /** Newest first. */
  record: PurgeRecord[];
  nightly: { days: number; hour: number };
  /** Absolute path of the outputs, which paths are shown without. */
  outputs: string;
};

export type PurgeView = ReturnType<typeof purgeView>;

const KINDS: Record<PurgeItem['kind'], string> = {
  ...{ state: 'State folder', samples: 'Samples', log: 'Log', cache: 'Caches', trash: 'Trash' },
};
const SHOWN = 50;

export function purgeView({ plan, session, trash, record, nightly, outputs, root }: PurgeModel) {
  const place = (path: string) => (path.startsWith(`${outputs}/`) ? path.slice(outputs.length + 1) : path);
  return {
    address: `${root}purge`,
    session,
    days: plan.days,
    title: session === null ? 'Cleanup' : `Cleanup of ${session}`,
    nightly:
      nightly.days === 0
        ? 'Nothing is removed by itself (TRAINING_RETENTION_DAYS is 0).'
        : `At ${nightly.hour}:00 every night this is done by itself for what is older than ${plural(nightly.days, 'day')}.`,
    count: plural(plan.items.length, 'thing'),
    bytes: bytes(plan.bytes),
    items: plan.items.map((item) => ({
      kind: KINDS[item.kind],
      of: item.of,
      path: place(item.path),
      files: item.files.length > 0 ? plural(item.files.length, 'file') : '',
      bytes: bytes(item.bytes),
      age: plural(Math.floor(item.age_days), 'day'),
      reason: item.reason,
    })),
    kept: plan.kept.slice(0, SHOWN).map(({ session: name, reason }) => ({ name, reason })),
    trashDays: TRASH_DAYS,
    trash: trash.map(({ entry, removed_at, bytes: size, paths }) => ({
      ...{ entry, removed_at, bytes: bytes(size), count: plural(paths.length, 'thing') },
      paths: paths.slice(0, SHOWN),
      more: Math.max(0, paths.length - SHOWN),
      address: `${root}purge/trash/${entry}`,
    })),
    record: record.slice(0, SHOWN).map(({ at, kind, path, bytes: size, reason, by }) => ({
      ...{ at, kind: KINDS[kind], path: place(path), bytes: bytes(size), reason, by },
    })),
  };
}
