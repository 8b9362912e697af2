/** Something that a purge removes, with the reason: a whole folder or file, or some files of a folder. */
export type PurgeItem = {
  kind: 'state' | 'samples' | 'log' | 'cache' | 'trash';
  /** The session or the dataset that it is of. */
  of: string;
  /** Absolute. */
  path: string;
  /** Names in the folder `path`; empty: all of it. */
  files: string[];
  bytes: number;
  /** Since its session ended, its pictures were last trained on, or it was put into the trash. */
  age_days: number;
  /** A sentence. */
  reason: string;
  /** Can it be put back afterwards? A cache is made anew by the next training, and what leaves the trash is gone. */
  undo: boolean;
};

/** What would go, and what was kept back though it is old enough, in words. */
export type PurgePlan = {
  days: number;
  items: PurgeItem[];
  bytes: number;
  kept: { session: string; reason: string }[];
};

/** A line of the record of removals. `entry` is that of the trash; null when it is gone for good. */
export type PurgeRecord = Pick<PurgeItem, 'kind' | 'of' | 'path' | 'files' | 'bytes' | 'reason'> & {
  at: string;
  by: PurgedBy;
  entry: string | null;
};

export type PurgedBy = 'person' | 'nightly' | 'full disk';

/** What was removed together, and can be put back together. */
export type TrashFacts = {
  entry: string;
  removed_at: string;
  bytes: number;
  /** Relative to the outputs. */
  paths: string[];
};

/** What a purge did: what it removed, and what it left although it was planned, with the reason. */
export type Purged = {
  entry: string | null;
  items: PurgeItem[];
  bytes: number;
  skipped: { path: string; reason: string }[];
};
