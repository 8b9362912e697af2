import { endOfScan } from './jpeg.js';
import { withSource } from './source.js';

/**
 * How often a JPEG goes over its pixels, counted up to `most`. Bytes that make no sense are passed over, as decoders do.
 * Throws an Error in words where it is cut into too many pieces.
 */
export async function countScans(path: string, most: number): Promise<number> {
  return withSource(path, async (source) => {
    let scans = 0;
    for (let at = 2; scans < most; ) {
      const head = await source.read(at, 4);
      const marker = head[1] ?? 0;
      if (head.length < 4 || (head[0] === 0xff && marker === END)) break;
      if (head[0] !== 0xff || BARE.has(marker)) at = await markerAfter(at + 1);
      else if (marker === 0xff) at += 1;
      else {
        at += 2 + head.readUInt16BE(2);
        if (marker !== SCAN) continue;
        scans += 1;
        at = await markerAfter(at);
      }
    }
    return scans;

    function markerAfter(at: number): Promise<number> {
      return endOfScan(source, at).catch(() => source.bytes);
    }
  });
}

const SCAN = 0xda;
const END = 0xd9;
/** Markers without a length. */
const BARE = new Set([0x00, 0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]);
