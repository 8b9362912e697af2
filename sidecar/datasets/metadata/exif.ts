/** What an EXIF block says: how to turn the picture (1 to 8, 1 is upright), and what is private in it, in words. */
export type Exif = { orientation: number; found: string[] };

/**
 * Reads an EXIF block (a small TIFF: CIPA DC-008 section 4.6). Damage ends the reading where it is met: nothing is thrown.
 *
 * @param block with or without the six bytes `Exif\0\0` before it
 */
export function readExif(block: Buffer): Exif {
  const tiff = block.subarray(0, 6).toString('latin1') === 'Exif\0\0' ? block.subarray(6) : block;
  const little = tiff.subarray(0, 4).toString('latin1') === 'II*\0';
  if (!little && tiff.subarray(0, 4).toString('latin1') !== 'MM\0*') return { orientation: 1, found: ['metadata'] };
  const found = new Set<string>();
  let orientation = 1;
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const readFolder = (at: number, depth: number): number => {
    const count = u16(at);
    for (let index = 0; index < count; index++) {
      const entry = at + 2 + index * 12;
      const tag = u16(entry);
      if (tag === ORIENTATION) orientation = Math.min(8, Math.max(1, u16(entry + 8)));
      else if (tag === EXIF_FOLDER && depth === 0) readFolder(u32(entry + 8), 1);
      else if (!HARMLESS.has(tag)) found.add(WORDS[tag] ?? 'camera settings');
    }
    return u32(at + 2 + count * 12);
  };
  try {
    if (readFolder(u32(4), 0) !== 0) found.add('embedded thumbnail');
  } catch {
    found.add('metadata');
  }
  return { orientation, found: [...found] };
}

/** An EXIF block that holds the orientation and nothing else. */
export function orientationOnly(orientation: number): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write('MM\0*', 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(1, 8);
  tiff.writeUInt16BE(ORIENTATION, 10);
  tiff.writeUInt16BE(3, 12);
  tiff.writeUInt32BE(1, 14);
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}

const ORIENTATION = 0x0112;
const EXIF_FOLDER = 0x8769;

const WORDS: Record<number, string> = {
  270: 'description',
  271: 'camera',
  272: 'camera',
  305: 'software',
  306: 'date',
  315: 'author',
  700: 'XMP',
  33432: 'copyright',
  33723: 'IPTC',
  34853: 'GPS position',
  36867: 'date',
  36868: 'date',
  37510: 'comment',
  37500: 'maker notes',
  40091: 'description',
  40092: 'comment',
  40093: 'author',
  40094: 'keywords',
  40095: 'description',
  42016: 'picture ID',
  42032: 'owner',
  42033: 'camera serial number',
  42035: 'lens',
  42036: 'lens',
  42037: 'lens serial number',
};

/** Sizes, resolution, colours: what tells nothing of a person. */
const HARMLESS = new Set([
  0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0115, 0x011a, 0x011b, 0x011c, 0x0128, 0x0212, 0x0213, 0x9000, 0x9101,
  0xa000, 0xa001, 0xa002, 0xa003,
]);
