import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readAt } from './readAt.js';
import { openRegular } from './regularFile.js';

const END_BYTES = 22;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const WINDOW = 4 * 1024 * 1024;
const LARGEST_DIRECTORY = 256 * 1024 * 1024;

/**
 * Does a zip archive of `size` bytes, as torch.save writes it, end like a whole one? Reads only the last 22 bytes, enough to
 * find a file that a killed trainer cut short.
 */
export async function endsAsZip(path: string, size: number): Promise<boolean> {
  const file = await openRegular(path);
  try {
    if (size < END_BYTES) return false;
    return (await readAt(file, size - END_BYTES, 4)).readUInt32LE() === END;
  } finally {
    await file.close();
  }
}

/**
 * Compares every byte of a zip archive with the archive's own checksums: a power cut leaves files of full length with zeros
 * in them, and torch does not compare (miniz is built with MINIZ_DISABLE_ZIP_READER_CRC32_CHECKS). Returns what is wrong in
 * words that follow the file's name; null for a whole archive.
 */
export async function whatIsTornInZip(path: string): Promise<string | null> {
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    const entries = await readDirectory(file, size);
    if (!entries) return 'has no list of its contents';
    const read = readAhead(file);
    for (const entry of entries) if (!(await agrees(read, size, entry))) return 'is damaged inside';
    return null;
  } finally {
    await file.close();
  }
}

type Entry = { crc: number; bytes: number; at: number };

/** Null for an unreadable directory. */
async function readDirectory(file: FileHandle, size: number): Promise<Entry[] | null> {
  if (size < END_BYTES) return null;
  const end = await readAt(file, size - END_BYTES, END_BYTES);
  if (end.readUInt32LE(0) !== END) return null;
  let count = end.readUInt16LE(10);
  let length = end.readUInt32LE(12);
  let at = end.readUInt32LE(16);
  if (count === 0xffff || length === 0xffffffff || at === 0xffffffff) {
    // The 20 bytes before the end point to the record of a large archive.
    const locator = size - END_BYTES - 20;
    const large =
      locator < 0 ? null : await readAt(file, Number((await readAt(file, locator, 20)).readBigUInt64LE(8)), 56);
    if (!large || large.length < 56 || large.readUInt32LE(0) !== END_64) return null;
    count = Number(large.readBigUInt64LE(32));
    length = Number(large.readBigUInt64LE(40));
    at = Number(large.readBigUInt64LE(48));
  }
  if (count === 0 || length > LARGEST_DIRECTORY || at + length > size) return null;
  return parseDirectory(await readAt(file, at, length), count);
}

function parseDirectory(directory: Buffer, count: number): Entry[] | null {
  const entries: Entry[] = [];
  for (let place = 0; entries.length < count; ) {
    if (place + 46 > directory.length || directory.readUInt32LE(place) !== ENTRY) return null;
    const nameBytes = directory.readUInt16LE(place + 28);
    const extraBytes = directory.readUInt16LE(place + 30);
    const extra = directory.subarray(place + 46 + nameBytes, place + 46 + nameBytes + extraBytes);
    // torch never compresses: a compressed entry is not its own.
    if (directory.readUInt16LE(place + 10) !== 0) return null;
    const large = readLargeSizes(extra, [
      directory.readUInt32LE(place + 24),
      directory.readUInt32LE(place + 20),
      directory.readUInt32LE(place + 42),
    ]);
    if (!large) return null;
    entries.push({ crc: directory.readUInt32LE(place + 16), bytes: large[1], at: large[2] });
    place += 46 + nameBytes + extraBytes + directory.readUInt16LE(place + 32);
  }
  return entries;
}

/** Uncompressed size, compressed size and position; values of all ones are in the extra field 1, in this order. */
function readLargeSizes(extra: Buffer, small: [number, number, number]): [number, number, number] | null {
  const sizes = [...small] as [number, number, number];
  if (!sizes.includes(0xffffffff)) return sizes;
  for (let place = 0; place + 4 <= extra.length; place += 4 + extra.readUInt16LE(place + 2)) {
    if (extra.readUInt16LE(place) !== 1) continue;
    let value = place + 4;
    for (const [index, size] of sizes.entries()) {
      if (size !== 0xffffffff) continue;
      if (value + 8 > extra.length) return null;
      sizes[index] = Number(extra.readBigUInt64LE(value));
      value += 8;
    }
    return sizes;
  }
  return null;
}

async function agrees(read: Read, size: number, { crc, bytes, at }: Entry): Promise<boolean> {
  if (at + 30 + bytes > size) return false;
  const local = await read(at, 30);
  if (local.readUInt32LE(0) !== LOCAL) return false;
  const from = at + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (from + bytes > size) return false;
  let sum = 0;
  for (let done = 0; done < bytes; done += WINDOW) {
    sum = crc32(await read(from + done, Math.min(WINDOW, bytes - done)), sum);
  }
  return sum === crc;
}

type Read = (from: number, length: number) => Promise<Buffer>;

/** Reads a thousand small neighbouring tensors in a few large reads. */
function readAhead(file: FileHandle): Read {
  let begin = 0;
  let window: Buffer = Buffer.alloc(0);
  return async (from, length) => {
    if (from < begin || from + length > begin + window.length) {
      window = await readAt(file, from, Math.max(WINDOW, length));
      begin = from;
    }
    return window.subarray(from - begin, from - begin + length);
  };
}
