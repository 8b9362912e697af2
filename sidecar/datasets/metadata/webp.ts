import { orientationOnly, readExif } from './exif.js';
import { bytesIn, type Dissected, isProfile, keep, type Piece } from './pieces.js';
import type { Source } from './source.js';

/** What the header of an extended file announces (WebP container specification, RFC 9649 section 2.7). */
const ANIMATION = 0x02;
const XMP = 0x04;
const EXIF = 0x08;
const ALPHA = 0x10;
const PROFILE = 0x20;
const LONGEST_METADATA = 16_000_000;

/** A chunk: its content begins 8 bytes behind `at`. `next` is the type of the one behind it. */
type Chunk = { type: string; length: number; at: number; end: number; next: string };

/**
 * Takes a WebP apart by its chunks. What stays is what decoders look at: the picture or, where the header announces them, its
 * frames, its transparency and its colour profile. Throws an Error in words where the chunks make no sense.
 */
export async function dissectWebp(source: Source): Promise<Dissected> {
  const riff = Buffer.from(await source.read(0, 12));
  const whole = riff.length < 12 ? 0 : riff.readUInt32LE(4) + 8;
  if (whole === 0 || whole > source.bytes) throw new Error('it ends inside its chunks');
  const pieces: Piece[] = [riff];
  const found = new Set<string>();
  const kept = new Set<string>();
  let orientation = 1;
  let header: Buffer | null = null;
  for await (const chunk of chunksIn(source, 12, whole)) {
    const { type, length, at, end } = chunk;
    const announced: number = header?.[8] ?? 0;
    if (type === 'VP8X' && at === 12 && length >= 10) {
      header = headerOnly(await source.read(at, 18));
      pieces.push(header);
    } else if (type === 'ANMF' && announced & ANIMATION) {
      if (!(await keepFrame(source, chunk, announced, pieces))) found.add('other data');
    } else if (type === 'EXIF' && length < LONGEST_METADATA) {
      const exif = readExif(await source.read(at + 8, length));
      orientation = exif.orientation;
      for (const each of exif.found) found.add(each);
    } else if (!kept.has(type) && (await belongs(source, chunk, announced, kept))) {
      kept.add(type);
      keep(pieces, at, end);
    } else found.add(type === 'XMP ' ? 'XMP' : 'other data');
  }
  if (source.bytes > whole) found.add('data behind the picture');
  if (header) {
    const turned = orientation !== 1;
    if (turned) pieces.push(exifChunk(orientation));
    header[8] = ((header[8] ?? 0) & ~(EXIF | XMP | PROFILE)) | (turned ? EXIF : 0) | (kept.has('ICCP') ? PROFILE : 0);
  }
  riff.writeUInt32LE(bytesIn(pieces) - 8, 4);
  return { orientation, found: [...found], pieces };
}

async function* chunksIn(source: Source, from: number, to: number): AsyncGenerator<Chunk> {
  let before: Chunk | null = null;
  for (let at = from; at + 8 <= to; ) {
    const head = await source.read(at, 8);
    if (head.length < 8) throw new Error('it ends inside its chunks');
    const type = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    const end = Math.min(at + 8 + length + (length % 2), to);
    if (before) yield { ...before, next: type };
    before = { type, length, at, end, next: '' };
    at = end;
  }
  if (before) yield before;
}

/** Its ten bytes, and nothing in those that are reserved. */
function headerOnly(chunk: Buffer): Buffer {
  const header = Buffer.from(chunk);
  header.writeUInt32LE(10, 4);
  return header.fill(0, 9, 12);
}

/** Does a chunk make the picture? `kept` are the types that were kept before it. */
async function belongs(source: Source, chunk: Chunk, announced: number, kept: ReadonlySet<string>): Promise<boolean> {
  const { type, length, at } = chunk;
  if (type === 'ICCP') return (announced & PROFILE) > 0 && isProfile(await source.read(at + 8, Math.min(length, 40)));
  if (type === 'ANIM') return (announced & ANIMATION) > 0 && length === 6;
  return (announced & ANIMATION) === 0 && isImage(chunk, announced, kept);
}

/** One picture, and its transparency directly before it. */
function isImage({ type, next }: Chunk, announced: number, kept: ReadonlySet<string>): boolean {
  if (kept.has('VP8 ') || kept.has('VP8L')) return false;
  if (type === 'ALPH') return (announced & ALPHA) > 0 && next === 'VP8 ';
  return type === 'VP8 ' || type === 'VP8L';
}

/** Keeps a frame of an animation: where it stands, and its picture. False where there was more in it. */
async function keepFrame(source: Source, { at, end }: Chunk, announced: number, pieces: Piece[]): Promise<boolean> {
  const head = Buffer.from(await source.read(at, 24));
  const frame: Piece[] = [];
  const kept = new Set<string>();
  let all = true;
  for await (const chunk of chunksIn(source, at + 24, end)) {
    if (isImage(chunk, announced, kept)) {
      kept.add(chunk.type);
      keep(frame, chunk.at, chunk.end);
    } else all = false;
  }
  head.writeUInt32LE(16 + bytesIn(frame), 4);
  pieces.push(head, ...frame);
  return all;
}

function exifChunk(orientation: number): Buffer {
  const data = orientationOnly(orientation);
  const head = Buffer.from('EXIF\0\0\0\0', 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data]);
}
