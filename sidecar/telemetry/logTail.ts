import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ifUnreadable } from '../caught.js';
import { inFile } from '../files/inFile.js';
import { readMasked } from '../security/maskedFile.js';
import { openInside } from '../security/paths.js';

const BLOCK = 64 * 1024;
const MOST = 4 * 1024 * 1024;

export type LogTail = {
  /** The last lines, newest last, secrets masked; of lines redrawn with carriage returns, the last state. */
  text: string;
  /** The end of the file when it was read. */
  inode: number;
  offset: number;
};

/**
 * The last `lines` lines of a log, read from its end: time and memory do not grow with the file (at most 4 MB are
 * read). `from` and `to` limit it to one attempt's bytes. A missing or unreadable file reads as empty: it must not hide
 * the session.
 */
export async function readLogTail(
  path: string,
  lines: number,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): Promise<LogTail> {
  const nothing = { text: '', inode: 0, offset: 0 };
  return inFile(openLog(path), async (file) => {
    if (!file) return nothing;
    const { size, ino } = await file.stat();
    const end = Math.min(size, to);
    let start = end;
    let newlines = 0;
    const blocks: Buffer[] = [];
    while (start > from && newlines <= lines && end - start < MOST) {
      const length = Math.min(BLOCK, start - from);
      const block = await readMasked(file, start - length, start);
      start -= length;
      blocks.unshift(block);
      for (const byte of block) if (byte === 10) newlines += 1;
    }
    const whole = Buffer.concat(blocks).toString('utf8').split('\n');
    // The first line may be cut off, unless the log begins here.
    if (start > from && whole.length > 1) whole.shift();
    const last = whole.at(-1) === '' ? lines + 1 : lines;
    return { text: whole.slice(-last).map(lastRedraw).join('\n'), inode: ino, offset: end };
  });
}

/** Opens a log in a session's folder inside the outputs folder, and nothing else. Null if that fails. */
export function openLog(path: string): Promise<FileHandle | null> {
  return openInside(dirname(dirname(path)), path).catch(ifUnreadable(null, 'telemetry'));
}

/** What passes: the disk does not answer in time, or too many files are open. */
const FOR_NOW = ['disk_silent', 'EMFILE', 'ENFILE', 'EAGAIN', 'ESTALE'];

/** The same, for what is concluded for good: throws where the log may be there, and cannot be read just now. */
export function openEndedLog(path: string): Promise<FileHandle | null> {
  return openInside(dirname(dirname(path)), path).catch((error: NodeJS.ErrnoException) => {
    if (FOR_NOW.includes(String(error.code))) throw error;
    return ifUnreadable(null, 'telemetry')(error);
  });
}

/** `a\rb\rc` → `c`: the line on a terminal, without colours and cursor movements. */
function lastRedraw(line: string): string {
  const segments = stripVTControlCharacters(line).split('\r');
  return segments.findLast((segment) => segment !== '') ?? '';
}
