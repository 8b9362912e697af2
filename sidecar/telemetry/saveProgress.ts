import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../files/wholeFile.js';
import { log } from '../log.js';
import { offsetOf } from './growingFile.js';
import { PROGRESS_FILE, readProgress, type StoredProgress } from './progress.js';

const SAVE_MS = 500;
/** The wait before a full disk is tried again. */
const RETRY_MS = 2000;
/** Folders whose newest progress could not be written yet. */
const unsaved = new Map<string, NodeJS.Timeout>();

/** Writes the progress of one attempt to progress.json: at most twice a second, and once on close. */
export function createProgressFile(folder: string, progress: () => StoredProgress) {
  const attemptBefore = readProgress(folder)?.attempt ?? null;
  let savedAt = 0;
  let dirty = false;
  let timer: NodeJS.Timeout | null = null;
  let saving: Promise<void> | null = null;
  let closed = false;

  async function save(): Promise<void> {
    savedAt = performance.now();
    dirty = false;
    // A full disk must not end the watching; the next save tries again.
    await writeWhole(join(folder, PROGRESS_FILE), `${JSON.stringify(progress(), null, 1)}\n`).catch(
      (error: unknown) => {
        log.warn('telemetry', 'The progress could not be written; trying again.', { folder, error });
        clearTimeout(unsaved.get(folder));
        unsaved.set(folder, setTimeout(saveLate, RETRY_MS).unref());
      },
    );
  }

  /** Also after the end, unless another attempt has begun, or another sidecar has read further. */
  async function saveLate(): Promise<void> {
    unsaved.delete(folder);
    const stored = readProgress(folder);
    const { attempt, log_position } = progress();
    if (stored && stored.attempt !== attempt && stored.attempt !== attemptBefore) return;
    if (stored?.attempt === attempt && (offsetOf(stored.log_position) ?? 0) >= (offsetOf(log_position) ?? 0)) return;
    if (existsSync(folder)) await save();
  }

  return {
    /** The progress has changed. */
    saveSoon(): void {
      dirty = true;
      if (closed || timer) return;
      const wait = Math.max(0, savedAt + SAVE_MS - performance.now());
      timer = setTimeout(() => {
        timer = null;
        saving = save();
      }, wait).unref();
    },
    async close(): Promise<void> {
      closed = true;
      if (timer) clearTimeout(timer);
      await saving;
      if (dirty) await save();
    },
  };
}
