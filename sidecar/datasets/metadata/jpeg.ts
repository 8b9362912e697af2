import { orientationOnly, readExif } from './exif.js';
import { type Dissected, keep } from './pieces.js';
import { type Source, WINDOW } from './source.js';

/**
 * Takes a JPEG apart by its markers (ITU-T T.81 annex B). What decodes the pixels stays byte for byte: tables, scans, the
 * colour profile (APP2), Adobe's colour transform (APP14). `toEnd` reads the scans too and finds what lies behind the
 * picture, such as the film of a motion photo. Throws an Error in words where the markers make no sense.
 */
export async function dissectJpeg(source: Source, toEnd: boolean): Promise<Dissected> {
  const result: Dissected = { orientation: 1, found: [], pieces: [{ from: 0, to: 2 }] };
  const found = new Set<string>();
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
    const word = await privateWord(source, marker, at, end, result);
    if (word === null) keep(result.pieces, at, end);
    else for (const each of word) found.add(each);
    at = end;
    if (marker === 0xda) {
      if (!toEnd) break;
      at = await endOfScan(source, end);
      keep(result.pieces, end, at);
    }
  }
  if (result.orientation !== 1 && insertAt !== null) result.pieces[insertAt] = exifSegment(result.orientation);
  return { ...result, found: [...found] };
}

/** What a segment tells that is private; null where it belongs to the pixels and stays. */
async function privateWord(
  source: Source,
  marker: number,
  at: number,
  end: number,
  result: Dissected,
): Promise<string[] | null> {
  if (marker === 0xfe) return ['comment'];
  if (marker < 0xe1 || marker > 0xef || marker === 0xee) return null;
  const data = await source.read(at + 4, Math.min(end - at - 4, 0xffff));
  const name = data.toString('latin1', 0, 32);
  if (name.startsWith('ICC_PROFILE\0')) return null;
  if (marker === 0xe1 && name.startsWith('Exif\0')) {
    const exif = readExif(data);
    result.orientation = exif.orientation;
    return exif.found;
  }
  if (marker === 0xe1) return ['XMP'];
  if (marker === 0xed) return ['IPTC'];
  return ['data of the camera'];
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
  const data = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), orientationOnly(orientation)]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}
