import type { Draft } from '../sessions/drafts/drafts.js';

/** The draft of the form that is shown: of its LoRA, or one that has no name yet. */
export type DraftModel = {
  /** Its key, also where nothing is kept yet. */
  key: string;
  /** What is kept; null where nothing is. */
  draft: Draft | null;
  /** Values that the form begins with beyond the defaults, where nothing is kept: those of `?from=`. */
  start: Record<string, string>;
  /** The key of one that was cleared a moment ago, and can be put back. */
  cleared: string | null;
  /** The other drafts, last changed first. */
  others: Draft[];
};

export type DraftView = ReturnType<typeof draftView>;

/** What the page says of drafts, and what its script begins with. */
export function draftView(
  { key, draft, start, cleared, others }: DraftModel,
  root: string,
  labels: Map<string, string>,
) {
  return {
    key,
    restored: draft && { name: named(draft), at: draft.updated_at },
    /** Where two typed different values into one field. */
    conflicts: Object.entries(draft?.others ?? {}).map(([name, value]) => ({
      name,
      label: labels.get(name) ?? name,
      here: draft?.fields[name] ?? '',
      there: value,
    })),
    undo: cleared && `${root}drafts/${encodeURIComponent(cleared)}/undo`,
    reset: `${root}drafts/${encodeURIComponent(key)}?_method=DELETE`,
    fresh: `${root}new?fresh=1`,
    others: others.map((each) => ({
      name: named(each),
      at: each.updated_at,
      href: `${root}new?${new URLSearchParams({ lora: each.lora })}`,
    })),
    version: draft?.version ?? 0,
    /** The ids of the folded parts that were open. */
    open: draft?.view.open ?? [],
    /** For drafts.js. */
    state: JSON.stringify({
      lora: key,
      version: draft?.version ?? 0,
      fields: draft?.fields ?? start,
      others: draft?.others ?? {},
    }),
  };
}

function named({ fields }: Draft): string {
  return fields.lora_name?.trim() || 'a LoRA without a name';
}
