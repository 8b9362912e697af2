import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { contract } from '../bridge.js';
import { ended } from '../caught.js';
import { log } from '../log.js';
import type { Beginning, ConsoleEvent, ConsoleReader } from '../trainers/console.js';
import type { SamplingPlan } from '../trainers/dialect.js';
import { offsetOf, type Piece, readGrowing } from './growingFile.js';
import { recordArrivals } from './log/arrivals.js';
import { openEndedLog, openLog } from './logTail.js';
import { advanceProgress, type StoredProgress } from './progress.js';
import { createRate } from './rate.js';
import { createProgressFile } from './saveProgress.js';

export const LOG_FILE = contract.files.log;
/** inotify is quick on a local disk, but silent on a network volume: hence the polling. */
const LOOK_MS = 500;

export type Follower = ReturnType<typeof followAttempt>;

/** An attempt's part of training.log, and the reader of it, or of a file of its dialect. */
export type Followed = {
  folder: string;
  console: ConsoleReader;
  beginning: Beginning;
  /** Byte offset of the attempt's first byte; a position in `progress` comes first. */
  logStart: number;
  /** When the attempt began, in ms since 1970: nothing of it was in the log before. Left out where unknown. */
  begunAt?: number;
  /** When it draws samples; left out where it draws none, or nobody knows. */
  samplings?: SamplingPlan | null;
  progress: StoredProgress;
};

/**
 * Follows an attempt's part of training.log: folds it into the progress, writes progress.json at most twice a second,
 * and passes on every new piece of text with its byte offset.
 */
export function followAttempt(
  options: Followed & {
    onProgress(progress: StoredProgress, events: ConsoleEvent[]): void;
    onText(piece: Piece): void;
    /** The attempt has ended: its log is read once, by `close`, and not watched. */
    ended?: true;
  },
) {
  const { folder, console, beginning } = options;
  let progress = options.progress;
  const open = options.ended ? openEndedLog : openLog;
  const log = readGrowing(join(folder, LOG_FILE), offsetOf(progress.log_position) ?? options.logStart, open);
  const reports =
    console.file === null
      ? null
      : readGrowing(join(folder, console.file), offsetOf(progress.reports_position) ?? 0, open);
  const file = createProgressFile(folder, () => progress);
  const clock = createRate(options.samplings, {
    before: progress.seconds_per_picture,
    elsewhere: progress.picture_elsewhere,
  });
  const arrivals = recordArrivals(join(folder, LOG_FILE), options.begunAt ?? null);
  let caughtUp = false;
  let closing = false;

  const look = onePassAtATime(async () => {
    const hold = () => !closing;
    const isLogThere = await log.readNew(takeText, hold);
    // Older text has no time of its own: the rate begins with new text.
    if (isLogThere) arrivals.looked();
    if (reports ? await reports.readNew(fold, hold) : isLogThere) caughtUp = true;
  });

  function takeText(piece: Piece): void {
    progress = { ...progress, log_position: log.position() };
    arrivals.take(piece.text, piece.offset, log.offset());
    options.onText(piece);
    if (reports) file.saveSoon();
    else fold(piece);
  }

  function fold({ text }: Piece): void {
    const { memory, events } = console.read(progress.dialect, text, progress.attempt ?? '');
    if (caughtUp) tick(events);
    const facts = console.facts(memory, beginning);
    const reports_position = reports?.position() ?? null;
    progress = {
      ...advanceProgress(progress, { facts, events }, clock, new Date()),
      dialect: memory,
      reports_position,
    };
    options.onProgress(progress, events);
    file.saveSoon();
  }

  /** The newest step and the newest samples, in their order. */
  function tick(events: readonly ConsoleEvent[]): void {
    const at = performance.now();
    const step = events.findLast(({ type }) => type === 'step');
    const sampling = events.findLast(({ type }) => type === 'sampling');
    for (const event of events) {
      if (event === step && event.type === 'step') clock.add(event.step, at);
      else if (event === sampling) clock.sampling(at);
    }
  }

  const timer = options.ended ? undefined : setInterval(look, LOOK_MS).unref();
  const watcher = options.ended ? null : watchFolder(folder, [LOG_FILE, console.file ?? LOG_FILE], look);
  if (!options.ended) void look();

  return {
    progress: (): StoredProgress => progress,
    /** Keeps the length of a standstill in progress.json. */
    keepStillness(still: StoredProgress['still']) {
      progress = { ...progress, still };
      file.saveSoon();
    },
    /** Takes note of the memory in use on its fullest GPU, in bytes. */
    keepGpuMemory(bytes: number) {
      if (bytes <= (progress.peak_gpu_memory ?? 0)) return;
      progress = { ...progress, peak_gpu_memory: bytes };
      file.saveSoon();
    },
    /** Reads all text so far; resolves when it is accounted for. */
    catchUp: look,
    /** Ends the watching, after one last look, and writes progress.json. */
    async close() {
      clearInterval(timer);
      watcher?.close();
      closing = true;
      try {
        await look();
      } finally {
        await arrivals.close();
        await file.close();
      }
    },
  };
}

/**
 * Accounts for the log after the stored progress, of an attempt that was not followed to its end. Throws where the disk does
 * not answer just now.
 */
export async function accountForRest(followed: Followed): Promise<StoredProgress> {
  const follower = followAttempt({ ...followed, ended: true, onProgress() {}, onText() {} });
  await follower.close();
  return follower.progress();
}

/** A call during a pass waits for the next pass, which all such calls share, however fast the trainer writes. */
function onePassAtATime(work: () => Promise<void>): () => Promise<void> {
  let pass: Promise<void> | null = null;
  let nextPass: Promise<void> | null = null;
  return function look(): Promise<void> {
    if (!pass) {
      pass = work().finally(() => {
        pass = null;
      });
      return pass;
    }
    nextPass ??= ended(pass).then(() => {
      nextPass = null;
      return look();
    });
    return nextPass;
  };
}

/** Watches the folder rather than its files, which may not exist yet. Null when inotify is at its limit. */
function watchFolder(folder: string, files: readonly string[], look: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, (_, name) => {
      if (name !== null && files.includes(name)) look();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    log.debug('telemetry', 'The log of a session can’t be watched, so it is checked again and again.', {
      folder,
      error,
    });
    return null;
  }
}
