import { PictureProblem } from './pictureProblem.js';

/** Bytes of a BMP that `measureBmp` needs: the file header and the longest information header. */
export const BMP_HEAD = 14 + 124;

/** Sizes in pixels, and where in the file, in bytes, the header with its palette ends, and the pixels begin and end. */
export type Bmp = { width: number; height: number; headEnd: number; pixelsAt: number; end: number };

/**
 * What the headers of a BMP say (Microsoft, BITMAPFILEHEADER and BITMAPINFOHEADER). Its pixels are plain rows, so that any
 * bytes are pixels as long as there are enough of them. Throws an Error in words when the headers make no sense or promise
 * more pixels than the file holds, and a PictureProblem for other kinds of rows, which only decoding would check.
 *
 * @param head the first BMP_HEAD bytes, or the whole of a shorter file
 * @param fileBytes how long the file is
 */
export function measureBmp(head: Buffer, fileBytes: number): Bmp {
  if (head.length < 26) throw new Error('it ends inside its header');
  const headerBytes = head.readUInt32LE(14);
  const old = headerBytes === 12;
  if (!old && (headerBytes < 40 || headerBytes > 124 || head.length < 54)) throw new Error('its header is damaged');
  const width = old ? head.readUInt16LE(18) : head.readInt32LE(18);
  const height = Math.abs(old ? head.readUInt16LE(20) : head.readInt32LE(22));
  const bitsPerPixel = head.readUInt16LE(old ? 24 : 28);
  const pixelsAt = head.readUInt32LE(10);
  if (width <= 0 || height <= 0 || ![1, 4, 8, 16, 24, 32].includes(bitsPerPixel) || pixelsAt < 14 + headerBytes)
    throw new Error('its header is damaged');
  const compression = old ? 0 : head.readUInt32LE(30);
  if (compression !== 0 && !(compression === MASKS && hasUsualMasks(head, bitsPerPixel)))
    throw new PictureProblem('It is a compressed BMP, or one of unusual colours.', 'Export it as PNG and upload that.');
  const end = pixelsAt + Math.ceil((width * bitsPerPixel) / 32) * 4 * height;
  if (fileBytes < end) throw new Error(`it is cut off: ${fileBytes} of ${end} bytes are there`);
  const most = bitsPerPixel > 8 ? 0 : 2 ** bitsPerPixel;
  const colours = Math.min(most, (old ? 0 : head.readUInt32LE(46)) || most);
  const masks = compression === MASKS && headerBytes === 40 ? 12 : 0;
  const headEnd = Math.min(pixelsAt, 14 + headerBytes + masks + colours * (old ? 3 : 4));
  return { width, height, headEnd, pixelsAt, end };
}

const MASKS = 3;

/** Where the bits of red, green and blue are, as programs write them (Pillow BmpImagePlugin SUPPORTED). */
const USUAL_MASKS: Record<number, string[]> = {
  16: ['f800,7e0,1f', '7c00,3e0,1f'],
  32: ['ff0000,ff00,ff', 'ff000000,ff0000,ff00', 'ff,ff00,ff0000'],
};

function hasUsualMasks(head: Buffer, bitsPerPixel: number): boolean {
  if (head.length < 66) return false;
  const masks = [54, 58, 62].map((at) => head.readUInt32LE(at).toString(16)).join();
  return USUAL_MASKS[bitsPerPixel]?.includes(masks) ?? false;
}
