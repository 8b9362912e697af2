import { join } from 'node:path';
import type { DownloadRecord } from './downloadRecord.js';
import type { Speed } from './speed.js';

/** The state of a download. `waiting`: retries by itself; `failed`: a person has to do something first. */
export type DownloadFacts = ReturnType<typeof factsOf>;

/** What to download: files of one repository into one folder inside the models folder. */
export type DownloadRequest = Pick<DownloadRecord, 'label' | 'repo' | 'revision' | 'parts' | 'into'>;

/** A running download, and how to stop it. */
export type RunningDownload = {
  record: DownloadRecord;
  stop: AbortController;
  ended: Promise<void>;
  speed: Speed;
  /** Bytes on the disk. */
  done: number;
};

export function factsOf(record: DownloadRecord, running?: RunningDownload) {
  const { id, label, repo, status, message, link, parts } = record;
  const known = parts.flatMap((part) => part.bytes ?? []);
  const bytes = known.length === parts.length ? known.reduce((sum, each) => sum + each, 0) : null;
  const rate = running && status === 'downloading' ? running.speed.bytesPerSecond() : null;
  const done = running?.done ?? record.done;
  return {
    id,
    label,
    repo,
    status,
    message,
    link,
    /** Relative to the models folder. */
    path: join(record.into, onlyPath(record)),
    bytes_done: done,
    bytes,
    bytes_per_second: rate,
    eta_seconds: rate && bytes !== null ? Math.ceil((bytes - done) / rate) : null,
  };
}

/** The id of a download: the path of its one file, or of its folder, inside the models folder. */
export function idOf(request: DownloadRequest): string {
  return join(request.into, onlyPath(request));
}

function onlyPath({ parts }: Pick<DownloadRequest, 'parts'>): string {
  return parts.length === 1 ? (parts[0]?.path ?? '') : '';
}
