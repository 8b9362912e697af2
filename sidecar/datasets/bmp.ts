/** Bytes of a BMP that `measureBmp` needs: the file header and the longest information header. */
export const BMP_HEAD = 14 + 124;

/**
 * The size of a BMP in pixels, from its headers (Microsoft, BITMAPFILEHEADER and BITMAPINFOHEADER). Throws an Error in
 * words when they make no sense, or promise more pixels than the file holds.
 *
 * @param head the first BMP_HEAD bytes, or the whole of a shorter file
 * @param fileBytes how long the file is
 */
export function measureBmp(head: Buffer, fileBytes: number): { width: number; height: number } {
  if (head.length < 26) throw new Error('it ends inside its header');
  const headerBytes = head.readUInt32LE(14);
  const old = headerBytes === 12;
  if (!old && (headerBytes < 40 || headerBytes > 124 || head.length < 54)) throw new Error('its header is damaged');
  const width = old ? head.readUInt16LE(18) : head.readInt32LE(18);
  const height = Math.abs(old ? head.readUInt16LE(20) : head.readInt32LE(22));
  const bitsPerPixel = head.readUInt16LE(old ? 24 : 28);
  const compression = old ? 0 : head.readUInt32LE(30);
  const pixelsAt = head.readUInt32LE(10);
  if (width <= 0 || height <= 0 || ![1, 4, 8, 16, 24, 32].includes(bitsPerPixel) || pixelsAt < 14 + headerBytes)
    throw new Error('its header is damaged');
  // 0 and 3 are plain rows of pixels, each filled up to 4 bytes; how long the others are only decoding would tell.
  const plain = compression === 0 || compression === 3;
  const needed = pixelsAt + (plain ? Math.ceil((width * bitsPerPixel) / 32) * 4 * height : 1);
  if (fileBytes < needed) throw new Error(`it is cut off: ${fileBytes} of ${needed} bytes are there`);
  return { width, height };
}
