import { createReadStream } from 'node:fs';
import type { Metadata } from 'sharp';
import { PictureProblem } from './pictureProblem.js';

/** More than any camera that is carried around; a few bytes may claim to be billions, and each wants memory. */
export const MOST_PIXELS = 2 ** 27;
/** Seconds. Ends a decoder that gives its rows slowly; one that holds the picture whole first does not hear it. */
export const LONGEST_DECODE = 30;
/** Pixels. Some hundred rows are held at once: a PNG of 1 MB with rows of 16 million pixels took 22 GB. */
const LONGEST_SIDE = 32_768;
/** Bytes: a progressive JPEG of 8192 × 6144 pixels, the largest that phones take. */
const MOST_HELD = 8192 * 6144 * 3 * 2;
/** Programs write about ten. Each goes over all pixels before the first row is given: 2,600 of them took 92 s. */
const MOST_SCANS = 100;
const PROGRESSIVE = 'a progressive JPEG';

/**
 * Bytes that the decoder holds of a picture before it gives the first row; 0 where it goes row by row. Throws a
 * PictureProblem where decoding it takes more memory or time than one picture may.
 */
export async function requireAffordable(path: string, facts: Metadata): Promise<number> {
  const most = LONGEST_SIDE.toLocaleString('en');
  if (Math.max(facts.width, facts.height) > LONGEST_SIDE)
    throw new PictureProblem(`It is more than ${most} pixels wide or high.`, 'Make it smaller and upload that.');
  const { bytes, kind } = heldWhole(facts);
  if (bytes > MOST_HELD)
    throw new PictureProblem(
      `It is ${kind}, which takes ${inMegabytes(bytes)} of memory to decode: more than the ${inMegabytes(MOST_HELD)} that one picture may.`,
      'Make it smaller, or export it as a plain PNG or a baseline JPEG, and upload that.',
    );
  if (kind === PROGRESSIVE && (await countScans(path)) > MOST_SCANS)
    throw new PictureProblem(`It goes over its pixels more than ${MOST_SCANS} times.`);
  return bytes;
}

function heldWhole({ width, height, format, channels, depth, isProgressive }: Metadata): {
  bytes: number;
  kind: string;
} {
  const pixels = width * height;
  // libwebp's lossless decoder: 4 bytes a pixel, and one more where it unpacks the transparency of a lossy picture.
  if (format === 'webp') return { bytes: pixels * 5, kind: 'a WebP' };
  // libjpeg keeps 2 bytes for each sample; how many samples the colours have is not told reliably.
  if (format === 'jpeg' && isProgressive) return { bytes: pixels * channels * 2, kind: PROGRESSIVE };
  if (isProgressive) return { bytes: pixels * channels * (depth === 'ushort' ? 2 : 1), kind: 'an interlaced PNG' };
  return { bytes: 0, kind: '' };
}

/** Counts the beginnings of scans: a marker and a length below 256, which packed pixels never hold (ITU T.81 B.1.1.5). */
async function countScans(path: string): Promise<number> {
  let scans = 0;
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>)
    for (let at = block.indexOf(SCAN); at >= 0; at = block.indexOf(SCAN, at + 1)) scans += 1;
  return scans;
}

const SCAN = Buffer.from([0xff, 0xda, 0]);

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}
