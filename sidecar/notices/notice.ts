import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What a person is told of, wherever they are. */
export const NOTICE_KINDS = {
  completed: { label: 'A training is complete', level: 'good' },
  failed: { label: 'A training has failed', level: 'bad' },
  interrupted: { label: 'A training was interrupted', level: 'bad' },
  stalled: { label: 'A training makes no progress', level: 'bad' },
  alert: { label: 'A training script calls run.alert()', level: 'plain' },
  queue_empty: { label: 'Nothing is running or waiting any more', level: 'plain' },
  disk_low: { label: 'The disk is nearly full', level: 'bad' },
  gpu_gone: { label: 'A GPU has disappeared', level: 'bad' },
  spending: { label: 'The spending limit is near or reached', level: 'bad' },
  pod: { label: 'The pod is about to stop, or could not be stopped', level: 'bad' },
  test: { label: 'A test', level: 'plain' },
} as const satisfies Record<string, { label: string; level: Level }>;

export type NoticeKind = keyof typeof NOTICE_KINDS;
/** How urgent it is: quiet hours may let `bad` ones pass. */
export type Level = 'good' | 'bad' | 'plain';

/** The kinds that can be switched off, and have a wording of their own. */
export const KINDS = (Object.keys(NOTICE_KINDS) as NoticeKind[]).filter((kind) => kind !== 'test');

/** A link or a request behind a button of the notice. `method` POST acts at once, where the channel can. */
const action = z.object({ label: z.string(), url: z.string(), method: z.enum(['GET', 'POST']) });

export const notice = z.object({
  id: z.string(),
  kind: z.enum(Object.keys(NOTICE_KINDS) as [NoticeKind, ...NoticeKind[]]),
  /** ISO 8601 in UTC. */
  at: z.string(),
  level: z.enum(['good', 'bad', 'plain']),
  title: z.string(),
  text: z.string(),
  session: z.string().nullable(),
  /** The page about it; null where no address is known that others reach. */
  url: z.string().nullable(),
  /** What programs may want of it: loss, step, total_steps, reason_code, … */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  /** Absolute path of a sample picture. */
  picture: z.string().nullable(),
  actions: z.array(action),
});

/** Something to tell. Two with the same `id` are one: it is sent once. */
export type Notice = z.infer<typeof notice>;

/** The name of a notice's file, the same for the same id. */
export function fileOf(id: string): string {
  return `${createHash('sha256').update(id).digest('hex').slice(0, 24)}.json`;
}
