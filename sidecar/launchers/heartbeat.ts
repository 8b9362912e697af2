import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contract } from '../bridge.js';
import { ifUnreadable } from '../caught.js';

/** A runner beats every 2 s; after three beats missed nobody is believed to be there. */
export const { heartbeat: HEARTBEAT_SECONDS, silent: SILENT_SECONDS } = contract.seconds;
const { attempt: ATTEMPT_FILE, beaten_for: BEATEN_FOR } = contract.files;
/** A first look at a sign of life as old as this finds nobody there; no clocks of two machines differ by that. */
const LONG_AGO_SECONDS = 60;
/** A look that comes later than this saw nothing of the time between: the machine slept, or the disk did not answer. */
const MOST_SECONDS_A_LOOK = 2;

type Watch = { beat: bigint; lookedAt: number; seconds: number; longAgo: boolean };

/**
 * For how many seconds an attempt has given no sign of life while it was watched: its runner touches `attempt.json`. What
 * counts is that the time of the file moves, timed by our own monotonic clock; not how old it is, for clocks differ
 * between machines, and jump. Only where it is a minute old at the first look, both by the clock of the file system, it
 * is not waited for: Infinity. So it is, too, where there is no such file.
 */
export function secondsOfSilence(outputFolder: string): number {
  const watch = look(outputFolder);
  return !watch || watch.longAgo ? Number.POSITIVE_INFINITY : watch.seconds;
}

/** The last sign of life, in nanoseconds, once none has come for long enough while we watched; else null. */
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
 * Gives the sign of life that a dead runner can't give any more, while its trainer lives: other pods on a shared volume
 * have nothing else to go by. To be called often; touches at most every 2 s. Never throws.
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
    // silent: a full or read-only disk: the next beat tells.
  }
}

const beaten = new Map<string, number>();

/** Whether a sidecar, there or here, has to speak for the runner: who lives may then hold no lock. */
export function isBeatenFor(outputFolder: string): boolean {
  return stamp(join(outputFolder, BEATEN_FOR)) !== null;
}

function lastBeat(outputFolder: string): bigint | null {
  const own = stamp(join(outputFolder, ATTEMPT_FILE));
  const other = stamp(join(outputFolder, BEATEN_FOR));
  return own !== null && other !== null && other > own ? other : own;
}

/** Opened, not only asked: stat may answer with what a network file system remembers of a minute ago (nfs(5)). */
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
