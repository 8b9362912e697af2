import { createHash } from 'node:crypto';

/** What a person is told of, wherever they are. */
export const NOTICE_KINDS = {
  completed: { label: 'A training is complete', level: 'good' },
  failed: { label: 'A training has failed', level: 'bad' },
  interrupted: { label: 'A training was interrupted', level: 'bad' },
  stalled: { label: 'A training makes no progress', level: 'bad' },
  alert: { label: 'A training script calls run.alert()', level: 'plain' },
  queue_empty: { label: 'Nothing runs and nothing waits any more', level: 'plain' },
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
export type NoticeAction = { label: string; url: string; method: 'GET' | 'POST' };

/** Something to tell. Two with the same `id` are one: it is sent once. */
export type Notice = {
  id: string;
  kind: NoticeKind;
  /** ISO 8601 in UTC. */
  at: string;
  level: Level;
  title: string;
  text: string;
  session: string | null;
  /** The page about it; null where no address is known that others reach. */
  url: string | null;
  /** What programs may want of it: loss, step, total_steps, reason_code, … */
  facts: Record<string, string | number | null>;
  /** Absolute path of a sample picture. */
  picture: string | null;
  actions: NoticeAction[];
};

/** The name of a notice's file, the same for the same id. */
export function fileOf(id: string): string {
  return `${createHash('sha256').update(id).digest('hex').slice(0, 24)}.json`;
}
