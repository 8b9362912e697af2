import type { FileHandle } from 'node:fs/promises';
import { inFile } from '../../files/inFile.js';
import { lastWhere } from '../../files/lastWhere.js';
import { Lru } from '../../files/lru.js';
import { semaphore } from '../../files/queue.js';
import { readAt } from '../../files/readAt.js';
import { openLog } from '../logTail.js';
import { findLandmarks, type Landmarks } from './landmarks.js';

/** Where the lines of a log begin, and what stands out in it. Lines count from 1, and end with a newline. */
export type LineIndex = {
  inode: number;
  /** Bytes that were read. */
  size: number;
  /** The last one may be unfinished. */
  lines: number;
  /** Where the last line begins that has no end yet, or the next one will. */
  open: number;
  /** A line every 256 kB, ascending: the first that begins there. */
  marks: Mark[];
  landmarks: Landmarks;
};

/** Line `line` begins at byte `offset`. */
export type Mark = { line: number; offset: number };

/** Bytes read at once, and between two marks. Some tenths of a millisecond for the event loop. */
export const BLOCK = 256 * 1024;
/** A landmark may stand across two blocks. */
const OVERLAP = 64;
const NEWLINE = 0x0a;

/** 1 GB of log has 4,000 marks: some 200 kB. */
const known = new Lru<{ index: LineIndex; reading: Promise<unknown> }>(32);
/** The disk and the processor are shared: one after the other. */
const inTurn = semaphore(2);

/**
 * The index of a log, read on to its present end: 1 GB takes some two seconds at first, afterwards a call costs what was
 * appended. Null without a readable log.
 */
export async function indexLog(path: string): Promise<LineIndex | null> {
  const kept = known.get(path) ?? { index: newIndex(0), reading: Promise.resolve() };
  known.set(path, kept);
  const reading = kept.reading.then(() => inTurn(() => readOn(path, kept)));
  // silent: the caller gets the error; the next call reads on from what is known.
  kept.reading = reading.catch(() => {});
  return (await reading) ? kept.index : null;
}

/** The bytes of a log that are not indexed yet: whether `indexLog` will take long. */
export function unindexed(path: string, size: number): number {
  return size - (known.get(path)?.index.size ?? 0);
}

async function readOn(path: string, kept: { index: LineIndex }): Promise<boolean> {
  return inFile(openLog(path), async (file) => {
    if (!file) return false;
    const { ino, size } = await file.stat();
    if (ino !== kept.index.inode || size < kept.index.size) kept.index = newIndex(ino);
    while (kept.index.size < size) if (!(await readBlock(file, kept.index, size))) break;
    return true;
  });
}

function newIndex(inode: number): LineIndex {
  const landmarks = { errors: [], warnings: [], errorCount: 0, warningCount: 0 };
  return { inode, size: 0, lines: 0, open: 0, marks: [{ line: 1, offset: 0 }], landmarks };
}

async function readBlock(file: FileHandle, index: LineIndex, size: number): Promise<boolean> {
  const from = Math.max(0, index.size - OVERLAP);
  const read = await readAt(file, from, Math.min(BLOCK, size - index.size) + (index.size - from));
  const fresh = read.subarray(index.size - from);
  if (fresh.length === 0) return false;
  // A line that has not ended counts already.
  const first = index.lines + (index.size > index.open ? 0 : 1);
  findLandmarks(index.landmarks, read, index.size - from, lineCounter(fresh, first));
  let line = first;
  for (let at = fresh.indexOf(NEWLINE); at >= 0; at = fresh.indexOf(NEWLINE, at + 1)) {
    line += 1;
    index.open = index.size + at + 1;
    const last = index.marks.at(-1);
    if (last && index.open >= last.offset + BLOCK) index.marks.push({ line, offset: index.open });
  }
  index.size += fresh.length;
  index.lines = index.size > index.open ? line : line - 1;
  return true;
}

/** Tells the lines of ascending places in one pass. */
function lineCounter(bytes: Buffer, first: number): (at: number) => number {
  let line = first;
  let next = bytes.indexOf(NEWLINE);
  return (at) => {
    for (; next >= 0 && next < at; next = bytes.indexOf(NEWLINE, next + 1)) line += 1;
    return line;
  };
}

export function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** The line in which a byte stands. */
export async function lineAt(file: FileHandle, index: LineIndex, offset: number): Promise<number> {
  const mark = index.marks[lastWhere(index.marks, (each) => each.offset <= offset)] as Mark;
  const bytes = await readAt(file, mark.offset, Math.min(BLOCK, Math.max(0, offset - mark.offset)));
  return Math.min(mark.line + countNewlines(bytes), Math.max(1, index.lines));
}
