import { existsSync, type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { contract } from '../bridge.js';
import { writeWhole } from '../files/wholeFile.js';
import { readMasked } from '../security/maskedFile.js';
import { type ConsoleEvent, readConsole } from '../trainers/sdOutput/consoleLines.js';
import { openLog } from './logTail.js';
import { advanceProgress, type Beginning, PROGRESS_FILE, readProgress, type StoredProgress } from './progress.js';

export const LOG_FILE = contract.files.log;
const BLOCK = 256 * 1024;
/** For what is written while it is being read. */
const SPARE = 4096;
/** inotify tells at once on a local disk; a network volume says nothing, so look as well. */
const LOOK_MS = 500;
const SAVE_MS = 500;
/** A full disk is tried again after this time. */
const RETRY_MS = 2000;
/** Folders whose newest progress could not be written yet. */
const unsaved = new Map<string, NodeJS.Timeout>();
/** The rate is taken over this much of the past. */
const WINDOW_MS = 30_000;

export type Follower = {
  progress(): StoredProgress;
  /** Keeps in progress.json for how long nothing has moved. */
  keepStillness(still: StoredProgress['still']): void;
  /** Reads what is there by now; resolves when it is accounted for. */
  catchUp(): Promise<void>;
  /** Ends the watching, after one last look, and writes progress.json. */
  close(): Promise<void>;
};

/**
 * Follows an attempt's part of training.log: folds it into the progress, writes progress.json at most twice a second,
 * and hands on every new piece of text with the byte offset at which it begins.
 */
export function followAttempt(options: {
  folder: string;
  beginning: Beginning;
  /** Byte offset of the attempt's first byte; where `progress` has a position, reading goes on from there. */
  logStart: number;
  progress: StoredProgress;
  onProgress(progress: StoredProgress, events: ConsoleEvent[]): void;
  onText(piece: { inode: number; offset: number; text: string }): void;
}): Follower {
  const { folder, beginning } = options;
  const path = join(folder, LOG_FILE);
  let progress = options.progress;
  let offset = resumeOffset(progress) ?? options.logStart;
  let inode = 0;
  const attemptBefore = readProgress(folder)?.attempt ?? null;
  const decoder = new StringDecoder('utf8');
  const clock = createRate();
  let caughtUp = false;
  let closing = false;
  let closed = false;
  let pass: Promise<void> | null = null;
  let nextPass: Promise<void> | null = null;
  let savedAt = 0;
  let saveTimer: NodeJS.Timeout | null = null;
  let dirty = false;
  let saving: Promise<void> | null = null;

  /** Who asks during a pass is answered by the next one, however fast the trainer writes. */
  const look = (): Promise<void> => {
    if (!pass) {
      pass = readNew().finally(() => {
        pass = null;
      });
      return pass;
    }
    nextPass ??= pass
      .catch(() => {})
      .then(() => {
        nextPass = null;
        return look();
      });
    return nextPass;
  };

  async function readNew(): Promise<void> {
    const file = await openLog(path);
    if (!file) return;
    try {
      const { ino, size } = await file.stat();
      inode = ino;
      // Somebody emptied it, to save space: the trainer writes on from its new end.
      offset = Math.min(offset, size);
      const most = Math.min(BLOCK, size - offset + SPARE);
      for (;;) {
        // progress.json keeps the line that has not ended yet, and failures are told in the trainer's words.
        const block = await readMasked(file, offset, offset + most, { hold: !closing });
        if (block.length === 0) break;
        const text = decoder.write(block);
        const begun = offset;
        offset += block.length;
        take(text, begun);
      }
    } finally {
      await file.close();
    }
    // What was written while nobody looked has no time of its own: the rate begins with what comes now.
    caughtUp = true;
  }

  function take(text: string, begun: number): void {
    const { state, events } = readConsole(progress.console, text);
    const now = new Date();
    const steps = events.filter((event) => event.type === 'step');
    const last = steps.at(-1);
    if (last && caughtUp) clock.add(last.step, performance.now());
    progress = {
      ...advanceProgress(progress, state, beginning, clock.secondsPerStep(), now),
      log_position: `${inode}:${offset}`,
    };
    options.onText({ inode, offset: begun, text });
    options.onProgress(progress, events);
    saveSoon();
  }

  function saveSoon(): void {
    dirty = true;
    if (closed || saveTimer) return;
    saveTimer = setTimeout(
      () => {
        saveTimer = null;
        saving = save();
      },
      Math.max(0, savedAt + SAVE_MS - performance.now()),
    );
    saveTimer.unref();
  }

  async function save(): Promise<void> {
    savedAt = performance.now();
    dirty = false;
    // A full disk must not end the watching; the next save comes by itself.
    const content = `${JSON.stringify(progress, null, 1)}\n`;
    await writeWhole(join(folder, PROGRESS_FILE), content).catch(() => {
      clearTimeout(unsaved.get(folder));
      unsaved.set(folder, setTimeout(saveLate, RETRY_MS).unref());
    });
  }

  /** After the end, too: unless another attempt has begun, or another sidecar has read on. */
  async function saveLate(): Promise<void> {
    unsaved.delete(folder);
    const stored = readProgress(folder);
    if (stored && stored.attempt !== progress.attempt && stored.attempt !== attemptBefore) return;
    if (stored?.attempt === progress.attempt && (resumeOffset(stored) ?? 0) >= offset) return;
    if (existsSync(folder)) await save();
  }

  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  const watcher = watchFolder(folder, look);
  void look();

  return {
    progress: () => progress,
    keepStillness(still) {
      progress = { ...progress, still };
      saveSoon();
    },
    catchUp: look,
    async close() {
      clearInterval(timer);
      watcher?.close();
      closing = true;
      await look();
      closed = true;
      if (saveTimer) clearTimeout(saveTimer);
      await saving;
      if (dirty) await save();
    },
  };
}

/** Accounts for what the log holds beyond the stored progress, of an attempt that nobody followed to its end. */
export async function accountForRest(folder: string, beginning: Beginning, logStart: number, progress: StoredProgress) {
  const follower = followAttempt({ folder, beginning, logStart, progress, onProgress() {}, onText() {} });
  await follower.close();
  return follower.progress();
}

/** Seconds a step by our own clock: the trainer's own rate is unreliable (sd-scripts train_network.py:1494). */
export function createRate() {
  let seen: { step: number; at: number }[] = [];
  return {
    add(step: number, at: number): void {
      const last = seen.at(-1);
      if (last && step === last.step) return;
      if (last && step < last.step) seen = [];
      seen.push({ step, at });
      while (seen.length > 2 && at - (seen[0]?.at ?? at) > WINDOW_MS) seen.shift();
    },
    secondsPerStep(): number | null {
      const first = seen[0];
      const last = seen.at(-1);
      if (!first || !last || last.step === first.step) return null;
      return (last.at - first.at) / 1000 / (last.step - first.step);
    },
  };
}

function resumeOffset(progress: StoredProgress): number | null {
  const offset = Number(progress.log_position?.split(':')[1]);
  return progress.log_position && Number.isSafeInteger(offset) ? offset : null;
}

/** Watches the log's folder rather than the log: the log may not be there yet. Null where inotify has no room left. */
function watchFolder(folder: string, look: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, (_, name) => {
      if (name === LOG_FILE) look();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
