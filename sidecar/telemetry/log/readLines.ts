import type { FileHandle } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { inFile } from '../../files/inFile.js';
import { lastWhere } from '../../files/lastWhere.js';
import { readAt } from '../../files/readAt.js';
import { readMasked } from '../../security/maskedFile.js';
import { openLog } from '../logTail.js';
import { BLOCK, type LineIndex, type Mark } from './lineIndex.js';

/** One line of a log as a terminal shows it in the end: the last state of a redrawn one, without colours, secrets masked. */
export type LogLine = {
  /** Its number, from 1. */
  n: number;
  /** Where it begins, bytes. */
  offset: number;
  /** Where it ends: its newline stands there, if it has one yet. */
  end: number;
  text: string;
  /** Bytes that are not shown of one that is too long. */
  cut: number;
};

/** A line of which more is written is shown by its end, if it was redrawn, or else by its beginning. */
const LONGEST = 16 * 1024;
/** Of one call: what is asked for beyond comes with the next. */
const MOST_TEXT = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The lines from `from` on, at most `count`, or fewer where they are long. Reads no more than those and what lies up to
 * 256 kB before them. A log that was replaced since it was indexed has none.
 */
export async function readLines(path: string, index: LineIndex, from: number, count: number): Promise<LogLine[]> {
  return inFile(openLog(path), async (file) => {
    if (!file) return [];
    const { ino, size } = await file.stat();
    if (ino !== index.inode || size < index.size) return [];
    const lines: LogLine[] = [];
    let text = 0;
    const before = lastWhere(index.marks, ({ line }) => line <= from);
    for (let at = Math.max(0, before); at < index.marks.length; at += 1) {
      const places = await placesBehind(file, index, at);
      const wanted = places.filter(({ n }) => n >= from && n < from + count && n <= index.lines);
      const part = await readPart(file, wanted);
      for (const place of wanted) {
        const line = await readLine(file, part, place);
        text += line.text.length;
        lines.push(line);
        if (text > MOST_TEXT) return lines;
      }
      if ((places.at(-1)?.n ?? 0) >= from + count - 1) return lines;
    }
    return lines;
  });
}

type Place = { n: number; start: number; end: number };

/** The lines that begin between a mark and the next one; the last of them ends before it. */
async function placesBehind(file: FileHandle, index: LineIndex, at: number): Promise<Place[]> {
  const { line, offset } = index.marks[at] as Mark;
  const end = (index.marks[at + 1]?.offset ?? index.size + 1) - 1;
  const bytes = await readAt(file, offset, Math.min(BLOCK, end - offset));
  const places: Place[] = [];
  let start = 0;
  for (let next = bytes.indexOf(NEWLINE); next >= 0; next = bytes.indexOf(NEWLINE, start)) {
    places.push({ n: line + places.length, start: offset + start, end: offset + next });
    start = next + 1;
  }
  places.push({ n: line + places.length, start: offset + start, end });
  return places;
}

/** Secrets masked, which keeps the length. */
type Part = { offset: number; bytes: Buffer };

async function readPart(file: FileHandle, wanted: readonly Place[]): Promise<Part> {
  const [first, last] = [wanted[0], wanted.at(-1)];
  if (!first || !last) return { offset: 0, bytes: Buffer.alloc(0) };
  const end = last.end - last.start > LONGEST ? last.start : last.end;
  return { offset: first.start, bytes: await readMasked(file, first.start, end) };
}

async function readLine(file: FileHandle, part: Part, { n, start, end }: Place): Promise<LogLine> {
  const length = end - start;
  if (length <= LONGEST) {
    const inside = end - part.offset <= part.bytes.length;
    const bytes = inside
      ? part.bytes.subarray(start - part.offset, end - part.offset)
      : await readMasked(file, start, end);
    return { n, offset: start, end, text: shown(bytes), cut: 0 };
  }
  const last = (await readMasked(file, end - LONGEST, end)).toString('utf8');
  if (last.trimEnd().includes('\r')) return { n, offset: start, end, text: lastRedraw(last), cut: 0 };
  return { n, offset: start, end, text: shown(await readMasked(file, start, start + LONGEST)), cut: length - LONGEST };
}

function shown(bytes: Buffer): string {
  return lastRedraw(bytes.toString('utf8'));
}

/** `a\rb\rc` → `c`; trailing blanks, with which a trainer clears its line, go. */
export function lastRedraw(line: string): string {
  const segments = stripVTControlCharacters(line).split('\r');
  return (segments.findLast((segment) => segment !== '') ?? '').trimEnd();
}
