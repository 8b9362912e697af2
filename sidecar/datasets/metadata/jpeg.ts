import { orientationOnly, readExif } from './exif.js';
import { type Dissected, isProfile, keep } from './pieces.js';
import { type Source, WINDOW } from './source.js';

/**
 * Takes a JPEG apart by its markers (ITU-T T.81 annex B). What decodes the pixels stays byte for byte: tables, scans, the
 * colour profile (APP2), and what JFIF (APP0) and Adobe (APP14) say of its colours. `toEnd` reads the scans too and finds what
 * lies behind the picture, such as the film of a motion photo. Throws an Error in words where the markers make no sense.
 */
export async function dissectJpeg(source: Source, toEnd: boolean): Promise<Dissected> {
  const result: Dissected = { orientation: 1, found: [], pieces: [{ from: 0, to: 2 }] };
  const found = new Set<string>();
  const look = { orientation: 1, profileParts: 0 };
  /** Where an EXIF block of our own belongs: behind the first segments that may come before it. */
  let insertAt: number | null = null;
  let at = 2;
  for (;;) {
    const head = await source.read(at, 4);
    if (head.length < 2 || head[0] !== 0xff) throw new Error('its markers are damaged');
    const marker = head[1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker !== 0xe0 && insertAt === null) insertAt = result.pieces.push(Buffer.alloc(0)) - 1;
    if (marker === 0xd9) {
      keep(result.pieces, at, at + 2);
      if (toEnd && source.bytes > at + 2) found.add('data behind the picture');
      break;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      keep(result.pieces, at, at + 2);
      at += 2;
      continue;
    }
    if (head.length < 4) throw new Error('it ends inside its header');
    const end = at + 2 + head.readUInt16BE(2);
    if (end < at + 4) throw new Error('its markers are damaged');
    if (PIXELS.has(marker)) keep(result.pieces, at, end);
    else {
      const { stays, words } = judge(marker, await source.read(at + 4, end - at - 4), look);
      if (Buffer.isBuffer(stays)) result.pieces.push(stays);
      else if (stays) keep(result.pieces, at, end);
      for (const word of words) found.add(word);
    }
    at = end;
    if (marker === 0xda) {
      if (!toEnd) break;
      at = await endOfScan(source, end);
      keep(result.pieces, end, at);
    }
  }
  const { orientation } = look;
  if (orientation !== 1 && insertAt !== null) result.pieces[insertAt] = exifSegment(orientation);
  return { ...result, orientation, found: [...found] };
}

/** Frames, tables, restart intervals and scans. */
const PIXELS = new Set([
  ...[0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf],
  ...[0xc4, 0xcc, 0xdb, 0xdd, 0xda],
]);

/** What stays of a segment beside the pixels: all, other bytes, or nothing; and what it tells that is private. */
type Judged = { stays: boolean | Buffer; words: string[] };

function judge(marker: number, data: Buffer, look: { orientation: number; profileParts: number }): Judged {
  const name = data.toString('latin1', 0, 32);
  if (marker === 0xe0 && name.startsWith('JFIF\0') && data.length >= 14) {
    // The last two bytes are the size of the thumbnail that follows.
    const stays = segment(marker, Buffer.concat([data.subarray(0, 12), Buffer.alloc(2)]));
    return { stays, words: data.length > 14 ? ['embedded thumbnail'] : [] };
  }
  if (marker === 0xee && name.startsWith('Adobe') && data.length >= 12)
    return { stays: segment(marker, data.subarray(0, 12)), words: data.length > 12 ? ['data of the camera'] : [] };
  if (marker === 0xe2 && name.startsWith('ICC_PROFILE\0')) {
    // Parts are numbered from 1; the first begins with the header of the profile.
    const next = data[12] === look.profileParts + 1;
    if (!next || (look.profileParts === 0 && !isProfile(data.subarray(14))))
      return { stays: false, words: ['other data'] };
    look.profileParts += 1;
    return { stays: true, words: [] };
  }
  if (marker === 0xe1 && name.startsWith('Exif\0')) {
    const exif = readExif(data);
    look.orientation = exif.orientation;
    return { stays: false, words: exif.found };
  }
  return { stays: false, words: [wordFor(marker, name)] };
}

function wordFor(marker: number, name: string): string {
  if (marker === 0xfe) return 'comment';
  if (marker === 0xe0 && name.startsWith('JFXX\0')) return 'embedded thumbnail';
  if (marker === 0xe1) return 'XMP';
  if (marker === 0xed) return 'IPTC';
  return marker >= 0xe0 && marker <= 0xef ? 'data of the camera' : 'other data';
}

/** Where the entropy-coded data ends: at the first marker that is neither a restart nor a stuffed byte. */
export async function endOfScan(source: Source, from: number): Promise<number> {
  for (let at = from; ; ) {
    const block = await source.read(at, WINDOW);
    if (block.length < 2) throw new Error('it ends inside its pixels');
    for (let index = block.indexOf(0xff); index !== -1; index = block.indexOf(0xff, index + 1)) {
      const next = block[index + 1];
      if (next === undefined) break;
      if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at + index;
    }
    // The last byte again: it may be the first half of a marker.
    at += block.length - 1;
  }
}

function exifSegment(orientation: number): Buffer {
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), orientationOnly(orientation)]));
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}
