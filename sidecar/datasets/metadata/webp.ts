import { orientationOnly, readExif } from './exif.js';
import { type Dissected, keep } from './pieces.js';
import type { Source } from './source.js';

/** What makes the pixels (WebP container specification, RFC 9649). */
const PIXELS = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const EXIF_FLAG = 0x08;
const XMP_FLAG = 0x04;
const LONGEST_METADATA = 16_000_000;

/** Takes a WebP apart by its chunks. Throws an Error in words where they make no sense. */
export async function dissectWebp(source: Source): Promise<Dissected> {
  const riff = await source.read(0, 12);
  const whole = riff.length < 12 ? 0 : riff.readUInt32LE(4) + 8;
  if (whole === 0 || whole > source.bytes) throw new Error('it ends inside its chunks');
  const result: Dissected = { orientation: 1, found: [], pieces: [riff] };
  const found = new Set<string>();
  let features: Buffer | null = null;
  for (let at = 12; at + 8 <= whole; ) {
    const head = await source.read(at, 8);
    if (head.length < 8) throw new Error('it ends inside its chunks');
    const type = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    const end = Math.min(at + 8 + length + (length % 2), whole);
    if (type === 'VP8X') {
      features = Buffer.from(await source.read(at, end - at));
      result.pieces.push(features);
    } else if (PIXELS.has(type)) keep(result.pieces, at, end);
    else if (type === 'EXIF' && length < LONGEST_METADATA) {
      const exif = readExif(await source.read(at + 8, length));
      result.orientation = exif.orientation;
      for (const each of exif.found) found.add(each);
    } else found.add(type === 'XMP ' ? 'XMP' : 'other data');
    at = end;
  }
  if (source.bytes > whole) found.add('data behind the picture');
  const turned = result.orientation !== 1 && features !== null;
  if (turned) result.pieces.push(exifChunk(result.orientation));
  if (features) features[8] = ((features[8] ?? 0) & ~(EXIF_FLAG | XMP_FLAG)) | (turned ? EXIF_FLAG : 0);
  const bytes = result.pieces.reduce(
    (sum, each) => sum + (Buffer.isBuffer(each) ? each.length : each.to - each.from),
    0,
  );
  riff.writeUInt32LE(bytes - 8, 4);
  return { ...result, found: [...found] };
}

function exifChunk(orientation: number): Buffer {
  const data = orientationOnly(orientation);
  const head = Buffer.from('EXIF\0\0\0\0', 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data]);
}
