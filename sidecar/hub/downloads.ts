import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { Problem } from '../problem.js';
import { download, WrongContent } from './download.js';
import { type DownloadRecord, readDownloads, writeDownloads } from './downloadRecord.js';
import { type HubAccess, type HubFacts, HubRefusal } from './hub.js';
import { createSpeed, type Speed } from './speed.js';

/** A download as it stands. `waiting`: it goes on by itself after a while; `failed`: somebody has to do something first. */
export type DownloadFacts = Pick<DownloadRecord, 'id' | 'label' | 'repo' | 'status' | 'message' | 'link'> & {
  /** Relative to the models folder. */
  path: string;
  bytes_done: number;
  bytes: number | null;
  bytes_per_second: number | null;
  eta_seconds: number | null;
};

/** What to download: files of one repository into one folder inside the models folder. */
export type DownloadRequest = Pick<DownloadRecord, 'label' | 'repo' | 'revision' | 'parts' | 'into'>;

export type Downloads = {
  /** Takes up what was under way when the sidecar ended. */
  open(): Promise<void>;
  /** Ends the connections; what was downloaded stays. */
  close(): Promise<void>;
  list(): DownloadFacts[];
  /** Throws a Problem when it is under way already or lies there whole. */
  start(wish: DownloadRequest): Promise<DownloadFacts>;
  /** Once more, after it failed. */
  again(id: string): Promise<void>;
  /** Stops it and removes what was downloaded of it, or forgets one that failed. */
  cancel(id: string): Promise<void>;
};

export type DownloadsOptions = {
  /** Absolute: TRACKSIDE_MODELS. */
  models: string;
  hub: HubAccess;
  changed(): void;
  /** After the last file of a download lies there. */
  arrived?(record: DownloadRecord, commit: string | null): Promise<void>;
  /** Seconds before the tries after the first. */
  pauses?: readonly number[];
  silenceMs?: number;
};

const PAUSES = [1, 2, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60];
const AT_ONCE = 2;
const TELL_MS = 500;
const LOST_LOCK = new Error('somebody else took the lock');

type Running = {
  record: DownloadRecord;
  stop: AbortController;
  ended: Promise<void>;
  speed: Speed;
  done: number;
  bytes: number | null;
};

