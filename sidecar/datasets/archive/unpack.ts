import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { fromFdPromise, type ZipFile } from 'yauzl';
import { Problem } from '../../problem.js';
import { LONGEST_CAPTION } from '../caption.js';
import { SPARE_DISK } from '../diskWords.js';
import { printable } from '../names.js';
import { LARGEST_PICTURE, type Received, receive } from '../receive.js';
import { type Contents, readContents, type Wanted } from './contents.js';
import { refused } from './refused.js';

/** A file that was unpacked, on the disk for certain. */
export type Unpacked = { name: string; kind: Wanted['kind']; received: Received };

/**
 * Unpacks the pictures and captions of a zip into an empty folder, flat, one after the other and a block at a time; each is
 * given to `take` as soon as it is whole, and its size and checksum are those that the archive promises. Throws a Problem:
 * for an archive that is not as it should be (see `readContents`), and where the disk has no room for it; the
 * folder is then for the caller to remove.
 *
 * @param tell hears how many bytes of how many are unpacked
 * @param signal calls it off at the next block: its reason is thrown
 */
export async function unpack(
  archive: string,
  into: string,
  take: (file: Unpacked) => Promise<void>,
  tell: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Omit<Contents, 'wanted'>> {
  const file = await open(archive, 'r');
  try {
    // Names are read by us; sizes are held against what the directory says while a file is unpacked.
    const options = { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: true };
    const zip = await fromFdPromise(file.fd, options);
    const contents = await readContents(zip);
    await requireRoom(into, contents.bytes);
    let done = 0;
    for (const [index, wanted] of contents.wanted.entries()) {
      tell(done, contents.bytes);
      const limit = wanted.kind === 'picture' ? LARGEST_PICTURE : LONGEST_CAPTION;
      const received = await receive(checked(zip, wanted, signal), join(into, `${index}`), limit);
      done += received.bytes;
      await take({ name: wanted.name, kind: wanted.kind, received });
    }
    tell(done, contents.bytes);
    return contents;
  } catch (error) {
    // What the reader of zips throws is about the archive, and has no code; the disk's errors have one.
    if (
      error instanceof Problem ||
      ('code' in (error as object) && !/^(Z_|ERR_)/.test(`${(error as { code: unknown }).code}`))
    )
      throw error;
    throw refused('archive_damaged', `it is damaged (${printable((error as Error).message)})`);
  } finally {
    await file.close();
  }
}

async function* checked(zip: ZipFile, { entry, name }: Wanted, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  let sum = 0;
  for await (const block of await zip.openReadStreamPromise(entry)) {
    signal.throwIfAborted();
    sum = crc32(block, sum);
    yield block;
  }
  if (sum !== entry.crc32) throw refused('archive_damaged', `${printable(name)} is damaged: its checksum is another`);
}

async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes + SPARE_DISK <= bavail * bsize) return;
  throw new Problem(
    'disk_full',
    `The archive unpacks to ${Math.ceil(bytes / 1_000_000)} MB, and the disk has no room for that. Nothing of it was saved. Free some space and upload it again.`,
  );
}
