import type { Metadata } from 'sharp';
import { packedText } from './metadata/packedText.js';
import { countScans } from './metadata/scans.js';
import { PictureProblem } from './pictureProblem.js';

/** More than any camera that is carried around; a few bytes may claim to be billions, and each wants memory. */
export const MOST_PIXELS = 2 ** 27;
/** Pixels. Some hundred rows are held at once: a PNG of 1 MB with rows of 16 million pixels took 22 GB. */
const LONGEST_SIDE = 32_768;
/** Bytes: a progressive JPEG of 8192 × 6144 pixels, the largest that phones take. */
const MOST_HELD = 8192 * 6144 * 3 * 2;
/** Programs write about ten. Each goes over all pixels and may be 300 bytes long: 2,000 of them took 25 s. */
const MOST_SCANS = 100;
/** Bytes: 12 MB of it unpacked to 12 GB, in 8 s. Trainers stop at one text of 1 MB (Pillow PngImagePlugin MAX_TEXT_CHUNK). */
const MOST_PACKED = 1_000_000;

/** Throws a PictureProblem where its header alone takes more time than one picture may. */
export async function requireLittlePacked(path: string): Promise<void> {
  if ((await packedText(path)) > MOST_PACKED)
    throw new PictureProblem(`It carries more than ${inMegabytes(MOST_PACKED)} of packed text.`);
}

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
  if (kind === PROGRESSIVE && (await countScans(path, MOST_SCANS + 1)) > MOST_SCANS)
    throw new PictureProblem(`It goes over its pixels more than ${MOST_SCANS} times.`);
  return bytes;
}

const PROGRESSIVE = 'a progressive JPEG';

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

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}
