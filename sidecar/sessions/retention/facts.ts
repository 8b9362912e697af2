import { z } from 'zod';

/** Something that a purge removes, with the reason: a whole folder or file, or some files of a folder. */
const purgeItem = z
  .object({
    kind: z.enum(['state', 'samples', 'log', 'cache', 'trash']),
    /** The session or the dataset that it is of. */
    of: z.string(),
    /** Absolute. */
    path: z.string(),
    /** Names in the folder `path`; empty: all of it. */
    files: z.array(z.string()),
    bytes: z.number(),
    /** Since its session ended, its pictures were last trained on, or it was put into the trash. */
    age_days: z.number(),
    /** A sentence. */
    reason: z.string(),
    /** Can it be put back afterwards? A cache is made anew by the next training, and what leaves the trash is gone. */
    undo: z.boolean(),
  })
  .meta({ id: 'PurgeItem' });
export type PurgeItem = z.infer<typeof purgeItem>;

/** What would go, and what was kept back though it is old enough, in words. */
export const purgePlan = z.object({
  days: z.number(),
  items: z.array(purgeItem),
  bytes: z.number(),
  kept: z.array(z.object({ session: z.string(), reason: z.string() })),
});
export type PurgePlan = z.infer<typeof purgePlan>;

/** A line of the record of removals. `entry` is that of the trash; null when it is gone for good. */
export const purgeRecord = purgeItem.omit({ age_days: true, undo: true }).extend({
  at: z.string(),
  by: z.enum(['person', 'nightly', 'full disk']),
  entry: z.string().nullable(),
});
export type PurgeRecord = z.infer<typeof purgeRecord>;
export type PurgedBy = PurgeRecord['by'];

/** What was removed together, and can be put back together. */
export const trashFacts = z.object({
  entry: z.string(),
  removed_at: z.string(),
  bytes: z.number(),
  /** Relative to the outputs. */
  paths: z.array(z.string()),
});
export type TrashFacts = z.infer<typeof trashFacts>;

/** What a purge did: what it removed, and what it left although it was planned, with the reason. */
export const purged = z.object({
  entry: z.string().nullable(),
  items: z.array(purgeItem),
  bytes: z.number(),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type Purged = z.infer<typeof purged>;
