import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable, logged } from '../caught.js';
import { log } from '../log.js';
import { Problem } from '../problem.js';
import { type DownloadFacts, type DownloadRequest, factsOf, idOf, type RunningDownload } from './downloadFacts.js';
import { type DownloadRecord, readDownloads, setStatus, writeDownloads } from './downloadRecord.js';
import { LOST_LOCK, type RunOptions, runDownload } from './runDownload.js';
import { createSpeed } from './speed.js';

export type Downloads = ReturnType<typeof createDownloads>;

export type DownloadsOptions = Omit<RunOptions, 'keep' | 'progressed'> & { changed(): void };

const AT_ONCE = 2;
const TELL_MS = 500;
const MOST_FINISHED = 20;

type Queue = DownloadsOptions & {
  /** Wanted downloads, in the order of the requests. */
  records: DownloadRecord[];
  running: Map<string, RunningDownload>;
  finished: DownloadFacts[];
  loading: Promise<void> | null;
  closed: boolean;
  toldAt: number;
};

/**
 * Downloads models in the background, two at a time, each file once at a time. Continues each where it ended, after a broken
 * connection and after a restart of the sidecar. `downloads.json` in the models folder lists the wanted ones.
 */
export function createDownloads(options: DownloadsOptions) {
  const empty = { records: [], running: new Map(), finished: [], loading: null, closed: false, toldAt: 0 };
  const queue: Queue = { ...options, ...empty };
  return {
    /** Continues the downloads that were running when the sidecar ended. */
    async open() {
      await load(queue);
      fill(queue);
    },
    /** Ends the connections, and keeps the downloaded bytes. */
    async close() {
      queue.closed = true;
      for (const { stop } of queue.running.values()) stop.abort(new Error('closed'));
      await Promise.all([...queue.running.values()].map(({ ended }) => ended));
    },
    list: (): DownloadFacts[] => [
      ...queue.records.map((record) => factsOf(record, queue.running.get(record.id))),
      ...queue.finished,
    ],
    /** Throws a Problem if it is running already, or complete. */
    start: (request: DownloadRequest): Promise<DownloadFacts> => start(queue, request),
    /** Retries a failed download. */
    async again(id: string) {
      await load(queue);
      const record = find(queue, id);
      if (record.status !== 'failed') return;
      setStatus(record, 'queued');
      await keep(queue);
      fill(queue);
    },
    /** Stops a download and removes its bytes, or forgets a failed one. */
    cancel: (id: string) => cancel(queue, id),
  };
}

/** Reads the downloads of an earlier sidecar once, before writing new ones. */
function load(queue: Queue): Promise<void> {
  queue.loading ??= readDownloads(queue.models).then((found) => {
    for (const record of found) if (record.status !== 'failed') setStatus(record, 'queued');
    queue.records = found;
  });
  return queue.loading;
}

async function start(queue: Queue, request: DownloadRequest): Promise<DownloadFacts> {
  await load(queue);
  const id = idOf(request);
  const before = queue.records.find((each) => each.id === id);
  if (before && before.status !== 'failed')
    throw new Problem('under_way', `${request.label} is already downloading.`, { about: 'models' });
  if (await allThere(queue.models, request))
    throw new Problem('is_there', `${id} is already here.`, { about: 'models' });
  const record: DownloadRecord = { ...request, id, status: 'queued', message: null, link: null, done: 0 };
  queue.records = [...queue.records.filter((each) => each.id !== id), record];
  forget(queue, id);
  log.info('hub', 'A download was requested.', { download: id, repo: request.repo });
  await keep(queue);
  fill(queue);
  return factsOf(record, queue.running.get(id));
}

async function cancel(queue: Queue, id: string): Promise<void> {
  await load(queue);
  if (forget(queue, id)) return queue.changed();
  const record = find(queue, id);
  const running = queue.running.get(id);
  running?.stop.abort(new Error('called off'));
  log.info('hub', 'A download was cancelled.', { download: id });
  await running?.ended;
  for (const { path } of record.parts) await rm(join(queue.models, record.into, `${path}.incomplete`), { force: true });
  queue.records = queue.records.filter((each) => each !== record);
  // It may have arrived just now.
  forget(queue, id);
  await keep(queue);
  fill(queue);
}

function fill(queue: Queue): void {
  if (queue.closed) return;
  const next = queue.records.filter(({ id, status }) => status === 'queued' && !queue.running.has(id));
  for (const record of next.slice(0, Math.max(0, AT_ONCE - queue.running.size))) begin(queue, record);
}

function begin(queue: Queue, record: DownloadRecord): void {
  const stop = new AbortController();
  const running: RunningDownload = { record, stop, ended: Promise.resolve(), speed: createSpeed(), done: record.done };
  queue.running.set(record.id, running);
  const options = { ...queue, keep: () => keep(queue), progressed: (now: boolean) => tell(queue, now) };
  running.ended = runDownload(running, options)
    .then((arrived) => (arrived ? finish(queue, running) : undefined))
    .catch(logged('hub', 'A download ended unexpectedly.'))
    .finally(() => {
      queue.running.delete(record.id);
      record.done = running.done;
      if (stop.signal.reason === LOST_LOCK) setStatus(record, 'queued');
      queue.changed();
      fill(queue);
    });
}

async function finish(queue: Queue, running: RunningDownload): Promise<void> {
  const { record } = running;
  queue.records = queue.records.filter((each) => each !== record);
  const facts = factsOf(record, running);
  log.info('hub', 'A download is complete.', { download: record.id, bytes: running.done });
  queue.finished.unshift({ ...facts, status: 'done', bytes_done: facts.bytes ?? running.done });
  queue.finished.length = Math.min(queue.finished.length, MOST_FINISHED);
  await keep(queue);
}

async function keep(queue: Queue): Promise<void> {
  queue.changed();
  // On a full disk the file stays as it was, and running downloads continue from memory.
  await writeDownloads(queue.models, queue.records).catch(logged('hub', 'The list of downloads could not be written.'));
}

function tell(queue: Queue, now: boolean): void {
  if (!now && performance.now() - queue.toldAt < TELL_MS) return;
  queue.toldAt = performance.now();
  queue.changed();
}

/** Removes a finished download from the list. */
function forget(queue: Queue, id: string): boolean {
  const before = queue.finished.length;
  queue.finished = queue.finished.filter((each) => each.id !== id);
  return queue.finished.length < before;
}

function find(queue: Queue, id: string): DownloadRecord {
  const record = queue.records.find((each) => each.id === id);
  if (record) return record;
  throw new Problem('not_found', 'This download has ended or was cancelled.', { about: 'models' });
}

async function allThere(models: string, { into, parts }: DownloadRequest): Promise<boolean> {
  const paths = parts.filter(({ optional }) => !optional).map(({ path }) => join(models, into, path));
  const found = await Promise.all(paths.map((path) => stat(path).catch(ifUnreadable(null, 'hub'))));
  return found.every((stats) => stats !== null);
}
