import { crc32, deflateRawSync } from 'node:zlib';

/** A file of an archive; every field of its headers can be made to lie. */
export type ZipFileGiven = {
  name: string | Buffer;
  content: Buffer | string;
  /** Pack it; by default it is stored. */
  deflate?: boolean;
  /** Unix mode with kind: 0o120777 is a link. */
  mode?: number;
  flags?: number;
  method?: number;
  crc?: number;
  /** What the directory says of its sizes. */
  bytes?: number;
  packed?: number;
  /** Where the directory says it begins. */
  at?: number;
  extra?: Buffer;
  /** The system that made it: 3 is Unix, 0 DOS. */
  system?: number;
};

/** A zip (APPNOTE 6.3.10), byte by byte, for archives that no packer would write. */
export function zip(files: ZipFileGiven[], { comment = '', count = files.length } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const name = Buffer.isBuffer(file.name) ? file.name : Buffer.from(file.name);
    const content = Buffer.from(file.content);
    const data = file.deflate ? deflateRawSync(content) : content;
    const method = file.method ?? (file.deflate ? 8 : 0);
    const flags = file.flags ?? 0x800;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(0x5a210000, 6);
    common.writeUInt32LE(file.crc ?? crc32(content), 10);
    common.writeUInt32LE(file.packed ?? data.length, 14);
    common.writeUInt32LE(file.bytes ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, data]);
    const extra = file.extra ?? Buffer.alloc(0);
    const tail = Buffer.alloc(14);
    common.writeUInt16LE(extra.length, 24);
    tail.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(file.at ?? at, 10);
    const made = Buffer.from([0x50, 0x4b, 1, 2, 20, file.system ?? 3]);
    directory.push(Buffer.concat([made, common, tail, name, extra]));
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listed, end, Buffer.from(comment)]);
}
