import type { Metadata, Sharp, default as sharp } from 'sharp';
import { inFile } from '../files/inFile.js';
import { semaphore } from '../files/queue.js';
import { openRegular } from '../files/regularFile.js';
import { keepDecoderSmall } from '../memory.js';
import { LONGEST_DECODE, MOST_PIXELS, requireAffordable } from './cost.js';
import { whatIsWrongInJpeg } from './jpegEnd.js';
import { HEIC_REMEDY } from './names.js';
import { DamagedPicture, PictureProblem } from './pictureProblem.js';

/** Two at once leave threads for other work that waits for the disk. */
const decoding = semaphore(2);
/** One at once of the pictures that are decoded as a whole: each may take 300 MB. */
const holding = semaphore(1);
const THUMBNAIL_PIXELS = 256;

/** Width and height in pixels as stored; `turned` by the orientation in the metadata. A BMP is `unchecked`, of unknown size. */
export type LookedAt = {
  width: number | null;
  height: number | null;
  turned: boolean;
  /** A PNG of a moderate size that a program without a picture library can read, upright. */
  plain: boolean;
  unchecked?: true;
};

/** Pixels. The practice trainer takes about a second for each million (measured), in plain Python. */
const MOST_PLAIN = 2_000_000;

/** Reads the header and the metadata, and decodes no pixel. Throws a PictureProblem. */
export async function lookAtPicture(path: string): Promise<LookedAt> {
  const format = await contentOf(path);
  if (format === 'heic') throw heic();
  if (format === 'bmp') {
    await requireWholeBmp(path);
    return { width: null, height: null, turned: false, plain: false, unchecked: true };
  }
  return inWords(async () => {
    const { width, height, orientation = 1, isProgressive } = await measure(path);
    const turned = orientation !== 1;
    const plain = format === 'png' && !isProgressive && !turned && width * height <= MOST_PLAIN;
    return { width, height, turned, plain };
  });
}

async function measure(path: string): Promise<Metadata> {
  const facts = await (await decoder())(path, { limitInputPixels: MOST_PIXELS }).metadata();
  if (facts.width * facts.height > MOST_PIXELS) throw tooManyPixels();
  return facts;
}

/** Counts the pixels that a decoder would go over; 0 for a file that is refused before that. */
export async function countPixels(path: string): Promise<number> {
  try {
    await requireFormat(path);
    const { width, height } = await measure(path);
    return width * height;
  } catch {
    // silent: the later decode says what is wrong.
    return 0;
  }
}

/**
 * Decodes the picture to its last row, so that no cut or damaged file passes. Throws a PictureProblem, also for a picture
 * that costs too much to decode.
 */
export async function requireWholePicture(path: string): Promise<void> {
  const format = await requireFormat(path);
  await decode(path, (picture, { width, height }) => {
    // A thumbnail of a WebP decodes it to its end too, in half the memory. One of a JPEG decodes it at an eighth of its size,
    // perhaps without its last rows.
    const part =
      format === 'webp' ? toThumbnail(picture) : picture.extract({ left: 0, top: height - 1, width, height: 1 });
    return part.raw();
  });
  const wrong = format === 'jpeg' ? await whatIsWrongInJpeg(path) : null;
  if (wrong) throw new DamagedPicture(`The picture is damaged or cut off (${wrong}).`);
}

/** Makes a WebP of at most 256 pixels. Throws a PictureProblem, also for a picture that costs too much to decode. */
export async function makeThumbnail(path: string): Promise<Buffer> {
  await requireFormat(path);
  return decode(path, (picture) => toThumbnail(picture.autoOrient()).webp({ quality: 78 }));
}

/** Makes a JPEG of at most so many pixels a side, to be sent away. Throws as `makeThumbnail` does. */
export async function smallPicture(path: string, pixels: number): Promise<Buffer> {
  await requireFormat(path);
  const size = { fit: 'inside', withoutEnlargement: true } as const;
  return decode(path, (picture) => picture.autoOrient().resize(pixels, pixels, size).jpeg({ quality: 85 }));
}

/**
 * Makes a plain PNG of a picture: upright, 8-bit sRGB, without transparency; its shorter side has `shortest` pixels at most.
 * Throws a PictureProblem, also for a picture that costs too much to decode.
 */
export async function makePlain(path: string, shortest: number): Promise<Buffer> {
  await requireFormat(path);
  const size = { width: shortest, height: shortest, fit: 'outside', withoutEnlargement: true } as const;
  return decode(path, (picture) => picture.autoOrient().resize(size).removeAlpha().toColourspace('srgb').png());
}

/**
 * Turns the pixels of a picture as its metadata says, in its own format, size and colours, without further metadata. Throws a
 * PictureProblem, also for a picture that costs too much to decode.
 */
export async function makeUpright(path: string): Promise<Buffer> {
  const format = await requireFormat(path);
  return decode(path, (picture) => {
    const upright = picture.autoOrient().keepIccProfile();
    if (format === 'png') return upright.png();
    return format === 'webp'
      ? upright.webp({ quality: 95 })
      : upright.jpeg({ quality: 95, chromaSubsampling: '4:4:4' });
  });
}

