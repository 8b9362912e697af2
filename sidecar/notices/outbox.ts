import { join } from 'node:path';
import { logged, repeatedly } from '../caught.js';
import { takeLock } from '../files/lock.js';
import { inTurn } from '../files/queue.js';
import { log } from '../log.js';
import { fileOf, type KINDS, type Notice } from './notice.js';
import { channelOf, type NoticeStore } from './noticeSettings.js';
import {
  addEntry,
  type Delivery,
  type OutboxEntry,
  readEntry,
  readOutbox,
  removeEntry,
  writeEntry,
} from './outboxFile.js';
import { isQuiet } from './quietHours.js';
import { sendThrough } from './send.js';
import { Undelivered } from './undelivered.js';

export type Outbox = ReturnType<typeof createOutbox>;

const LOOK_MS = 250;
/** A notice that could not be sent for so long is old. */
const GIVE_UP_MS = 3 * 86_400_000;
/** The record of what was told: as long as something could be told twice. */
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 3_600_000;

/** A channel's last failures. `notBefore` by `performance.now()`. */
type Backoff = { failures: number; notBefore: number };

/**
 * Sends notices, each once to each channel that is on: a file for each in the outbox, made only if there is none of that id,
 * says to which it is still to go. While a channel fails, its oldest notice is tried again after `delays`, and the others
 * wait behind it. A sidecar that is killed between sending and noting it sends that one again, with the same id.
 *
 * @param delays seconds after the first, second, … failure in a row; the last one counts from then on
 */
