import { lastWhere } from '../files/lastWhere.js';
import { createSearch, type Search } from './search.js';
import { formsOf } from './secretForms.js';
import { BEGUN, SHAPES, type Shape, type Stretch } from './secretShapes.js';

/**
 * Bytes on either side that decide whether a byte is masked; no secret, with colours in it, is longer. Masking a part with
 * this many bytes around it gives the same result as masking the whole.
 */
export const REACH = 4096;

/**
 * Adds a source of secret values; returns a function that removes it. Each masking asks the source; the same array means no
 * change.
 */
export function hideValues(source: () => readonly string[]): () => void {
  sources.add(source);
  return () => sources.delete(source);
}

/**
 * Overwrites every secret with stars: known values in all their forms, and tokens of known services by their shape. Keeps the
 * length in bytes. Colours within a secret do not hide it.
 *
 * @param cut the text continues beyond its end, so that a possible beginning of a secret is masked too
 */
export function masked(text: Buffer, { cut = false } = {}): Buffer {
  const { search, forms } = known();
  const { plain, parts } = withoutColours(text);
  const found: Stretch[] = [];
  search(plain, (start, needle) => found.push([start, start + (forms[needle]?.length ?? 0)]));
  const shapeAt = shapesIn(plain);
  ANCHORS(plain, (start, anchor) => {
    const stretch = shapeAt(start, anchor);
    if (stretch) found.push(stretch);
  });
  if (cut) found.push(...begunAtEnd(plain, forms));
  if (found.length === 0) return text;
  const result = Buffer.from(text);
  for (const [start, end] of found) strike(result, parts, start, end);
  return result;
}

/** The number of bytes at the end that may be the beginning of a secret. */
export function doubtful(text: Buffer): number {
  const { plain, parts } = withoutColours(text);
  const starts = begunAtEnd(plain, known().forms).map(([start]) => start);
  if (starts.length === 0) return 0;
  const start = Math.min(...starts);
  const part = parts?.[lastWhere(parts, ({ plain }) => plain <= start)];
  return text.length - (part ? start - part.plain + part.text : start);
}

/** The same for a string. Keeps the length in bytes. */
export function maskedText(text: string): string {
  const bytes = Buffer.from(text);
  const result = masked(bytes);
  return result === bytes ? text : result.toString();
}

/** Does the text contain anything to mask? */
export function holdsSecret(text: string): boolean {
  const bytes = Buffer.from(text);
  return masked(bytes) !== bytes;
}

/** The present values to mask. */
export function hiddenValues(): readonly string[] {
  const now = [...new Set([...sources].map((source) => source()))];
  const same = now.length === joined.of.length && now.every((each, at) => each === joined.of[at]);
  if (!same) joined = { of: now, values: now.flat() };
  return joined.values;
}

/** One for each Trackside of this process. */
const sources = new Set<() => readonly string[]>();
let joined: { of: readonly (readonly string[])[]; values: readonly string[] } = { of: [], values: [] };
let last: { of: readonly string[]; forms: Buffer[]; search: Search } | undefined;

function known(): { forms: Buffer[]; search: Search } {
  const now = hiddenValues();
  if (last?.of !== now) {
    const forms = now.flatMap(formsOf).filter(({ length }) => length <= REACH);
    last = { of: now, forms, search: createSearch(forms) };
  }
  return last;
}

const ANCHORED = SHAPES.flatMap(({ anchors }, shape) => anchors.map((anchor) => ({ anchor, shape })));
const ANCHORS = createSearch(ANCHORED.map(({ anchor }) => Buffer.from(anchor)));

/** The secret of a shape behind an anchor, or null. */
function shapesIn(plain: Buffer): (start: number, anchor: number) => Stretch | null {
  let text: string | null = null;
  const finders: ReturnType<Shape['in']>[] = [];
  return (start, number) => {
    const { anchor, shape } = ANCHORED[number] as (typeof ANCHORED)[number];
    text ??= plain.toString('latin1');
    finders[shape] ??= (SHAPES[shape] as Shape).in(text);
    return finders[shape]([start, start + anchor.length]);
  };
}

const SHORTEST_BEGINNING = 4;

function begunAtEnd(plain: Buffer, forms: readonly Buffer[]): Stretch[] {
  const end = plain.length;
  const found: Stretch[] = [];
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, end); length >= SHORTEST_BEGINNING; length -= 1) {
      if (plain[end - length] !== form[0] || form.compare(plain, end - length, end, 0, length) !== 0) continue;
      found.push([end - length, end]);
      break;
    }
  }
  // No shape continues in the next line.
  const from = Math.max(0, end - REACH, plain.lastIndexOf(NEWLINE) + 1);
  const begun = BEGUN.exec(plain.toString('latin1', from, end))
    ?.indices?.slice(1)
    .find(Boolean);
  if (begun) found.push([from + begun[0], end]);
  return found;
}

const NEWLINE = 0x0a;
const ESCAPE = 0x1b;
const BRACKET = 0x5b;

/** The text without `ESC [ … letter`, and the places of its parts; null if nothing was removed. */
function withoutColours(text: Buffer): { plain: Buffer; parts: Part[] | null } {
  if (!text.includes(ESCAPE)) return { plain: text, parts: null };
  const plain = Buffer.allocUnsafe(text.length);
  const parts: Part[] = [];
  let length = 0;
  let begun = 0;
  const take = (end: number) => {
    if (end === begun) return;
    parts.push({ plain: length, text: begun });
    length += text.copy(plain, length, begun, end);
  };
  for (let at = text.indexOf(ESCAPE); at >= 0; ) {
    const end = sequenceEnd(text, at);
    if (end > at) {
      take(at);
      begun = end;
    }
    at = text.indexOf(ESCAPE, Math.max(end, at + 1));
  }
  take(text.length);
  return { plain: plain.subarray(0, length), parts };
}

/** Start of a part, in the plain text and in the original. */
type Part = { plain: number; text: number };

/** The end of the sequence that begins at `at`; `at` if none does. */
function sequenceEnd(text: Buffer, at: number): number {
  if (text[at + 1] !== BRACKET) return at;
  let end = at + 2;
  while (end < text.length && end < at + 32 && isParameter(text[end] as number)) end += 1;
  const final = text[end] ?? 0;
  return (final >= 0x41 && final <= 0x5a) || (final >= 0x61 && final <= 0x7a) ? end + 1 : at;
}

/** Digits, `;` and `?`. */
function isParameter(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x3b) || byte === 0x3f;
}

function strike(text: Buffer, parts: Part[] | null, start: number, end: number): void {
  if (!parts) {
    text.fill(STAR, start, end);
    return;
  }
  const pieces: Stretch[] = [];
  for (let at = lastWhere(parts, ({ plain }) => plain <= start), from = start; from < end; at += 1) {
    const part = parts[at] as Part;
    const to = Math.min(end, parts[at + 1]?.plain ?? end);
    pieces.push([from - part.plain + part.text, to - part.plain + part.text]);
    from = to;
  }
  if ((pieces.at(-1)?.[1] ?? 0) - (pieces[0]?.[0] ?? 0) > REACH) return;
  for (const [from, to] of pieces) text.fill(STAR, from, to);
}

const STAR = 0x2a;