/**
 * Downloads models in the background: two at a time, one at a time a file, each taken up where it ended, after a broken
 * connection as after a restart of the sidecar. What is wanted stands in `downloads.json` in the models folder.
 */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { models, hub } = options;
  const pauses = options.pauses ?? PAUSES;
  const running = new Map<string, Running>();
  const finished: DownloadFacts[] = [];
  let records: DownloadRecord[] = [];
  let loading: Promise<void> | null = null;
  let closed = false;
  let toldAt = 0;

  async function keep(change: () => void): Promise<void> {
    change();
    options.changed();
    // On a full disk the record stays as it was; what is under way goes on by what is known here.
    await writeDownloads(models, records).catch((error: Error) => console.error(`trackside: ${error.message}`));
  }

  /** What was wanted before the sidecar ended, read once, before anything new is written over it. */
  function load(): Promise<void> {
    loading ??= readDownloads(models).then((found) => {
      for (const record of found) if (record.status !== 'failed') record.status = 'queued';
      records = found;
    });
    return loading;
  }

  function tellProgress(): void {
    if (performance.now() - toldAt < TELL_MS) return;
    toldAt = performance.now();
    options.changed();
  }

  function fill(): void {
    if (closed) return;
    const next = records.filter(({ id, status }) => status === 'queued' && !running.has(id));
    for (const record of next.slice(0, Math.max(0, AT_ONCE - running.size))) begin(record);
  }

  function begin(record: DownloadRecord): void {
    const stop = new AbortController();
    const entry: Running = {
      record,
      stop,
      ended: Promise.resolve(),
      speed: createSpeed(),
      done: record.done,
      bytes: null,
    };
    running.set(record.id, entry);
    entry.ended = run(entry)
      .catch((error: unknown) => console.error(error))
      .finally(() => {
        running.delete(record.id);
        record.done = entry.done;
        if (stop.signal.reason === LOST_LOCK) record.status = 'queued';
        options.changed();
        fill();
      });
  }

  async function run(entry: Running): Promise<void> {
    const { record, stop } = entry;
    let tries = 0;
    let wrong = 0;
    while (!stop.signal.aborted) {
      const before = entry.done;
      try {
        const commit = await attempt(entry);
        await options.arrived?.(record, commit);
        await keep(() => {
          records = records.filter((each) => each !== record);
          finished.unshift({ ...factsOf(record), status: 'done', bytes_done: entry.bytes ?? entry.done });
          finished.length = Math.min(finished.length, 20);
        });
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        const refused = error instanceof HubRefusal ? error : unexpected(error);
        if (error instanceof WrongContent) wrong += 1;
        tries = entry.done > before ? 1 : tries + 1;
        const again = refused.again && wrong < 2 && (refused.more.patient || tries <= pauses.length);
        const seconds = Math.min(refused.more.waitSeconds ?? pauses[Math.min(tries, pauses.length) - 1] ?? 60, 600);
        await keep(() => {
          record.status = again ? 'waiting' : 'failed';
          record.message = again ? `${refused.message} It goes on by itself.` : refused.message;
          record.link = refused.more.link ?? null;
        });
        if (!again) return;
        await pause(seconds * 1000, stop.signal);
      }
    }
  }

  /** Every file of a record, one after the other; those that lie there whole are passed over. */
  async function attempt(entry: Running): Promise<string | null> {
    const { record, stop } = entry;
    const folder = join(models, record.into);
    await mkdir(folder, { recursive: true });
    const release = await lock(folder, {
      lockfilePath: join(folder, `.${basename(record.parts[0]?.path ?? record.id)}.lock`),
      stale: 6_000,
      onCompromised: () => stop.abort(LOST_LOCK),
    }).catch(() => {
      throw new HubRefusal('Another Trackside is downloading it.', true, { patient: true });
    });
    let commit: string | null = null;
    try {
      record.status = 'downloading';
      record.message = null;
      record.link = null;
      let before = 0;
      for (const part of record.parts) {
        const path = join(folder, part.path);
        const there = await stat(path).catch(() => null);
        if (!there) commit = (await fetchPart(entry, part, path, before))?.commit ?? commit;
        before += there?.size ?? part.bytes ?? 0;
      }
      return commit;
    } finally {
      await release().catch(() => {});
    }
  }

  async function fetchPart(
    entry: Running,
    part: DownloadRecord['parts'][number],
    path: string,
    before: number,
  ): Promise<HubFacts | null> {
    const { record, speed } = entry;
    try {
      return await download({
        hub,
        wanted: { repo: record.repo, revision: record.revision, file: part.file },
        path,
        etag: part.etag,
        signal: entry.stop.signal,
        ...(options.silenceMs ? { silenceMs: options.silenceMs } : {}),
        began: ({ etag, bytes }) =>
          keep(() => {
            part.etag = etag;
            part.bytes = bytes;
          }),
        progress({ phase, done }) {
          const moved = record.status === phase;
          record.status = phase;
          entry.done = before + done;
          entry.bytes = record.parts.reduce<number | null>(
            (sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes),
            0,
          );
          speed.at(entry.done, phase);
          if (moved) tellProgress();
          else options.changed();
        },
      });
    } catch (error) {
      if (part.optional && error instanceof HubRefusal && error.more.status === 404) return null;
      throw error;
    }
  }

  function factsOf(record: DownloadRecord): DownloadFacts {
    const entry = running.get(record.id);
    const { id, label, repo, status, message, link } = record;
    const bytes =
      entry?.bytes ??
      record.parts.reduce<number | null>(
        (sum, part) => (part.bytes === null || sum === null ? null : sum + part.bytes),
        0,
      );
    const rate = entry && status === 'downloading' ? entry.speed.bytesPerSecond() : null;
    const done = entry?.done ?? record.done;
    return {
      id,
      label,
      repo,
      status,
      message,
      link,
      path: join(record.into, record.parts.length === 1 ? (record.parts[0]?.path ?? '') : ''),
      bytes_done: done,
      bytes,
      bytes_per_second: rate,
      eta_seconds: rate && bytes !== null ? Math.ceil((bytes - done) / rate) : null,
    };
  }

  function forget(id: string): boolean {
    const at = finished.findIndex((each) => each.id === id);
    if (at >= 0) finished.splice(at, 1);
    return at >= 0;
  }

  function find(id: string): DownloadRecord {
    const record = records.find((each) => each.id === id);
    if (!record)
      throw new Problem('not_found', 'There is no such download any more: it ended, or was called off.', {
        about: 'models',
      });
    return record;
  }

  return {
    async open() {
      await load();
      fill();
    },
    async close() {
      closed = true;
      for (const { stop } of running.values()) stop.abort(new Error('closed'));
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    list: () => [...records.map(factsOf), ...finished],
    async start(wish) {
      await load();
      const id = join(wish.into, wish.parts.length === 1 ? (wish.parts[0]?.path ?? '') : '');
      const before = records.find((each) => each.id === id);
      if (before && before.status !== 'failed') {
        throw new Problem('under_way', `${wish.label} is being downloaded already.`, { about: 'models' });
      }
      if (await allThere(models, wish)) {
        throw new Problem('is_there', `${id} is here already. Nothing was downloaded.`, { about: 'models' });
      }
      const record: DownloadRecord = { ...wish, id, status: 'queued', message: null, link: null, done: 0 };
      await keep(() => {
        records = [...records.filter((each) => each.id !== id), record];
        forget(id);
      });
      fill();
      return factsOf(record);
    },
    async again(id) {
      await load();
      const record = find(id);
      if (record.status !== 'failed') return;
      await keep(() => {
        record.status = 'queued';
        record.message = null;
        record.link = null;
      });
      fill();
    },
    async cancel(id) {
      await load();
      if (forget(id)) return options.changed();
      const record = find(id);
      const entry = running.get(id);
      entry?.stop.abort(new Error('called off'));
      await entry?.ended;
      for (const part of record.parts) await rm(join(models, record.into, `${part.path}.incomplete`), { force: true });
      await keep(() => {
        records = records.filter((each) => each !== record);
        // It may have arrived in this very moment.
        forget(id);
      });
      fill();
    },
  };
}

async function allThere(models: string, { into, parts }: DownloadRequest): Promise<boolean> {
  const found = await Promise.all(parts.map((part) => stat(join(models, into, part.path)).catch(() => null)));
  return parts.every((part, i) => part.optional || found[i] !== null);
}

function unexpected(error: unknown): HubRefusal {
  console.error(error);
  return new HubRefusal(`Something unexpected went wrong: ${(error as Error).message}.`, true);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
