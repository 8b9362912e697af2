import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ended, ifUnreadable } from '../caught.js';
import { takeLock } from '../files/lock.js';
import { log } from '../log.js';
import { download, WrongContent } from './download.js';
import type { RunningDownload } from './downloadFacts.js';
import { type DownloadRecord, setStatus } from './downloadRecord.js';
import { type HubAccess, type HubFacts, HubRefusal } from './hub.js';

export type RunOptions = {
  /** Absolute: TRACKSIDE_MODELS. */
  models: string;
  hub: HubAccess;
  /** Called after the last file of a download. */
  arrived?(record: DownloadRecord, commit: string | null): Promise<void>;
  /** Seconds before the tries after the first. */
  pauses?: readonly number[];
  silenceMs?: number;
  /** Saves and announces the records. */
  keep(): Promise<void>;
  /** Called for new bytes, perhaps the first of another phase. */
  progressed(newPhase: boolean): void;
};

const PAUSES = [1, 2, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60];
/** Stops a download whose lock another Trackside took. */
export const LOST_LOCK = new Error('somebody else took the lock');

/**
 * Downloads all files of a record, and retries passing failures. Returns whether all of it arrived; if not, it was stopped,
 * or it failed and its record says why.
 */
export async function runDownload(running: RunningDownload, options: RunOptions): Promise<boolean> {
  const { record, stop } = running;
  const pauses = options.pauses ?? PAUSES;
  let tries = 0;
  let wrong = 0;
  while (!stop.signal.aborted) {
    const before = running.done;
    try {
      const commit = await attempt(running, options);
      await options.arrived?.(record, commit);
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      const refused = error instanceof HubRefusal ? error : unexpected(error);
      if (error instanceof WrongContent) wrong += 1;
      tries = running.done > before ? 1 : tries + 1;
      const again = refused.again && wrong < 2 && (refused.more.patient || tries <= pauses.length);
      const seconds = Math.min(refused.more.waitSeconds ?? pauses[Math.min(tries, pauses.length) - 1] ?? 60, 600);
      const message = again ? `${refused.message} We keep trying.` : refused.message;
      setStatus(record, again ? 'waiting' : 'failed', message, refused.more.link);
      await options.keep();
      const about = { download: record.id, error: refused };
      log.info('hub', again ? 'A download will be retried.' : 'A download failed.', about);
      if (!again) return false;
      await ended(wait(seconds * 1000, undefined, { signal: stop.signal, ref: false }));
    }
  }
  return false;
}

/** Downloads the files of a record one after the other, without those that are complete. */
async function attempt(running: RunningDownload, options: RunOptions): Promise<string | null> {
  const { record, stop } = running;
  const folder = join(options.models, record.into);
  await mkdir(folder, { recursive: true });
  const lock = join(folder, `.${basename(record.parts[0]?.path ?? record.id)}.lock`);
  const release = await takeLock(lock, { onLost: () => stop.abort(LOST_LOCK) }).catch(() => {
    throw new HubRefusal('Another Trackside is downloading it.', true, { patient: true });
  });
  let commit: string | null = null;
  try {
    setStatus(record, 'downloading');
    let before = 0;
    for (const part of record.parts) {
      const path = join(folder, part.path);
      const there = await stat(path).catch(ifUnreadable(null, 'hub'));
      if (!there) commit = (await fetchPart(running, part, path, before, options))?.commit ?? commit;
      before += there?.size ?? part.bytes ?? 0;
    }
    return commit;
  } finally {
    await release();
  }
}

async function fetchPart(
  running: RunningDownload,
  part: DownloadRecord['parts'][number],
  path: string,
  before: number,
  options: RunOptions,
): Promise<HubFacts | null> {
  const { record, speed } = running;
  try {
    return await download({
      hub: options.hub,
      wanted: { repo: record.repo, revision: record.revision, file: part.file },
      path,
      etag: part.etag,
      signal: running.stop.signal,
      ...(options.silenceMs ? { silenceMs: options.silenceMs } : {}),
      began({ etag, bytes }) {
        part.etag = etag;
        part.bytes = bytes;
        return options.keep();
      },
      progress({ phase, done }) {
        const newPhase = record.status !== phase;
        setStatus(record, phase);
        running.done = before + done;
        speed.at(running.done, phase);
        options.progressed(newPhase);
      },
    });
  } catch (error) {
    if (part.optional && error instanceof HubRefusal && error.more.status === 404) return null;
    throw error;
  }
}

function unexpected(error: unknown): HubRefusal {
  log.error('hub', 'A download failed unexpectedly.', { error });
  return new HubRefusal(`The download failed: ${(error as Error).message}.`, true);
}
