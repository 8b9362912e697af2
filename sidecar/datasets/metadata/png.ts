import { crc32, inflateSync } from 'node:zlib';
import { orientationOnly, readExif } from './exif.js';
import { type Dissected, isProfile, keep } from './pieces.js';
import type { Source } from './source.js';

/** What decodes and colours the pixels (PNG third edition, section 11), and the most bytes of each; all but IDAT stand once. */
const PIXELS = new Map([
  ['IHDR', 13],
  ['PLTE', 768],
  ['IDAT', Number.POSITIVE_INFINITY],
  ['tRNS', 256],
  ['cHRM', 32],
  ['gAMA', 4],
  ['sBIT', 4],
  ['sRGB', 1],
  ['bKGD', 6],
  ['pHYs', 9],
  ['cICP', 4],
  ['mDCV', 24],
  ['cLLI', 8],
]);
const LONGEST_METADATA = 16_000_000;

/**
 * Takes a PNG apart by its chunks. `toEnd` reads on behind the first chunk of pixels. Of an animation the first picture
 * stays, the one that trainers read. Throws an Error in words where the chunks make no sense.
 */
export async function dissectPng(source: Source, toEnd: boolean): Promise<Dissected> {
  const result: Dissected = { orientation: 1, found: [], pieces: [{ from: 0, to: 8 }] };
  const found = new Set<string>();
  const kept = new Set<string>();
  let insertAt: number | null = null;
  for (let at = 8; ; ) {
    const head = await source.read(at, 8);
    if (head.length < 8) throw new Error('it ends inside its chunks');
    const type = head.toString('latin1', 4, 8);
    const length = head.readUInt32BE(0);
    const end = at + 12 + length;
    if (end > source.bytes) throw new Error('it ends inside its chunks');
    if (type === 'IDAT' && insertAt === null) {
      insertAt = result.pieces.push(Buffer.alloc(0)) - 1;
      if (!toEnd) break;
    }
    if (length <= (PIXELS.get(type) ?? -1) && (type === 'IDAT' || !kept.has(type))) {
      kept.add(type);
      keep(result.pieces, at, end);
    } else if (type === 'eXIf' && length < LONGEST_METADATA) {
      const exif = readExif(await source.read(at + 8, length));
      result.orientation = exif.orientation;
      for (const each of exif.found) found.add(each);
    } else if (type === 'iCCP' && length < LONGEST_METADATA) {
      const profile = toEnd ? profileChunk(await source.read(at + 8, length)) : Buffer.alloc(0);
      if (profile) result.pieces.push(profile);
      else found.add('other data');
    } else if (type !== 'IEND' || length > 0) found.add(await wordFor(source, type, at + 8));
    at = end;
    if (type !== 'IEND') continue;
    result.pieces.push(chunk('IEND', Buffer.alloc(0)));
    if (toEnd && source.bytes > end) found.add('data behind the picture');
    break;
  }
  if (result.orientation !== 1 && insertAt !== null)
    result.pieces[insertAt] = chunk('eXIf', orientationOnly(result.orientation));
  return { ...result, found: [...found] };
}

/** The same profile under a name that says nothing, or null where it is none. */
function profileChunk(data: Buffer): Buffer | null {
  const packed = data.subarray(data.indexOf(0) + 2);
  try {
    const { buffer, engine } = inflateSync(packed, { info: true, maxOutputLength: LONGEST_METADATA }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    if (!isProfile(buffer)) return null;
    return chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), packed.subarray(0, engine.bytesWritten)]));
  } catch {
    return null;
  }
}

async function wordFor(source: Source, type: string, at: number): Promise<string> {
  if (type === 'tIME') return 'date';
  if (['acTL', 'fcTL', 'fdAT'].includes(type)) return 'animation';
  if (!['tEXt', 'zTXt', 'iTXt'].includes(type)) return 'other data';
  const keyword = (await source.read(at, 80)).toString('latin1').split('\0')[0] ?? '';
  if (keyword === 'XML:com.adobe.xmp') return 'XMP';
  return `text “${keyword.slice(0, 40).replace(/[^\x20-\x7e]/g, '')}”`;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
