/** Rows of a strip: a reader holds one at a time. */
const ROWS = 64;
/** Bytes of the head, after which the pixels stand. */
const HEAD = 8;
/** Types of values: 16 and 32 bits, and bytes of any meaning (TIFF 6.0, section 2). */
const [SHORT, LONG, UNDEFINED] = [3, 4, 7];

type Tag = [tag: number, type: number, values: readonly number[] | Uint8Array];

/**
 * Makes an uncompressed TIFF of 8-bit RGB: the way to hand pixels to sharp together with their colour profile.
 *
 * @param rgb `height` rows of `width` pixels of three bytes; a row begins `stride` bytes after the one before
 * @param icc the colour profile; empty for sRGB
 */
export function tiffOf(rgb: Uint8Array, width: number, height: number, stride: number, icc: Uint8Array): Buffer {
  const row = width * 3;
  const strips = Array.from({ length: Math.ceil(height / ROWS) }, (_, strip) => strip * ROWS);
  const tags: Tag[] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, [8, 8, 8]],
    [259, SHORT, [1]],
    [262, SHORT, [2]],
    [273, LONG, strips.map((y) => HEAD + y * row)],
    [277, SHORT, [3]],
    [278, LONG, [ROWS]],
    [279, LONG, strips.map((y) => Math.min(ROWS, height - y) * row)],
  ];
  if (icc.length > 0) tags.push([34675, UNDEFINED, icc]);
  const end = HEAD + row * height + ((row * height) % 2);
  const directory = directoryOf(tags, end);
  const file = Buffer.alloc(end + directory.length);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(end, 4);
  for (let y = 0; y < height; y++) file.set(rgb.subarray(y * stride, y * stride + row), HEAD + y * row);
  directory.copy(file, end);
  return file;
}

/** The directory of a file, to stand `at` so many bytes from its beginning, and behind it the values of more than 4 bytes. */
function directoryOf(tags: readonly Tag[], at: number): Buffer {
  const entries = Buffer.alloc(2 + tags.length * 12 + 4);
  entries.writeUInt16LE(tags.length);
  const behind: Buffer[] = [];
  let free = at + entries.length;
  for (const [index, [tag, type, values]] of tags.entries()) {
    const entry = entries.subarray(2 + index * 12, 14 + index * 12);
    const bytes = bytesOf(type, values);
    entry.writeUInt16LE(tag);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(values.length, 4);
    if (bytes.length <= 4) bytes.copy(entry, 8);
    else {
      entry.writeUInt32LE(free, 8);
      free += bytes.length;
      behind.push(bytes);
    }
  }
  return Buffer.concat([entries, ...behind]);
}

/** An even number of bytes: every value begins at an even place. */
function bytesOf(type: number, values: readonly number[] | Uint8Array): Buffer {
  if (values instanceof Uint8Array) return Buffer.concat([values, Buffer.alloc(values.length % 2)]);
  const size = type === SHORT ? 2 : 4;
  const bytes = Buffer.alloc(size * values.length);
  for (const [index, value] of values.entries()) bytes.writeUIntLE(value, index * size, size);
  return bytes;
}
