import { TRASH_DAYS, type TrashEntry } from '../sessions/versions/trash.js';
import { bytes } from './formatting.js';
import type { PageModel } from './frame.js';

export type TrashModel = PageModel & { entries: TrashEntry[] };

export type TrashView = ReturnType<typeof trashView>;

/** Deleted sessions, to put back or to remove for good. */
export function trashView({ entries, root }: TrashModel) {
  return {
    days: String(TRASH_DAYS),
    rows: entries.map((each) => ({
      ...deletedView(each, root),
      name: each.name,
      deleted: each.deleted_at,
      size: bytes(each.bytes),
      weights: each.weights_bytes > 0 ? `${bytes(each.weights_bytes)} of weights` : '',
      removed: each.removed_at,
    })),
  };
}

/** A deleted session, and the address to which it is posted to be put back. */
export function deletedView({ name, entry, lora_name: lora, version }: TrashEntry, root: string) {
  return {
    title: version === null ? lora : `${lora} V${version}`,
    address: `${root}trash/${encodeURIComponent(name)}/${entry}`,
  };
}
