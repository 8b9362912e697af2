import { withSource } from './source.js';

/**
 * Bytes of packed text and of the colour profile before the pixels of a PNG: libpng unpacks all of it for the header already.
 * 0 for every other file. Damage ends the counting. Throws an Error in words where it is cut into too many pieces.
 */
export async function packedText(path: string): Promise<number> {
  return withSource(path, async (source) => {
    if ((await source.read(0, 4)).toString('latin1') !== '\x89PNG') return 0;
    let packed = 0;
    for (let at = 8; ; ) {
      const head = await source.read(at, 8);
      const type = head.toString('latin1', 4, 8);
      if (head.length < 8 || type === 'IDAT') return packed;
      const length = head.readUInt32BE(0);
      if (['zTXt', 'iCCP'].includes(type)) packed += length;
      if (type === 'iTXt') {
        // A keyword of at most 79 bytes, a zero, and whether the text is packed.
        const text = await source.read(at + 8, 82);
        if (text[text.indexOf(0) + 1] === 1) packed += length;
      }
      at += 12 + length;
    }
  });
}
