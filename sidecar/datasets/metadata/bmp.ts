import { BMP_HEAD, measureBmp } from '../bmp.js';
import type { Dissected } from './pieces.js';
import type { Source } from './source.js';

/**
 * Takes a BMP apart: its headers with the palette, and its rows of pixels. What lies between them and behind them goes, a
 * colour profile too, which no trainer reads. Throws an Error in words where the headers make no sense.
 */
export async function dissectBmp(source: Source, toEnd: boolean): Promise<Dissected> {
  const { headEnd, pixelsAt, end } = measureBmp(await source.read(0, BMP_HEAD), source.bytes);
  const head = Buffer.from(await source.read(0, headEnd));
  head.writeUInt32LE(headEnd + end - pixelsAt, 2);
  head.writeUInt32LE(0, 6);
  head.writeUInt32LE(headEnd, 10);
  const found = pixelsAt > headEnd ? ['other data'] : [];
  if (toEnd && source.bytes > end) found.push('data behind the picture');
  return { orientation: 1, found, pieces: [withoutHints(head), { from: pixelsAt, to: end }] };
}

/**
 * Colours that a picture without a palette would like to have go, and where its profile lies, in the file or elsewhere
 * (BITMAPV5HEADER).
 */
function withoutHints(head: Buffer): Buffer {
  const headerBytes = head.readUInt32LE(14);
  if (headerBytes >= 40 && head.readUInt16LE(28) > 8) head.fill(0, 46, 54);
  if (headerBytes < 124) return head;
  if (['KNIL', 'DEBM'].includes(head.toString('latin1', 70, 74))) head.write('BGRs', 70, 'latin1');
  return head.fill(0, 126, 138);
}
