import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '../bridge.js';
import { ifUnreadable } from '../caught.js';

/** A runner beats every 2 s; after three missed beats it counts as gone. */
export const { heartbeat: HEARTBEAT_SECONDS, silent: SILENT_SECONDS } = contract.seconds;
const { attempt: ATTEMPT_FILE, beaten_for: BEATEN_FOR } = contract.files;
/** A beat this old at the first look counts as gone; two machines' clocks never differ by that much. */
const LONG_AGO_SECONDS = 60;
/** The most seconds that count between two looks: after more, the machine slept, or the disk did not answer. */
const MOST_SECONDS_A_LOOK = 2;

type Watch = { beat: bigint; lookedAt: number; seconds: number; longAgo: boolean };

/**
 * Seconds without a heartbeat while an attempt was watched: its runner touches `attempt.json`. Measures by our own
 * monotonic clock how long the file's time stays the same; its age means nothing, for clocks differ between machines,
 * and jump. Infinity if it is a minute old at the first look, by the file system's own clock, or if there is no such
 * file.
 */
export function secondsOfSilence(outputFolder: string): number {
  const watch = look(outputFolder);
  return !watch || watch.longAgo ? Number.POSITIVE_INFINITY : watch.seconds;
}

/** The last heartbeat, in nanoseconds, once none has come for long enough while we watched; else null. */
export function lastBeatOfSilent(outputFolder: string): bigint | null {
  const watch = look(outputFolder);
  return watch && watch.seconds >= SILENT_SECONDS ? watch.beat : null;
}

const watched = new Map<string, Watch>();

function look(outputFolder: string): Watch | null {
  const beat = lastBeat(outputFolder);
  if (beat === null) return null;
  const now = performance.now() / 1000;
  const before = watched.get(outputFolder);
  const watch =
    before?.beat === beat
      ? { ...before, lookedAt: now, seconds: before.seconds + Math.min(now - before.lookedAt, MOST_SECONDS_A_LOOK) }
      : { beat, lookedAt: now, seconds: 0, longAgo: !before && isLongAgo(outputFolder, beat) };
  watched.set(outputFolder, watch);
  return watch;
}

/**
 * Beats for a dead runner while its trainer lives: other pods on a shared volume see nothing else. To be called often;
 * touches at most every 2 s. Never throws.
 */
export function beatForRunner(outputFolder: string): void {
  const now = performance.now();
  if (now - (beaten.get(outputFolder) ?? Number.NEGATIVE_INFINITY) < HEARTBEAT_SECONDS * 1000) return;
  beaten.set(outputFolder, now);
  const path = join(outputFolder, BEATEN_FOR);
  try {
    // Written, not set to a time of ours: readers compare with the file system's clock.
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // silent: a full or read-only disk: the next beat tells.
  }
}

const beaten = new Map<string, number>();

/** Does a sidecar, there or here, beat for the runner? Living processes may then hold no lock. */
export function isBeatenFor(outputFolder: string): boolean {
  return stamp(join(outputFolder, BEATEN_FOR)) !== null;
}

function lastBeat(outputFolder: string): bigint | null {
  const own = stamp(join(outputFolder, ATTEMPT_FILE));
  const other = stamp(join(outputFolder, BEATEN_FOR));
  return own !== null && other !== null && other > own ? other : own;
}

/** Opens the file: stat alone may answer with a network file system's cache of a minute ago (nfs(5)). */
function stamp(path: string): bigint | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return ifUnreadable(null, 'launchers')(error);
  }
  try {
    return fstatSync(descriptor, { bigint: true }).mtimeNs;
  } finally {
    closeSync(descriptor);
  }
}

function isLongAgo(outputFolder: string, beat: bigint): boolean {
  return fileSystemNow(outputFolder) - Number(beat / 1_000_000n) >= LONG_AGO_SECONDS * 1000;
}

/** The clock that stamps files in a folder, a file server's or ours, in ms since 1970. */
function fileSystemNow(folder: string): number {
  try {
    const { dev } = statSync(folder);
    const asked = clocks.get(dev);
    const now = performance.now();
    if (asked && now - asked.at < CLOCK_KEPT_MS) return asked.time + now - asked.at;
    const time = stampOfNewFile(folder);
    clocks.set(dev, { time, at: now });
    return time;
  } catch (error) {
    return ifUnreadable(Date.now(), 'launchers')(error);
  }
}

const CLOCK_KEPT_MS = 5000;
const clocks = new Map<number, { time: number; at: number }>();

function stampOfNewFile(folder: string): number {
  const path = join(folder, `.${ATTEMPT_FILE}.${randomBytes(6).toString('hex')}`);
  const descriptor = openSync(path, 'wx');
  try {
    return fstatSync(descriptor).mtimeMs;
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}
