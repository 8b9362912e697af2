import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { inFile } from '../../files/inFile.js';
import { lastWhere } from '../../files/lastWhere.js';
import { Lru } from '../../files/lru.js';
import { readAt } from '../../files/readAt.js';
import { log } from '../../log.js';
import { openLog } from '../logTail.js';

/**
 * When the lines of a log arrived, in a file beside it: `<from> <to> <seconds since 1970>` for the lines whose ends lie from
 * byte `from` on and before byte `to`. A line that nobody saw arriving is in none. A later entry replaces those that it
 * overlaps: the log was emptied, or another sidecar saw the same.
 */
export const ARRIVALS = '.times';

type Arrival = { from: number; to: number; at: number };

/** What is new at a look has arrived since the last one; if that is longer ago, nobody knows when. */
const LOOK_LASTS_MS = 3000;
/** So many entries are as fine as a second each, as many more as fine as eleven, and so on: a month takes some megabytes. */
const FINE_ENTRIES = 20_000;
const LARGEST = 16 * 1024 * 1024;
/** Entries that may not have reached the disk yet. */
const RECENT = 8;

/** The logs that are followed: their newest entries, and the end of what was read at the last look. */
const followed = new Map<string, { recent: Arrival[]; seen: number; lookedAt: number }>();

/**
 * Records when the lines of a log arrive.
 *
 * @param begunAt when nothing of it was there yet, in ms since 1970; null where that is not known
 */
export function recordArrivals(path: string, begunAt: number | null) {
  const since = begunAt === null ? Number.NEGATIVE_INFINITY : performance.now() - (Date.now() - begunAt);
  const own = { recent: [] as Arrival[], seen: 0, lookedAt: since };
  followed.set(path, own);
  let entry: Arrival | null = null;
  let entries = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (!entry) return;
    const { from, to, at } = entry;
    entry = null;
    entries += 1;
    writing = writing.then(() => append(`${path}${ARRIVALS}`, `${from} ${to} ${at}\n`));
  }

  return {
    /** Takes new text, which is what the log has from byte `from` to `to`. */
    take(text: string, from: number, to: number): void {
      own.seen = to;
      if (performance.now() - own.lookedAt > LOOK_LASTS_MS || !text.includes('\n')) return;
      const at = Math.floor(Date.now() / 1000);
      const fineness = 1 + 10 * Math.floor(entries / FINE_ENTRIES);
      if (entry && from >= entry.from && at - entry.at < fineness) {
        entry.to = to;
        return;
      }
      write();
      entry = { from, to, at };
      own.recent = [...own.recent.slice(1 - RECENT), entry];
      timer = setTimeout(write, fineness * 1000).unref();
    },
    /** All that was there is taken. */
    looked(): void {
      own.lookedAt = performance.now();
    },
    async close(): Promise<void> {
      write();
      await writing;
      if (followed.get(path) === own) followed.delete(path);
    },
  };
}

async function append(path: string, line: string): Promise<void> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await inFile(open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644), async (file) => {
      const stats = await file.stat();
      if (stats.isFile() && stats.size < LARGEST) await file.appendFile(line);
    });
  } catch (error) {
    log.debug('telemetry', 'The arrival times of some lines of a log could not be saved.', {
      path,
      error,
    });
  }
}

const written = new Lru<{ inode: number; size: number; arrivals: Arrival[] }>(32);

/** Tells when the line arrived whose end is a byte of the log, as ISO 8601; null where nobody saw it, or it has not ended. */
export async function readArrivals(path: string): Promise<(end: number) => string | null> {
  const arrivals = await readWritten(`${path}${ARRIVALS}`);
  const now = followed.get(path);
  return (end) => {
    const holds = (each: Arrival | undefined) => each !== undefined && each.from <= end && end < each.to;
    const recent = now?.recent.findLast(holds);
    const entry = recent ?? arrivals[lastWhere(arrivals, ({ from }) => from <= end)];
    if (entry && holds(entry)) return new Date(entry.at * 1000).toISOString();
    // It came after the last look, which was a moment ago.
    const isNew = now !== undefined && end >= now.seen && performance.now() - now.lookedAt <= LOOK_LASTS_MS;
    return isNew ? new Date(Math.floor(Date.now() / 1000) * 1000).toISOString() : null;
  };
}

/** What is written down, ascending; a call reads what was added. */
async function readWritten(path: string): Promise<Arrival[]> {
  return inFile(openLog(path), async (file) => {
    if (!file) return [];
    const { ino, size } = await file.stat();
    const before = written.get(path);
    const known =
      before && before.inode === ino && before.size <= size ? before : { inode: ino, size: 0, arrivals: [] };
    written.set(path, known);
    const text = (await readAt(file, known.size, Math.min(LARGEST, size - known.size))).toString('latin1');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    known.size += whole.length;
    for (const line of whole.split('\n')) {
      const [from = Number.NaN, to = Number.NaN, at = Number.NaN] = line.split(' ').map(Number);
      if (!(from < to && at > 0 && at < 1e11)) continue;
      while ((known.arrivals.at(-1)?.to ?? 0) > from) known.arrivals.pop();
      known.arrivals.push({ from, to, at });
    }
    return known.arrivals;
  });
}
