import { join } from 'node:path';
import type { DownloadRecord } from './downloadRecord.js';
import type { Speed } from './speed.js';

/** A download as it stands. `waiting`: it goes on by itself after a while; `failed`: somebody has to do something first. */
export type DownloadFacts = ReturnType<typeof factsOf>;

/** What to download: files of one repository into one folder inside the models folder. */
export type DownloadRequest = Pick<DownloadRecord, 'label' | 'repo' | 'revision' | 'parts' | 'into'>;

/** A download that is under way, and how it is ended. */
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
  const bytes = parts.reduce<number | null>(
    (sum, part) => (sum === null || part.bytes === null ? null : sum + part.bytes),
    0,
  );
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

/** What a download is known by: the path of its one file, or of its folder, inside the models folder. */
export function idOf(request: DownloadRequest): string {
  return join(request.into, onlyPath(request));
}

function onlyPath({ parts }: Pick<DownloadRequest, 'parts'>): string {
  return parts.length === 1 ? (parts[0]?.path ?? '') : '';
}
