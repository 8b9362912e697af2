import type { FileHandle } from 'node:fs/promises';
import { inFile } from '../../files/inFile.js';
import { Lru } from '../../files/lru.js';
import { semaphore } from '../../files/queue.js';
import { readAt } from '../../files/readAt.js';
import { readMasked } from '../../security/maskedFile.js';
import { openLog } from '../logTail.js';
import { BLOCK, countNewlines } from './lineIndex.js';
import { lastRedraw } from './readLines.js';

/** The lines of a log that hold some words, as they are shown: redrawn, without colours, secrets masked. */
export type Found = {
  /** All of them. */
  matches: number;
  /** Their numbers, ascending; of very many, the first. */
  lines: number[];
  /** Bytes of the log that were searched, and that it has. */
  searched: number;
  bytes: number;
};

/** Numbers that are kept; more matches are counted. */
const MOST = 100_000;
/** Bytes read at once of a line that is longer than a block. */
const LONG_BLOCK = 1024 * 1024;
const NEWLINE = 0x0a;

type Search = Pick<Found, 'matches' | 'lines'> & {
  inode: number;
  /** Whole lines up to here are searched: bytes, and their number. */
  size: number;
  line: number;
  /** No newline stands between `size` and here. */
  unended: number;
  /** Matches of the line behind them, which may still grow. */
  openMatches: boolean;
};

/** One call looks no longer than that; the next one goes on from there. */
const LONGEST_MS = 2000;

const known = new Lru<Search>(24);
/** One search at a time, each in steps of milliseconds: pages are answered meanwhile. */
const inTurn = semaphore(1);

/**
 * Searches a log for text, upper and lower case alike, in bounded memory, for a few seconds at most: the next call for the same
 * text goes on where this one ended, and afterwards reads only what was appended. Rejects with the signal's reason once that is
 * aborted. Null without a readable log.
 */
export async function searchLog(path: string, text: string, signal?: AbortSignal): Promise<Found | null> {
  return inTurn(async () => {
    return inFile(openLog(path), async (file) => {
      if (!file) return null;
      const { ino, size } = await file.stat();
      const key = `${path}\n${text.toLowerCase()}`;
      const before = known.get(key);
      const search = before && before.inode === ino && before.unended <= size ? before : newSearch(ino);
      known.set(key, search);
      const until = performance.now() + LONGEST_MS;
      await searchOn(file, search, needleOf(text), size, () => {
        signal?.throwIfAborted();
        return performance.now() < until;
      });
      const { matches, lines, line, openMatches } = search;
      const sizes = { searched: Math.max(search.size, search.unended), bytes: size };
      if (!openMatches) return { matches, lines, ...sizes };
      return { matches: matches + 1, lines: [...lines, line].slice(0, MOST), ...sizes };
    });
  }, signal);
}

function newSearch(inode: number): Search {
  return { inode, size: 0, unended: 0, line: 1, matches: 0, lines: [], openMatches: false };
}

type Needle = { text: string; decode(bytes: Buffer): string };

/** ASCII is found in the bytes as they are, four times as quick. */
function needleOf(text: string): Needle {
  const lower = text.toLowerCase();
  const encoding = /^[\0-\x7f]*$/.test(lower) ? 'latin1' : 'utf8';
  return { text: lower, decode: (bytes) => bytes.toString(encoding).toLowerCase() };
}

async function searchOn(file: FileHandle, search: Search, needle: Needle, size: number, goesOn: () => boolean) {
  search.openMatches = false;
  while (search.size < size) {
    if (!goesOn()) return;
    const bytes = await readAt(file, search.size, Math.min(BLOCK, size - search.size));
    if (bytes.length === 0) return;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      if (!(await searchLongLine(file, search, needle, size, goesOn))) return;
      continue;
    }
    const whole = bytes.subarray(0, end);
    let at = search.size;
    // Most blocks hold nothing of the kind; the others are masked before they are asked again.
    const text = needle.decode(whole);
    const maybe = text.includes('\u001b') || text.includes(needle.text);
    const lines = countNewlines(whole);
    if (maybe) searchLines(search, needle, needle.decode(await readMasked(file, at, at + end)), lines);
    search.line += lines;
    at += end;
    search.size = at;
  }
}

function searchLines(search: Search, { text }: Needle, block: string, lines: number): void {
  const plain = block.replace(COLOUR, '');
  let line = 0;
  let counted = 0;
  for (let at = plain.indexOf(text); at >= 0; ) {
    for (let next = plain.indexOf('\n', counted); next >= 0 && next < at; next = plain.indexOf('\n', counted)) {
      line += 1;
      counted = next + 1;
    }
    const end = plain.indexOf('\n', at);
    const whole = plain.slice(counted, end < 0 ? plain.length : end);
    if (line < lines && lastRedraw(whole).includes(text)) take(search, search.line + line);
    if (end < 0) return;
    at = plain.indexOf(text, end);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours and cursor movements.
const COLOUR = /\u001b\[[0-9;?]*[A-Za-z]/gi;

function take(search: Search, line: number): void {
  search.matches += 1;
  if (search.lines.length < MOST) search.lines.push(line);
}

/** A line longer than a block, or the last one. False where it has no end yet, or is not read to it. */
async function searchLongLine(
  file: FileHandle,
  search: Search,
  needle: Needle,
  size: number,
  goesOn: () => boolean,
): Promise<boolean> {
  let end = Math.max(search.size, search.unended);
  let ended = false;
  while (end < size && !ended && goesOn()) {
    const bytes = await readAt(file, end, Math.min(LONG_BLOCK, size - end));
    if (bytes.length === 0) break;
    const newline = bytes.indexOf(NEWLINE);
    ended = newline >= 0;
    end += ended ? newline + 1 : bytes.length;
    if (!ended) search.unended = end;
  }
  const matches = lastRedraw(needle.decode(await shownOf(file, search.size, end))).includes(needle.text);
  if (!ended) {
    search.openMatches = matches;
    return false;
  }
  if (matches) take(search, search.line);
  search.size = end;
  search.line += 1;
  return true;
}

/** Of a long line: its last piece, or, where nothing was redrawn in that, its first. */
async function shownOf(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const last = await readMasked(file, Math.max(start, end - BLOCK), end);
  return last.includes(0x0d) ? last : readMasked(file, start, Math.min(end, start + BLOCK));
}
