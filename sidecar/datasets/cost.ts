import type { Metadata } from 'sharp';
import { streamRegular } from '../files/regularFile.js';
import { PictureProblem } from './pictureProblem.js';

/** More than any portable camera takes. A few bytes can claim billions of pixels, and each one costs memory. */
export const MOST_PIXELS = 2 ** 27;
/** Seconds. Ends a decoder that returns its rows slowly, but not one that first holds the whole picture. */
export const LONGEST_DECODE = 30;
/** Pixels. The decoder holds some hundred rows: a PNG of 1 MB with rows of 16 million pixels took 22 GB. */
const LONGEST_SIDE = 32_768;
/** Bytes: a progressive JPEG of 8192 × 6144 pixels, the largest that phones take. */
const MOST_HELD = 8192 * 6144 * 3 * 2;
/** Programs write about ten. Each scan covers all pixels before the first row comes out: 2,600 scans took 92 s. */
const MOST_SCANS = 100;
const PROGRESSIVE = 'a progressive JPEG';

/**
 * Returns the bytes that the decoder holds of a picture before the first row comes out; 0 if it decodes row by row. Throws a
 * PictureProblem if decoding would take too much memory or time.
 */
export async function requireAffordable(path: string, facts: Metadata): Promise<number> {
  const most = LONGEST_SIDE.toLocaleString('en');
  if (Math.max(facts.width, facts.height) > LONGEST_SIDE)
    throw new PictureProblem(`It is more than ${most} pixels wide or high.`, 'Make it smaller and upload it again.');
  const { bytes, kind } = heldWhole(facts);
  if (bytes > MOST_HELD)
    throw new PictureProblem(
      `As ${kind}, it needs ${inMegabytes(bytes)} of memory to open; the limit is ${inMegabytes(MOST_HELD)}.`,
      'Make it smaller, or export it as a plain PNG or a baseline JPEG, and upload it again.',
    );
  if (kind === PROGRESSIVE && (await countScans(path)) > MOST_SCANS)
    throw new PictureProblem(
      `It is a progressive JPEG with more than ${MOST_SCANS} passes, which takes too long to open.`,
    );
  return bytes;
}

function heldWhole({ width, height, format, channels, depth, isProgressive }: Metadata) {
  const pixels = width * height;
  // libwebp's lossless decoder takes 4 bytes a pixel, and one more to unpack the transparency of a lossy picture.
  if (format === 'webp') return { bytes: pixels * 5, kind: 'a WebP' };
  // libjpeg keeps 2 bytes for each sample; the header does not say reliably how many samples the colours have.
  if (format === 'jpeg' && isProgressive) return { bytes: pixels * channels * 2, kind: PROGRESSIVE };
  if (isProgressive) return { bytes: pixels * channels * (depth === 'ushort' ? 2 : 1), kind: 'an interlaced PNG' };
  return { bytes: 0, kind: '' };
}

/** Counts the starts of scans: a marker and a length below 256, which packed pixels never contain (ITU T.81 B.1.1.5). */
async function countScans(path: string): Promise<number> {
  let scans = 0;
  for await (const block of streamRegular(path))
    for (let at = block.indexOf(SCAN); at >= 0; at = block.indexOf(SCAN, at + 1)) scans += 1;
  return scans;
}

const SCAN = Buffer.from([0xff, 0xda, 0]);

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}
