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

/** What a download tells while it goes on. */
export type DownloadProgress = { phase: 'downloading' | 'checking'; done: number; bytes: number | null };

export type DownloadOptions = {
  hub: HubAccess;
  wanted: HubFile;
  /** Absolute; what is not whole yet lies in `<path>.incomplete`. */
  path: string;
  /** The ETag of what lies in `.incomplete` already; something else there is thrown away. */
  etag: string | null;
  signal: AbortSignal;
  /** Heard once it is known what will be downloaded, before the first byte. */
  began(facts: HubFacts): Promise<void>;
  progress(progress: DownloadProgress): void;
  /** A connection that brings nothing for so long counts as broken. */
  silenceMs?: number;
};

/** Left free on the disk, for the session that trains meanwhile. */
const SPARE_BYTES = 256 * 1024 * 1024;
const CHUNK = 1024 * 1024;

/**
 * One attempt to download a file, from where the last one ended. When it returns, the file is whole, has the size and the
 * SHA-256 that the hub promised, and lies at `path`. Throws a HubRefusal in words; what was downloaded stays for the next
 * attempt, unless it is not what the hub promised.
 */
export async function download(options: DownloadOptions): Promise<HubFacts> {
  const { hub, wanted, path, signal } = options;
  const facts = await askHub(hub, wanted, signal);
  await options.began(facts);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.incomplete`;
  if (facts.etag === null || facts.etag !== options.etag) await rm(partial, { force: true });
  await checkRoom(path, facts.bytes, await sizeOf(partial));
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
    const answer = await fetch(facts.address, {
      signal: watch.signal,
      headers: {
        'Accept-Encoding': 'identity',
        ...headersFor(hub, facts.address),
        ...(done > 0 ? { Range: `bytes=${done}-` } : {}),
      },
    });
    if (answer.status >= 400) throw refusal(hub, wanted, answer);
    // A server that does not know ranges sends everything again.
    if (done > 0 && !continuesAt(answer, done)) {
      await file.truncate(0);
      done = 0;
    }
    if (!answer.body) throw new HubRefusal('The hub sent nothing.', true);
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      watch.heard();
      if (facts.bytes !== null && done + chunk.length > facts.bytes) {
        await file.truncate(0);
        throw new HubRefusal('The hub sent more than the file has: it is downloaded again from the beginning.', true);
      }
      await writeAll(file, chunk);
      done += chunk.length;
      collectBlocks(chunk.length);
      progress({ phase: 'downloading', done, bytes: facts.bytes });
    }
  } catch (error) {
    if (diskErrorCode(error)) throw error;
    if (watch.silent()) throw new HubRefusal('The connection brought nothing any more.', true);
    unreachable(hub, error, options.signal);
  } finally {
    watch.end();
  }
  if (facts.bytes !== null && done < facts.bytes) throw new HubRefusal('The connection was cut.', true);
}

function continuesAt(answer: Response, done: number): boolean {
  return answer.status === 206 && (answer.headers.get('content-range') ?? '').startsWith(`bytes ${done}-`);
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** By what lies on the disk, not by what came through the wire. In pieces, so that pages are answered in between. */
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

/** What came is not what the hub promised; it was thrown away. */
export class WrongContent extends HubRefusal {
  constructor() {
    super('What arrived is not what the hub promised (its SHA-256 differs); it was thrown away.', true);
  }
}

async function checkRoom(path: string, bytes: number | null, there: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const missing = (bytes ?? 0) - there + SPARE_BYTES - bavail * bsize;
  if (missing <= 0) return;
  const needed = Math.ceil(missing / 1e9);
  throw new HubRefusal(`There is too little space for it: free ${needed} GB, or more, and try again.`, false);
}

function inWords(error: unknown, path: string): unknown {
  const code = diskErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new HubRefusal('The disk is full. What was downloaded stays: free some space and try again.', false);
  }
  return code ? new HubRefusal(`${dirname(path)} cannot be written (${code}).`, false) : error;
}

/** Ends a connection that brings nothing, or one that was called off. */
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

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, ifUnreadable(0, 'hub'));
}
