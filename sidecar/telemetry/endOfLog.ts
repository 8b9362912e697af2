import type { FileHandle } from 'node:fs/promises';
import { inFile } from '../files/inFile.js';
import { readMasked } from '../security/maskedFile.js';
import { openEndedLog } from './logTail.js';

const USUAL = 256 * 1024;
/** To explain more than this at once would hold up everything else for more than a moment. */
const MOST = 1024 * 1024;
/** Around what was found far back, bytes. */
const BEFORE = 64 * 1024;
const AFTER = 512 * 1024;

/** Of the search further back, which takes less than a second: in a log of gigabytes, or on a slow disk, its end has to tell. */
const FURTHEST = 1024 * 1024 * 1024;
const PATIENCE_MS = 3000;

/** What a reason begins with. */
const MARKS = ['Traceback (most recent', 'terminate called', 'Fatal Python error', '.py: error: '];
/** What every failure behind a launcher ends with. */
const LAUNCHERS = /(?:CalledProcessError|ChildFailedError|SignalException)\b/;

/**
 * The part of an attempt's log that may tell why it ended: its last 256 KB, 1 MB where nothing is found in these, and else
 * its end together with the last place further back where something failed, at most 1 GB away. Secrets are masked. Memory is
 * bounded by 8 MB however large the log is. What is missing, or may not be read, reads as empty; throws where the disk does
 * not answer just now, for a reason without the log's last words would stay.
 *
 * @param from where the attempt begins in the log, bytes
 * @param to where it ends
 */
export async function readEndOfLog(path: string, from: number, to: number): Promise<string> {
  return inFile(openEndedLog(path), async (file) => {
    if (!file) return '';
    const end = Math.min((await file.stat()).size, to);
    for (const length of [USUAL, MOST]) {
      const start = Math.max(from, end - length);
      const text = (await readMasked(file, start, end)).toString('utf8');
      if (start === from || mayTell(text)) return text;
    }
    const found = await lastMark(file, Math.max(from, end - FURTHEST), end - MOST);
    const tail = await readMasked(file, end - USUAL, end);
    if (found === null) return tail.toString('utf8');
    const around = await readMasked(file, Math.max(from, found - BEFORE), Math.min(end - USUAL, found + AFTER));
    return `${around.toString('utf8')}\n${tail.toString('utf8')}`;
  });
}

/** Does it hold a failure that is not the launcher's? */
function mayTell(text: string): boolean {
  const marks = MARKS.flatMap((mark) => text.split(mark).slice(1));
  return marks.length > 1 || marks.some((after) => !LAUNCHERS.test(after.slice(0, 20_000)));
}

/** Where the last mark stands, searched from the end in blocks that overlap by the length of one. Null where none was found in time. */
async function lastMark(file: FileHandle, from: number, to: number): Promise<number | null> {
  const block = Buffer.alloc(MOST);
  const begun = performance.now();
  for (let end = to; end > from && performance.now() - begun < PATIENCE_MS; end -= MOST - 64) {
    const start = Math.max(from, end - MOST);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const read = block.subarray(0, bytesRead);
    const last = Math.max(...MARKS.map((mark) => lastOf(read, mark)));
    if (last >= 0) return start + last;
    if (start === from) break;
  }
  return null;
}

/** Forwards, which is some thirty times as quick as Node's own search backwards. */
function lastOf(block: Buffer, mark: string): number {
  let last = -1;
  for (let at = block.indexOf(mark); at >= 0; at = block.indexOf(mark, at + mark.length)) last = at;
  return last;
}
