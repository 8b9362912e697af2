import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ended, logged } from '../caught.js';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { Problem } from '../problem.js';
import { channels } from './channels.js';
import { checkedField } from './checkField.js';
import { KINDS, type NoticeKind } from './notice.js';
import { isZone } from './quietHours.js';
import { type Wording, wordingProblem } from './wording.js';

const kind = z.enum(KINDS as [NoticeKind, ...NoticeKind[]]);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as 22:00');

const schema = z.object({
  /** When the first channel was set up, ISO 8601: what ended before is old. */
  since: z.string().nullable().default(null),
  channels: z.record(z.string(), z.object({ on: z.boolean(), values: z.record(z.string(), z.string()) })).default({}),
  /** Kinds that are not sent. */
  silent: z.array(kind.catch('queue_empty')).default(['queue_empty']),
  wording: z.partialRecord(kind, z.object({ title: z.string().max(200), text: z.string().max(2000) })).default({}),
  quiet: z
    .object({
      from: clock,
      to: clock,
      zone: z.string().refine(isZone, 'a time zone such as Europe/Berlin'),
      urgent: z.boolean(),
    })
    .nullable()
    .default(null),
  /** Gigabytes of free space below which the disk counts as nearly full. */
  disk_gb: z.number().min(0).max(100_000).default(5),
  /** The address that others reach this page at; '' for the pod's, where that is known. */
  page: z.string().max(500).default(''),
  ping: z
    .object({ url: z.string(), minutes: z.number().min(1).max(1440) })
    .nullable()
    .default(null),
});

export type NoticeSettings = z.infer<typeof schema>;
export type NoticeStore = ReturnType<typeof openNoticeSettings>;

const FILE = 'notices.json';
/** Bytes. */
const LARGEST = 200_000;

/**
 * Keeps how people are told in `notices.json`, mode 0600, in the private folder: it holds passwords. `teach` hears every
 * secret in it, so that logs and answers mask it.
 */
export function openNoticeSettings({ folder, teach }: { folder: string; teach(value: string): void }) {
  const path = join(folder, FILE);
  let settings = readJsonNow(path, LARGEST, schema, schema.parse({}), 'notices');
  let writing = Promise.resolve();
  teachAll();

  function teachAll(): void {
    for (const { id, fields } of channels)
      for (const { name, secret } of fields) if (secret) learn(settings.channels[id]?.values[name]);
    learn(settings.ping?.url);
  }

  /** An empty value, or a line of several addresses, is taught line by line. */
  function learn(value: string | undefined): void {
    for (const line of value?.split('\n') ?? []) if (line.trim()) teach(line.trim());
  }

  function change(edit: (now: NoticeSettings) => NoticeSettings): Promise<void> {
    writing = ended(writing).then(async () => {
      const next = schema.parse(edit(structuredClone(settings)));
      await writePrivate(path, `${JSON.stringify(next, null, 2)}\n`);
      await chmod(folder, 0o700).catch(logged('notices', 'The private folder’s permissions could not be restricted.'));
      settings = next;
      teachAll();
    });
    return writing;
  }

  return {
    now: (): NoticeSettings => settings,
    /** Sets a channel up and switches it on. An empty secret keeps the one that is there. Throws a Problem for a wrong value. */
    async setChannel(id: string, typed: Record<string, string>): Promise<void> {
      const { fields } = channelOf(id);
      const before = settings.channels[id]?.values ?? {};
      const values: Record<string, string> = {};
      for (const field of fields) {
        const entered = (typed[field.name] ?? '').trim();
        const value = entered === '' && field.secret ? (before[field.name] ?? '') : entered;
        values[field.name] = checkedField(field, value);
      }
      await change((now) => ({
        ...now,
        since: now.since ?? new Date().toISOString(),
        channels: { ...now.channels, [id]: { on: true, values } },
      }));
    },
    /** Switches a channel off, and forgets its values. */
    removeChannel: (id: string) =>
      change((now) => {
        delete now.channels[channelOf(id).id];
        return now;
      }),
    /** Changes everything else. Throws a Problem for a wrong value. */
    async edit(changes: Partial<Omit<NoticeSettings, 'since' | 'channels'>>): Promise<void> {
      for (const [which, wording] of Object.entries(changes.wording ?? {})) requireWording(which, wording);
      const parsed = schema.partial().safeParse(changes);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const field = issue?.path.map(String).join('_') ?? '';
        throw new Problem('bad_notice', `It must be ${issue?.message}.`, { field });
      }
      await change((now) => ({
        ...now,
        ...changes,
        since: now.since ?? (changes.ping ? new Date().toISOString() : null),
      }));
    },
  };
}

export function channelOf(id: string) {
  const channel = channels.find((each) => each.id === id);
  if (channel) return channel;
  throw new Problem('no_channel', `There are only these channels: ${channels.map((each) => each.id).join(', ')}.`);
}

function requireWording(which: string, wording: Wording): void {
  const problem = wordingProblem(wording);
  if (problem) throw new Problem('bad_notice', problem, { field: `wording_${which}` });
}
