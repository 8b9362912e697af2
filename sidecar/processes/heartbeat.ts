import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A runner beats every 5 s; after six beats missed nobody is believed to be there. */
export const HEARTBEAT_FRESH_SECONDS = 30;
export const HEARTBEAT_SECONDS = 5;
/** Touched by a sidecar for a runner that died before its trainer did; the next runner removes it. */
const BEATEN_FOR = '.attempt.json.alive';

/**
 * Seconds since an attempt last gave a sign of life: its runner touches `attempt.json`. Only the first look has to
 * compare two times, both by the clock of the file system; afterwards a heartbeat is a change seen, timed by our own
 * monotonic clock. So clocks may differ between machines, and may jump.
 */
export function secondsSinceHeartbeat(outputFolder: string): number {
  const time = lastBeat(outputFolder);
  if (time === null) return Number.POSITIVE_INFINITY;
  const now = performance.now() / 1000;
  const before = heartbeats.get(outputFolder);
  if (before?.time === time) return now - before.at;
  const at = before ? now : now - Math.max(0, (fileSystemNow(outputFolder) - time) / 1000);
  heartbeats.set(outputFolder, { time, at });
  return now - at;
}

const heartbeats = new Map<string, { time: number; at: number }>();

/**
 * Gives the sign of life that a dead runner can't give any more, while its trainer lives: other pods on a shared volume
 * have nothing else to go by. To be called often; touches at most every 5 s. Never throws.
 */
export function beatForRunner(outputFolder: string): void {
  const now = performance.now();
  if (now - (beaten.get(outputFolder) ?? Number.NEGATIVE_INFINITY) < HEARTBEAT_SECONDS * 1000) return;
  beaten.set(outputFolder, now);
  const path = join(outputFolder, BEATEN_FOR);
  try {
    // Written, not given a time of ours: who reads it compares with the file system's clock.
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // A full or read-only disk: the next beat tells.
  }
}

const beaten = new Map<string, number>();

/** Whether a sidecar, there or here, has to speak for the runner: who lives may then hold no lock. */
export function isBeatenFor(outputFolder: string): boolean {
  return mtime(join(outputFolder, BEATEN_FOR)) !== null;
}

function lastBeat(outputFolder: string): number | null {
  const own = mtime(join(outputFolder, 'attempt.json'));
  return own === null ? null : Math.max(own, mtime(join(outputFolder, BEATEN_FOR)) ?? 0);
}

function mtime(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
  } catch {
    return null;
  }
}

/** What the clock says that stamps files in a folder, in ms since 1970: a file server's, or ours. */
function fileSystemNow(folder: string): number {
  try {
    const { dev } = statSync(folder);
    const asked = clocks.get(dev);
    const now = performance.now();
    if (asked && now - asked.at < CLOCK_KEPT_MS) return asked.time + now - asked.at;
    const time = stampOfNewFile(folder);
    clocks.set(dev, { time, at: now });
    return time;
  } catch {
    return Date.now();
  }
}

const CLOCK_KEPT_MS = 5000;
const clocks = new Map<number, { time: number; at: number }>();

function stampOfNewFile(folder: string): number {
  const path = join(folder, `.attempt.json.${randomBytes(6).toString('hex')}`);
  const descriptor = openSync(path, 'wx');
  try {
    return fstatSync(descriptor).mtimeMs;
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}