export function createOutbox(options: {
  folder: string;
  delays: readonly number[];
  store: NoticeStore;
  changed(): void;
  now?: () => Date;
}) {
  const { folder, delays, store, changed, now = () => new Date() } = options;
  const entries = new Map<string, OutboxEntry>();
  const backoffs = new Map<string, Backoff>();
  let swept = Number.NEGATIVE_INFINITY;
  let closed = false;

  function isDue(entry: OutboxEntry, channel: string): boolean {
    if (entry.to[channel]?.state !== 'waiting') return false;
    const { quiet, channels } = store.now();
    if (!channels[channel]?.on) return false;
    const held = quiet && !(quiet.urgent && entry.level === 'bad') && entry.kind !== 'pod' && isQuiet(now(), quiet);
    return !held;
  }

  /** Oldest first. */
  function inOrder(): OutboxEntry[] {
    return [...entries.values()].sort((a, b) => (a.at < b.at ? -1 : 1));
  }

  async function round(): Promise<void> {
    if (performance.now() - swept > SWEEP_MS) await sweep();
    const ready = Object.keys(store.now().channels).filter((channel) => {
      if ((backoffs.get(channel)?.notBefore ?? 0) > performance.now()) return false;
      return [...entries.values()].some((entry) => isDue(entry, channel));
    });
    if (ready.length === 0 || closed) return;
    const release = await takeLock(join(folder, '.sending')).catch((error: NodeJS.ErrnoException) => {
      // Another sidecar of the same person sends.
      if (error.code === 'ELOCKED') return null;
      throw error;
    });
    if (!release) return;
    try {
      await Promise.all(ready.map(sendAll));
    } finally {
      await release();
    }
  }

  /** Sends what waits for a channel, oldest first, until one has to be tried again. */
  async function sendAll(channel: string): Promise<void> {
    for (const entry of inOrder().filter((each) => isDue(each, channel))) {
      if (closed) return;
      const found = await readEntry(folder, fileOf(entry.id));
      // Sent by another sidecar meanwhile.
      if (found?.to[channel] && found.to[channel].state !== 'waiting') entry.to[channel] = found.to[channel];
      else if ((await trySending(entry, channel)) === 'again') return;
    }
  }

  async function trySending(entry: OutboxEntry, channel: string): Promise<'done' | 'again'> {
    const tries = (entry.to[channel]?.tries ?? 0) + 1;
    const tried = { tries, at: now().toISOString() };
    try {
      await sendThrough(channelOf(channel), store.now(), entry);
      backoffs.delete(channel);
      await note(entry, channel, { state: 'sent', ...tried, error: null });
      return 'done';
    } catch (error) {
      const { again, afterSeconds, message } = asUndelivered(error);
      const old = now().getTime() - Date.parse(entry.at) > GIVE_UP_MS;
      log.warn('notices', 'A notice was not delivered.', { channel, kind: entry.kind, tries, why: message });
      await note(entry, channel, { state: again && !old ? 'waiting' : 'failed', ...tried, error: message });
      if (!again) return 'done';
      const failures = (backoffs.get(channel)?.failures ?? 0) + 1;
      const delay = Math.max(afterSeconds, delays[Math.min(failures, delays.length) - 1] ?? 0);
      backoffs.set(channel, { failures, notBefore: performance.now() + delay * 1000 });
      return 'again';
    }
  }

  async function note(entry: OutboxEntry, channel: string, delivery: Delivery): Promise<void> {
    // One after the other: what another channel noted meanwhile would else be written over, and sent again by the next sidecar.
    await inTurn(join(folder, fileOf(entry.id)), async () => {
      const noted = { ...entry, to: { ...entry.to, [channel]: delivery } };
      await writeEntry(folder, noted).catch(logged('notices', 'The outcome of a notice could not be saved.'));
      entry.to[channel] = delivery;
    });
    changed();
  }

  /** Forgets old entries. Those of another sidecar become ours where it is gone. */
  async function sweep(): Promise<void> {
    swept = performance.now();
    for (const entry of await readOutbox(folder)) {
      const isOld = Math.abs(now().getTime() - Date.parse(entry.at)) > KEPT_MS;
      if (isOld) await removeEntry(folder, entry);
      if (isOld) entries.delete(entry.id);
      else if (!entries.has(entry.id)) entries.set(entry.id, entry);
    }
  }

  const looking = repeatedly('notices', LOOK_MS, round);
  return {
    /**
     * Takes a notice over, unless one of the same id was, or its kind is switched off, or nobody would hear it. Resolves to
     * whether it was new.
     */
    async tell(notice: Notice): Promise<boolean> {
      const { channels, silent } = store.now();
      const on = Object.entries(channels).flatMap(([id, { on }]) => (on ? [id] : []));
      if (entries.has(notice.id) || on.length === 0 || silent.includes(notice.kind)) return false;
      const waiting: Delivery = { state: 'waiting', tries: 0, at: null, error: null };
      const entry: OutboxEntry = { ...notice, to: Object.fromEntries(on.map((channel) => [channel, { ...waiting }])) };
      if (!(await addEntry(folder, entry))) return false;
      entries.set(notice.id, entry);
      changed();
      return true;
    },
    /** Sends a test at once. Throws Undelivered. */
    async test(channel: string, notice: Notice): Promise<void> {
      await sendThrough(channelOf(channel), store.now(), notice);
      backoffs.delete(channel);
    },
    /** Tries again what was given up, and what waits. False if there is no such notice. */
    async again(id: string): Promise<boolean> {
      const entry = entries.get(id);
      if (!entry) return false;
      for (const [channel, delivery] of Object.entries(entry.to)) {
        backoffs.delete(channel);
        if (delivery.state === 'failed') await note(entry, channel, { ...delivery, state: 'waiting' });
      }
      return true;
    },
    /** The newest notices first. */
    list: (): OutboxEntry[] => inOrder().reverse(),
    /** The newest notice of a kind. */
    newest: (kind: (typeof KINDS)[number]) => inOrder().findLast((entry) => entry.kind === kind) ?? null,
    async open() {
      await sweep();
      looking.open();
    },
    async close() {
      closed = true;
      looking.close();
      // What is under way is noted.
      await looking.now();
    },
  };
}

function asUndelivered(error: unknown): Undelivered {
  if (error instanceof Undelivered) return error;
  log.error('notices', 'A notice could not be sent.', { error });
  return new Undelivered('Trackside could not send it. Its log says more.', false);
}
