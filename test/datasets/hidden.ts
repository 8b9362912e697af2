import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { chunksOf, jpegSegment, pngChunk, webpChunk, webpOf } from './chunks.js';
import { bmp, picture } from './testDatasets.js';

const TEXT = 'Jane Roe, 52.52 N 13.40 E ';

/** Pictures with something private in places where decoders do not look, by the name of the place. */
export async function hidden(format: 'jpeg' | 'png' | 'webp' | 'bmp'): Promise<Record<string, Buffer>> {
  if (format === 'jpeg') return inJpegs();
  if (format === 'png') return inPngs();
  return format === 'webp' ? inWebps() : inBmps();
}

/** Turned by its metadata, whose one other tag says no more than how colours are stored, and is a text here. */
function exif(): Buffer {
  const tiff = Buffer.alloc(38 + TEXT.length);
  tiff.write('MM\0*', 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(2, 8);
  for (const [at, tag, type, count, value] of [
    [10, 0x0112, 3, 1, 6 * 0x10000],
    [22, 0x9101, 7, TEXT.length, 38],
  ] as const) {
    tiff.writeUInt16BE(tag, at);
    tiff.writeUInt16BE(type, at + 2);
    tiff.writeUInt32BE(count, at + 4);
    tiff.writeUInt32BE(value, at + 8);
  }
  tiff.write(TEXT, 38);
  return tiff;
}

async function inJpegs(): Promise<Record<string, Buffer>> {
  const plain = await picture('jpeg');
  const coloured = await sharp(plain).withIccProfile('p3').jpeg({ progressive: true }).toBuffer();
  const cmyk = await sharp(plain).toColourspace('cmyk').jpeg().toBuffer();
  const adobe = cmyk.indexOf('Adobe') - 4;
  const after = (jpeg: Buffer, marker: number, data: Buffer | string) =>
    Buffer.concat([jpeg.subarray(0, 2), jpegSegment(marker, data), jpeg.subarray(2)]);
  return {
    'the thumbnail of JFIF': after(plain, 0xe0, `JFIF\0\x01\x01\x01\0H\0H\x09\x01${TEXT}\0`),
    JFXX: after(plain, 0xe0, `JFXX\0\x10${TEXT}`),
    CIFF: after(plain, 0xe0, `II\x1a\0\0\0HEAPJPGM${TEXT}`),
    'another APP14': after(plain, 0xee, `Photo ${TEXT}`),
    'a long APP14': Buffer.concat([
      cmyk.subarray(0, adobe),
      jpegSegment(0xee, Buffer.concat([cmyk.subarray(adobe + 4, adobe + 16), Buffer.from(TEXT)])),
      cmyk.subarray(adobe + 16),
    ]),
    'no profile': after(plain, 0xe2, `ICC_PROFILE\0\x01\x01${TEXT.repeat(9)}`),
    'a second part of no profile': after(plain, 0xe2, `ICC_PROFILE\0\x02\x02${TEXT.repeat(9)}`),
    'a profile of APP5': after(plain, 0xe5, `ICC_PROFILE\0\x01\x01${TEXT}`),
    'lines of a later scan': after(plain, 0xdc, TEXT),
    'harmless EXIF': after(coloured, 0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exif()])),
  };
}

async function inPngs(): Promise<Record<string, Buffer>> {
  const plain = await picture('png');
  const [header, end] = [33, plain.length - 12];
  const after = (chunk: Buffer) => Buffer.concat([plain.subarray(0, header), chunk, plain.subarray(header)]);
  const before = (chunk: Buffer) => Buffer.concat([plain.subarray(0, end), chunk, plain.subarray(end)]);
  const coloured = await sharp(plain).withIccProfile('p3').png().toBuffer();
  const packed = deflateSync((await sharp(coloured).metadata()).icc ?? '');
  return {
    'the end': Buffer.concat([plain.subarray(0, end), pngChunk('IEND', TEXT)]),
    sPLT: after(pngChunk('sPLT', `${TEXT}\0\x08`)),
    hIST: before(pngChunk('hIST', TEXT)),
    'the name of the profile': after(pngChunk('iCCP', Buffer.concat([Buffer.from(`${TEXT}\0\0`), packed]))),
    'behind the profile': after(pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), packed, Buffer.from(TEXT)]))),
    'a frame': before(pngChunk('fdAT', `\0\0\0\x01${TEXT}`)),
    'a long gAMA': before(pngChunk('gAMA', TEXT)),
    'a second gAMA': before(
      Buffer.concat([pngChunk('gAMA', 'Jane'), pngChunk('gAMA', ' Roe'), pngChunk('prVt', TEXT)]),
    ),
    'harmless EXIF': after(pngChunk('eXIf', exif())),
  };
}

async function inWebps(): Promise<Record<string, Buffer>> {
  const [plain, transparent] = [
    await picture('webp'),
    await sharp(await picture())
      .ensureAlpha(0.5)
      .webp()
      .toBuffer(),
  ];
  const image = chunksOf(plain);
  const [lossless, coloured] = [
    await sharp(plain).webp({ lossless: true }).toBuffer(),
    await sharp(plain).withIccProfile('p3').webp().toBuffer(),
  ];
  const header = (flags: number, more = '') => {
    const data = Buffer.from([flags, 0, 0, 0, 63, 0, 0, 47, 0, 0]);
    return webpChunk('VP8X', Buffer.concat([data, Buffer.from(more)]));
  };
  const frame = (...chunks: Buffer[]) =>
    webpChunk('ANMF', Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 63, 0, 0, 47, 0, 0, 99, 0, 0, 0]), ...chunks]));
  const text = (type: string) => webpChunk(type, TEXT);
  const loop = webpChunk('ANIM', Buffer.alloc(6));
  return {
    'a profile that is none': webpOf(header(0x20), text('ICCP'), image),
    'a profile without a header': webpOf(image, text('ICCP')),
    'a second profile': webpOf(chunksOf(coloured), text('ICCP')),
    'transparency without a header': webpOf(image, text('ALPH')),
    'transparency that is not announced': webpOf(header(0), text('ALPH'), image),
    'behind a transparent picture': webpOf(chunksOf(transparent), text('note')),
    'a loop without a header': webpOf(image, text('ANIM')),
    'a frame without a header': webpOf(image, text('ANMF')),
    'a second picture': webpOf(image, text('VP8L')),
    'a header behind the picture': webpOf(image, text('VP8X')),
    'a long header': webpOf(header(0, TEXT), image),
    'a frame': webpOf(header(0x02), loop, frame(image, text('note')), frame(chunksOf(lossless))),
    'between frames': webpOf(header(0x02), loop, frame(image), text('note'), frame(chunksOf(lossless))),
    'harmless EXIF': webpOf(header(0x08), image, webpChunk('EXIF', exif())),
  };
}

/** A BMP with a text between its header and its pixels, and another one behind them. */
export function bmpOf(between: string, behind = ''): Buffer {
  const plain = bmp();
  const file = Buffer.concat([plain.subarray(0, 54), Buffer.from(between), plain.subarray(54), Buffer.from(behind)]);
  file.writeUInt32LE(plain.length + between.length, 2);
  file.writeUInt32LE(54 + between.length, 10);
  return file;
}

function inBmps(): Record<string, Buffer> {
  return { 'between header and pixels': bmpOf(TEXT), 'behind the pixels': bmpOf('', TEXT) };
}
