import { open } from 'node:fs/promises';
import type { Metadata, Sharp, default as sharp } from 'sharp';
import { semaphore } from '../files/queue.js';
import { BMP_HEAD, measureBmp } from './bmp.js';
import { MOST_PIXELS, requireAffordable, requireLittlePacked } from './cost.js';
import { readPrivate } from './metadata/strip.js';
import { PictureProblem } from './pictureProblem.js';

/** Two at once leave threads for everything else that waits for the disk. */
const decoding = semaphore(2);
/** One at once of those that are held whole: each may take 300 MB. */
const holding = semaphore(1);
const THUMBNAIL_PIXELS = 256;

/** Width and height in pixels as they are stored; `turned` is what the orientation in its metadata does to them. */
export type LookedAt = { width: number; height: number; turned: boolean; found: string[] };

/** What its header and its metadata say; no pixel is decoded. Throws a PictureProblem. */
export async function lookAtPicture(path: string): Promise<LookedAt> {
  const { format, head, bytes } = await look(path);
  return inWords(async () => {
    const { width, height } = format === 'bmp' ? measureBmp(head, bytes) : await measure(path);
    const { orientation, found } = await readPrivate(path);
    return { width, height, turned: orientation !== 1, found };
  });
}

async function measure(path: string): Promise<Metadata> {
  await requireLittlePacked(path);
  const facts = await (await decoder())(path, { limitInputPixels: MOST_PIXELS }).metadata();
  if (facts.width * facts.height > MOST_PIXELS) throw tooManyPixels();
  return facts;
}

/** Pixels that a decoder would go over: 0 where the file is refused before that, and for a BMP, which is not decoded. */
export async function countPixels(path: string): Promise<number> {
  try {
    if ((await look(path)).format === 'bmp') return 0;
    const { width, height } = await measure(path);
    return width * height;
  } catch {
    return 0;
  }
}

/**
 * Decodes the picture to its last row: nothing that is cut off or damaged gets past. A BMP, which sharp's build can't decode,
 * is measured against its header. Throws a PictureProblem, for one that is too costly to decode too.
 */
export async function requireWholePicture(path: string): Promise<void> {
  const { format, head, bytes } = await look(path);
  if (format === 'bmp') {
    await inWords(async () => measureBmp(head, bytes));
    return;
  }
  await decode(path, (picture, { width, height }) => {
    // A WebP is decoded to its end for a thumbnail too, and takes half the memory then. A JPEG is decoded at an eighth of its
    // size, and its last rows may not be.
    const part =
      format === 'webp' ? toThumbnail(picture) : picture.extract({ left: 0, top: height - 1, width, height: 1 });
    return part.raw();
  });
}

/**
 * A WebP of at most 256 pixels; null for BMP, which sharp's build can't decode. Throws a PictureProblem, for one that is too
 * costly to decode too.
 */
export async function makeThumbnail(path: string): Promise<Buffer | null> {
  const { format } = await look(path);
  if (format === 'bmp') return null;
  return decode(path, (picture) => toThumbnail(picture.autoOrient()).webp({ quality: 78 }));
}

function toThumbnail(picture: Sharp): Sharp {
  return picture.resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside', withoutEnlargement: true });
}

async function decode(path: string, what: (picture: Sharp, facts: Metadata) => Sharp): Promise<Buffer> {
  const library = await decoder();
  return inWords(async () => {
    const facts = await measure(path);
    const held = await requireAffordable(path, facts);
    const picture = library(path, { failOn: 'error', limitInputPixels: MOST_PIXELS });
    const work = () => decoding(() => what(picture, facts).toBuffer());
    return held > 0 ? holding(work) : work();
  });
}

let loading: Promise<typeof sharp> | undefined;

/** sharp, loaded when the first picture is looked at: it costs 20 MB and a tenth of a second. */
function decoder(): Promise<typeof sharp> {
  loading ??= import('sharp').then(({ default: library }) => {
    // libvips keeps opened files by name, which is wrong for files that are replaced.
    library.cache(false);
    // Each thread of a picture has buffers of its own, and the trainer wants the processors.
    library.concurrency(1);
    return library;
  });
  return loading;
}

/** Looks at the first bytes: sharp is never given what is none of the four, such as an SVG that names other files. */
async function look(path: string): Promise<{ format: Format; head: Buffer; bytes: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BMP_HEAD), 0, BMP_HEAD, 0);
    const head = buffer.subarray(0, bytesRead);
    const format = formatOf(head);
    if (format) return { format, head, bytes: size };
    throw new PictureProblem(size === 0 ? 'The file is empty.' : `Its content is ${strange(head)}.`);
  } finally {
    await file.close();
  }
}

type Format = 'png' | 'jpeg' | 'webp' | 'bmp';

function formatOf(head: Buffer): Format | null {
  const latin = head.toString('latin1', 0, 12);
  if (latin.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (latin.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (latin.startsWith('RIFF') && latin.endsWith('WEBP')) return 'webp';
  return latin.startsWith('BM') ? 'bmp' : null;
}

/** What people most often rename to .jpg and wonder about. */
function strange(head: Buffer): string {
  const latin = head.toString('latin1', 0, 12);
  const kind = latin.startsWith('GIF8')
    ? 'a GIF'
    : /^....ftypavi/s.test(latin)
      ? 'an AVIF picture'
      : /^....ftyp(hei|hev|mif)/s.test(latin)
        ? 'a HEIC photo'
        : /^(II\*\0|MM\0\*)/.test(latin)
          ? 'a TIFF'
          : null;
  return kind ? `${kind}, whatever its name says` : 'no picture: neither PNG, JPEG, WebP nor BMP';
}

async function inWords<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof PictureProblem) throw error;
    const { message } = error as Error;
    if (/pixel limit/.test(message)) throw tooManyPixels();
    throw new PictureProblem(`The picture is damaged or cut off (${message.split('\n')[0]?.trim()}).`);
  }
}

function tooManyPixels(): PictureProblem {
  return new PictureProblem(
    `It has more than ${Math.floor(MOST_PIXELS / 1_000_000)} million pixels.`,
    'Make it smaller and upload that.',
  );
}

/** Changes whenever the file does: for addresses that may be cached for ever. */
export function revisionOf(file: { bytes: number; mtimeMs: number }): string {
  return `${Math.round(file.mtimeMs * 1000).toString(36)}-${file.bytes.toString(36)}`;
}
