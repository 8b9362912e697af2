import { channels } from './channels.js';
import { KINDS, NOTICE_KINDS } from './notice.js';
import type { NoticeStore } from './noticeSettings.js';
import type { Outbox } from './outbox.js';
import type { PingFacts } from './ping.js';

export type NoticeFacts = Awaited<ReturnType<typeof noticeFacts>>;

const MOST_RECENT = 50;

/** How people are told, and of what they were. Of a secret it says only whether there is one. */
export async function noticeFacts(store: NoticeStore, outbox: Outbox, ping: { last(): PingFacts | null }) {
  const now = store.now();
  return {
    channels: await Promise.all(
      channels.map(async ({ id, name, what, fields, missing }) => {
        const set = now.channels[id];
        return {
          id,
          name,
          what,
          on: set?.on ?? false,
          /** Why it can't be used here, in words. */
          missing: (await missing?.()) ?? null,
          fields: fields.map((field) => {
            const value = set?.values[field.name] ?? '';
            return { ...field, set: value !== '', value: field.secret ? null : value };
          }),
        };
      }),
    ),
    kinds: KINDS.map((kind) => ({
      kind,
      label: NOTICE_KINDS[kind].label,
      on: !now.silent.includes(kind),
      wording: now.wording[kind] ?? null,
    })),
    quiet: now.quiet,
    disk_gb: now.disk_gb,
    page: now.page,
    ping: now.ping && { minutes: now.ping.minutes, last: ping.last() },
    recent: outbox.list().slice(0, MOST_RECENT),
  };
}
