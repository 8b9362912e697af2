import { Lru } from '../files/lru.js';
import { makeThumbnail } from './picture.js';

/** 16 MB of memory: about 1,500 thumbnails. */
const kept = new Lru<Buffer>(16_000_000);
const underWay = new Map<string, Promise<Buffer>>();

/**
 * A WebP of at most 256 pixels, from memory if this file was requested before. Throws a PictureProblem.
 *
 * @param file the picture's name; `path` need only lead to it until the answer
 */
export async function thumbnail(file: string, path: string, revision: string): Promise<Buffer> {
  const key = `${file}\0${revision}`;
  const ready = kept.get(key);
  if (ready) return ready;
  const making = underWay.get(key) ?? makeThumbnail(path).finally(() => underWay.delete(key));
  underWay.set(key, making);
  const made = await making;
  kept.set(key, made, made.length);
  return made;
}