/** Pixels of a side of a miniature. */
const MINIATURE = 16;

/**
 * A grey, upright miniature of a picture, as numbers whose mean is 0 and whose squares add up to 1: the sum of the products of
 * two is how much they look alike, at most 1, whatever their size, brightness or contrast. Throws a PictureProblem.
 */
export async function miniature(path: string): Promise<Float32Array> {
  await requireFormat(path);
  const size = { width: MINIATURE, height: MINIATURE, fit: 'fill' } as const;
  const grey = await decode(path, (picture) => picture.autoOrient().resize(size).removeAlpha().greyscale().raw());
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const length = norm(grey, mean);
  return Float32Array.from(grey, (value) => (length > 0 ? (value - mean) / length : 0));
}

function norm(grey: Uint8Array, mean: number): number {
  return Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0));
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
    const work = () => decoding(() => what(picture, facts).timeout({ seconds: LONGEST_DECODE }).toBuffer());
    return held > 0 ? holding(work) : work();
  });
}

let loading: Promise<typeof sharp> | undefined;

/** Loads sharp with the first picture: it costs 20 MB and a tenth of a second. */
function decoder(): Promise<typeof sharp> {
  loading ??= import('sharp').then(({ default: library }) => {
    keepDecoderSmall(library);
    return library;
  });
  return loading;
}

type Format = 'png' | 'jpeg' | 'webp';
export type Content = Format | 'bmp' | 'heic';

/** Keeps every other format from sharp, such as an SVG that names other files. */
async function requireFormat(path: string): Promise<Format> {
  const format = await contentOf(path);
  if (format === 'heic') throw heic();
  if (format !== 'bmp') return format;
  throw new PictureProblem('It is a BMP, which is not supported.', 'Save it as PNG or JPEG and upload that.');
}

/** Recognises a picture by its first bytes. Throws a PictureProblem. */
export async function contentOf(path: string): Promise<Content> {
  return inFile(openRegular(path), async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(12), 0, 12, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
    if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
    if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'webp';
    // Checks more than the two letters: a text may begin with them too.
    if (/^BM.{4}\0\0\0\0/s.test(head)) return 'bmp';
    if (/^....ftyp(hei|hev|mif|msf)/s.test(head)) return 'heic';
    throw strange(head);
  });
}

/** Bytes of the headers that tell how long a BMP is (BITMAPFILEHEADER and BITMAPINFOHEADER). */
const BMP_HEAD = 54;

/** Throws a PictureProblem for a BMP that is shorter than its rows. One of another kind, or compressed, passes. */
async function requireWholeBmp(path: string): Promise<void> {
  await inFile(openRegular(path), async (file) => {
    const { size } = await file.stat();
    const { buffer: head, bytesRead } = await file.read(Buffer.alloc(BMP_HEAD), 0, BMP_HEAD, 0);
    if (bytesRead < BMP_HEAD) throw new DamagedPicture('The picture is damaged or cut off (it has no rows).');
    const [from, kind, packing] = [head.readUInt32LE(10), head.readUInt32LE(14), head.readUInt32LE(30)];
    if (kind < 40 || (packing !== 0 && packing !== 3)) return;
    const [width, height, bits] = [head.readInt32LE(18), Math.abs(head.readInt32LE(22)), head.readUInt16LE(28)];
    const row = Math.ceil((width * bits) / 32) * 4;
    if (size < from + row * height) throw new DamagedPicture('The picture is damaged or cut off (its end is missing).');
  });
}

/** Names the formats that people most often rename to .jpg. */
function strange(head: string): PictureProblem {
  if (head === '') return new PictureProblem('The file is empty.');
  const kind = head.startsWith('GIF8')
    ? 'a GIF'
    : /^....ftypavi/s.test(head)
      ? 'an AVIF picture'
      : /^(II\*\0|MM\0\*)/.test(head)
        ? 'a TIFF'
        : null;
  return new PictureProblem(
    kind ? `It is ${kind}, whatever its name says.` : 'It is not a PNG, JPEG, WebP or HEIC picture.',
  );
}

/** Of one that was put there by hand: uploads are converted. */
function heic(): PictureProblem {
  return new PictureProblem('It is a HEIC photo, whatever its name says.', HEIC_REMEDY);
}

async function inWords<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof PictureProblem) throw error;
    const { message } = error as Error;
    if (/pixel limit/.test(message)) throw tooManyPixels();
    if (/^timeout/.test(message)) throw new PictureProblem(`It takes more than ${LONGEST_DECODE} s to open.`, SMALLER);
    throw new DamagedPicture(`The picture is damaged or cut off (${message.split('\n')[0]?.trim()}).`);
  }
}

function tooManyPixels(): PictureProblem {
  return new PictureProblem(`It has more than ${Math.floor(MOST_PIXELS / 1_000_000)} million pixels.`, SMALLER);
}

const SMALLER = 'Make it smaller and upload it again.';

/** Changes with the file, so that its address may be cached for ever. */
export function revisionOf(file: { bytes: number; mtimeMs: number }): string {
  return `${Math.round(file.mtimeMs * 1000).toString(36)}-${file.bytes.toString(36)}`;
}
