import { crc32 } from 'node:zlib';
import { orientationOnly, readExif } from './exif.js';
import { type Dissected, keep } from './pieces.js';
import type { Source } from './source.js';

/** What decodes, colours and animates the pixels (PNG third edition, section 11). Everything else is metadata. */
const PIXELS = new Set(
  'IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB bKGD hIST pHYs sPLT cICP mDCV cLLI acTL fcTL fdAT'.split(' '),
);
const LONGEST_METADATA = 16_000_000;

/**
 * Takes a PNG apart by its chunks. `toEnd` reads on behind the first chunk of pixels. Throws an Error in words where the
 * chunks make no sense.
 */
export async function dissectPng(source: Source, toEnd: boolean): Promise<Dissected> {
  const result: Dissected = { orientation: 1, found: [], pieces: [{ from: 0, to: 8 }] };
  const found = new Set<string>();
  let insertAt: number | null = null;
  for (let at = 8; ; ) {
    const head = await source.read(at, 8);
    if (head.length < 8) throw new Error('it ends inside its chunks');
    const type = head.toString('latin1', 4, 8);
    const end = at + 12 + head.readUInt32BE(0);
    if (end > source.bytes) throw new Error('it ends inside its chunks');
    if (type === 'IDAT' && insertAt === null) {
      insertAt = result.pieces.push(Buffer.alloc(0)) - 1;
      if (!toEnd) break;
    }
    if (PIXELS.has(type)) keep(result.pieces, at, end);
    else if (type === 'eXIf' && end - at < LONGEST_METADATA) {
      const exif = readExif(await source.read(at + 8, end - at - 12));
      result.orientation = exif.orientation;
      for (const each of exif.found) found.add(each);
    } else found.add(await wordFor(source, type, at + 8));
    at = end;
    if (type !== 'IEND') continue;
    if (toEnd && source.bytes > end) found.add('data behind the picture');
    break;
  }
  if (result.orientation !== 1 && insertAt !== null)
    result.pieces[insertAt] = chunk('eXIf', orientationOnly(result.orientation));
  return { ...result, found: [...found] };
}

async function wordFor(source: Source, type: string, at: number): Promise<string> {
  if (type === 'tIME') return 'date';
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
