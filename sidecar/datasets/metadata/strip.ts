import { dissectBmp } from './bmp.js';
import { dissectJpeg } from './jpeg.js';
import { bytesOf, type Dissected, isWhole } from './pieces.js';
import { dissectPng } from './png.js';
import { type Source, withSource } from './source.js';
import { dissectWebp } from './webp.js';

/**
 * What a picture's metadata says: its orientation (1 to 8) and what is private, in words. Reads its beginning only; what is
 * damaged there reads as nothing found.
 */
export async function readPrivate(path: string): Promise<Pick<Dissected, 'orientation' | 'found'>> {
  const { orientation, found } = await withSource(path, (source) =>
    dissect(source, false).catch(() => ({ orientation: 1, found: [] })),
  );
  return { orientation, found };
}

/**
 * Gives the same picture with nothing but what decodes and colours its pixels to `take`, a block at a time, with what was
 * found in words. Pixels are not encoded anew: they stay byte for byte, and so do orientation and colour profile. Null, and
 * nothing is given, where the picture is that already. Throws an Error in words where the file is damaged.
 */
export async function withoutPrivate<T>(
  path: string,
  take: (bytes: AsyncIterable<Buffer>, found: string[]) => Promise<T>,
): Promise<T | null> {
  return withSource(path, async (source) => {
    const { found, pieces } = await dissect(source, true);
    if (await isWhole(source, pieces)) return null;
    return take(bytesOf(source, pieces), found.length > 0 ? found : ['metadata']);
  });
}

async function dissect(source: Source, toEnd: boolean): Promise<Dissected> {
  const head = (await source.read(0, 12)).toString('latin1');
  if (head.startsWith('\xff\xd8')) return dissectJpeg(source, toEnd);
  if (head.startsWith('\x89PNG')) return dissectPng(source, toEnd);
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return dissectWebp(source);
  if (head.startsWith('BM')) return dissectBmp(source, toEnd);
  throw new Error('it is no picture');
}
