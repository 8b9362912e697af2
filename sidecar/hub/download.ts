import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { diskErrorCode } from '../files/diskError.js';
import { syncFolder } from '../files/wholeFile.js';
import { collectBlocks } from '../memory.js';
import {
  askHub,
  type HubAccess,
  type HubFacts,
  type HubFile,
  HubRefusal,
  headersFor,
  refusal,
  unreachable,
} from './hub.js';

/** The progress of a download, in bytes. */
export type DownloadProgress = { phase: 'downloading' | 'checking'; done: number; bytes: number | null };

export type DownloadOptions = {
  hub: HubAccess;
  wanted: HubFile;
  /** Absolute; an incomplete file is at `<path>.incomplete`. */
  path: string;
  /** The ETag of the present `.incomplete`, which is deleted if the hub's is another. */
  etag: string | null;
  signal: AbortSignal;
  /** Called once the facts are known, before the first byte. */
  began(facts: HubFacts): Promise<void>;
  progress(progress: DownloadProgress): void;
  /** A connection that is silent for this long counts as broken. */
  silenceMs?: number;
};

/** Left free on the disk for a session that trains meanwhile. */
const SPARE_BYTES = 256 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/**
 * Makes one attempt to download a file, from where the last one ended. On return the complete file is at `path`, with the
 * size and the SHA-256 that the hub promised. Throws a HubRefusal; keeps the downloaded bytes for the next attempt, unless
 * they are wrong.
 */
export async function download(options: DownloadOptions): Promise<HubFacts> {
  const { hub, wanted, path, signal } = options;
  const facts = await askHub(hub, wanted, signal);
  await options.began(facts);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.incomplete`;
  if (facts.etag === null || facts.etag !== options.etag) await rm(partial, { force: true });
  const there = await stat(partial).then(({ size }) => size, ifUnreadable(0, 'hub'));
  await checkRoom(path, facts.bytes, there);
  const file = await open(partial, 'a+');
  try {
    await fetchRest(options, facts, file);
    await checkContent(options, facts, file);
    await file.sync();
  } catch (error) {
    throw inWords(error, path);
  } finally {
    await file.close();
  }
  await rename(partial, path);
  await syncFolder(dirname(path));
  return facts;
}

async function fetchRest(options: DownloadOptions, facts: HubFacts, file: FileHandle): Promise<void> {
  const { hub, wanted, progress } = options;
  let done = (await file.stat()).size;
  if (facts.bytes !== null && done > facts.bytes) {
    await file.truncate(0);
    done = 0;
  }
  progress({ phase: 'downloading', done, bytes: facts.bytes });
  if (done === facts.bytes) return;
  const watch = watchSilence(options);
  try {
    const headers = { 'Accept-Encoding': 'identity', ...headersFor(hub, facts.address) };
    const answer = await fetch(facts.address, {
      signal: watch.signal,
      headers: done > 0 ? { ...headers, Range: `bytes=${done}-` } : headers,
    });
    if (answer.status >= 400) throw refusal(hub, wanted, answer);
    // A server without ranges sends everything again.
    if (done > 0 && !continuesAt(answer, done)) {
      await file.truncate(0);
      done = 0;
    }
    if (!answer.body) throw new HubRefusal('The hub sent an empty answer.', true);
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      watch.heard();
      if (facts.bytes !== null && done + chunk.length > facts.bytes) {
        await file.truncate(0);
        throw new HubRefusal('The hub sent more bytes than the file has, so the download starts over.', true);
      }
      await file.appendFile(chunk);
      done += chunk.length;
      collectBlocks(chunk.length);
      progress({ phase: 'downloading', done, bytes: facts.bytes });
    }
  } catch (error) {
    if (diskErrorCode(error)) throw error;
    if (watch.silent()) throw new HubRefusal('The connection stalled.', true);
    unreachable(hub, error, options.signal);
  } finally {
    watch.end();
  }
  if (facts.bytes !== null && done < facts.bytes) throw new HubRefusal('The connection broke.', true);
}

function continuesAt(answer: Response, done: number): boolean {
  return answer.status === 206 && (answer.headers.get('content-range') ?? '').startsWith(`bytes ${done}-`);
}

/** Checks the file on the disk, not the bytes on the wire; in pieces, so that pages are answered in between. */
async function checkContent({ progress, signal }: DownloadOptions, facts: HubFacts, file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (!facts.sha256) return;
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK);
  for (let at = 0; at < size; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
    progress({ phase: 'checking', done: at, bytes: size });
  }
  if (hash.digest('hex') === facts.sha256) return;
  await file.truncate(0);
  throw new WrongContent();
}

/** The content is not what the hub promised, and was deleted. */
export class WrongContent extends HubRefusal {
  constructor() {
    super('The downloaded file was damaged (wrong SHA-256) and was deleted.', true);
  }
}

async function checkRoom(path: string, bytes: number | null, there: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const missing = (bytes ?? 0) - there + SPARE_BYTES - bavail * bsize;
  if (missing <= 0) return;
  const needed = Math.ceil(missing / 1e9);
  throw new HubRefusal(`Not enough disk space. Free at least ${needed} GB and try again.`, false);
}

function inWords(error: unknown, path: string): unknown {
  const code = diskErrorCode(error);
  const full = 'The disk is full. Free some space and try again; the download continues where it stopped.';
  if (code === 'ENOSPC' || code === 'EDQUOT') return new HubRefusal(full, false);
  return code ? new HubRefusal(`Can't write to ${dirname(path)} (${code}).`, false) : error;
}

/** Ends a silent or cancelled connection. */
function watchSilence({ signal, silenceMs = 60_000 }: DownloadOptions) {
  const own = new AbortController();
  let timer = setTimeout(() => own.abort(), silenceMs);
  return {
    signal: AbortSignal.any([signal, own.signal]),
    silent: () => own.signal.aborted,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(() => own.abort(), silenceMs);
    },
    end: () => clearTimeout(timer),
  };
}
