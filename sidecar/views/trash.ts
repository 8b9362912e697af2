import { TRASH_DAYS, type TrashEntry } from '../sessions/versions/trash.js';
import { bytes } from './formatting.js';
import type { PageModel } from './frame.js';

export type TrashModel = PageModel & { entries: TrashEntry[] };

export type TrashView = ReturnType<typeof trashView>;

/** Deleted sessions, to put back or to remove for good. */
export function trashView({ entries, root }: TrashModel) {
  return {
    days: String(TRASH_DAYS),
    rows: entries.map(({ name, entry, lora_name, version, deleted_at, bytes: all, weights_bytes, removed_at }) => ({
      title: version === null ? lora_name : `${lora_name} V${version}`,
      name,
      deleted: deleted_at,
      size: bytes(all),
      weights: weights_bytes > 0 ? `${bytes(weights_bytes)} of weights` : '',
      removed: removed_at,
      address: `${root}trash/${encodeURIComponent(name)}/${entry}`,
    })),
  };
}
