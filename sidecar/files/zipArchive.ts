import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { blockReader } from './blockReader.js';
import { inFile } from './inFile.js';
import { readAt } from './readAt.js';
import { openRegular } from './regularFile.js';

const END_BYTES = 22;
const END = 0x06054b50;

/**
 * Does a zip archive of `size` bytes, as torch.save writes it, end like a whole one? Reads only the last 22 bytes, enough to
 * find a file that a killed trainer cut short.
 */
export async function endsAsZip(path: string, size: number): Promise<boolean> {
  return inFile(openRegular(path), async (file) => {
    if (size < END_BYTES) return false;
    return (await readAt(file, size - END_BYTES, 4)).readUInt32LE() === END;
  });
}

/**
 * Compares every byte of a zip archive with the archive's own checksums: a power cut leaves files of full length with zeros
 * in them, and torch does not compare (miniz is built with MINIZ_DISABLE_ZIP_READER_CRC32_CHECKS). Returns what is wrong in
 * words that follow the file's name; null for a whole archive. Throws the system's errors.
 */
export async function whatIsTornInZip(path: string): Promise<string | null> {
  return inFile(openRegular(path), async (file) => {
    const archive = await openArchive(file).catch(ifOfZip);
    const entries = archive && (await readEntries(archive.zip).catch(ifOfZip));
    if (!archive || !entries?.length || !(await isListedAtItsEnd(file))) return 'has no list of its contents';
    for (const entry of entries) {
      const sum = await sumOf(archive, entry).catch(ifOfZip);
      if (sum !== entry.crc32) return 'is damaged inside';
    }
    return null;
  });
}

/** What torch writes between the list of contents and the end of an archive: the same in 64 bits, of which the library reads. */
const END_64_BYTES = 76;
const IN_64_BITS = 0xffffffff;

/** Does the end of an archive tell where its list of contents is? */
async function isListedAtItsEnd(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  const end = await readAt(file, size - END_BYTES, END_BYTES);
  const [length, at] = [end.readUInt32LE(12), end.readUInt32LE(16)];
  if (length === IN_64_BITS || at === IN_64_BITS) return true;
  const behind = size - END_BYTES - at - length;
  return behind === 0 || behind === END_64_BYTES;
}

const LARGEST_ENTRY = 16 * 1024 * 1024;

/**
 * Reads entries of an archive of torch.save, by the ends of their names (`/data.pkl`): `next` tells the one to read after
 * what was found so far, or null. None of more than 16 MiB. Returns null for what is no such archive.
 */
export async function readZipEntries(
  path: string,
  next: (found: ReadonlyMap<string, Buffer>) => string | null,
): Promise<ReadonlyMap<string, Buffer> | null> {
  return inFile(openRegular(path), async (file) => {
    const zip = await openZip(file).catch(ifOfZip);
    const entries = zip && (await readEntries(zip).catch(ifOfZip));
    if (!zip || !entries) return null;
    const found = new Map<string, Buffer>();
    for (let wanted = next(found); wanted !== null && !found.has(wanted); wanted = next(found)) {
      const end = Buffer.from(wanted);
      const entry = entries.find((each) => nameOf(each).subarray(-end.length).equals(end));
      if (!entry || entry.uncompressedSize > LARGEST_ENTRY) break;
      const content = await contentOf(zip, entry).catch(ifOfZip);
      if (!content) return null;
      found.set(wanted, content);
    }
    return found;
  });
}

function nameOf({ fileName }: Entry): Buffer {
  return Buffer.from(fileName);
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of await zip.openReadStreamPromise(entry)) blocks.push(block);
  return Buffer.concat(blocks);
}

type Archive = { zip: ZipFile; blocks(from: number, end: number): AsyncIterable<Buffer> };

/** Opens an archive; the caller closes the file. Loads the library with the first one: most pods never see any. */
async function openArchive(file: FileHandle): Promise<Archive> {
  const { fromRandomAccessReaderPromise, RandomAccessReader } = await import('yauzl');
  const { reader, blocks } = blockReader(RandomAccessReader, file);
  const { size } = await file.stat();
  const options = { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: true } as const;
  return { zip: await fromRandomAccessReaderPromise(reader, size, options), blocks };
}

/** The same, for the library's own reading. */
export async function openZip(file: FileHandle): Promise<ZipFile> {
  return (await openArchive(file)).zip;
}

async function readEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  return entries;
}

const STORED = 0;

/** CRC32 of an entry's content; that of less than all of it where the archive is cut. */
async function sumOf({ zip, blocks }: Archive, entry: Entry): Promise<number> {
  let sum = 0;
  for await (const block of await content()) sum = crc32(block, sum);
  return sum;

  /** torch.save compresses nothing: a stream for each of its thousands of tensors took three times as long, or twenty for small ones. */
  async function content(): Promise<AsyncIterable<Buffer>> {
    if (entry.compressionMethod !== STORED || entry.isEncrypted()) return zip.openReadStreamPromise(entry);
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return blocks(fileDataStart, fileDataStart + entry.uncompressedSize);
  }
}

/** For a `.catch`: null for an error about the archive; throws the system's errors on. */
function ifOfZip(error: NodeJS.ErrnoException): null {
  if (isOfZip(error)) return null;
  throw error;
}

/** The library's errors are about the archive and have no code; the disk's errors have one. */
export function isOfZip({ code }: NodeJS.ErrnoException): boolean {
  return code === undefined || /^(Z_|ERR_)/.test(code);
}
