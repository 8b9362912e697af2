import { type FileHandle, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ZipFile } from 'yauzl';
import { readAt } from '../../files/readAt.js';
import { openRegular } from '../../files/regularFile.js';
import { isOfZip, openZip } from '../../files/zipArchive.js';
import { Problem } from '../../problem.js';
import { LONGEST_CAPTION } from '../caption.js';
import { SPARE_DISK } from '../diskWords.js';
import { printable } from '../names.js';
import { LARGEST_PICTURE, type Received, receive } from '../receive.js';
import { type Contents, readContents, type Wanted } from './contents.js';
import { refused } from './refused.js';

/** An unpacked file, safely on the disk. */
export type Unpacked = { name: string; kind: Wanted['kind']; received: Received };

/**
 * Unpacks the pictures and captions of a zip into an empty folder, flat, one after the other and a block at a time. `take`
 * gets each as soon as it is whole, with the size and checksum that the archive promises. Throws a Problem for a bad archive
 * (see `readContents`) and for a disk without room; the caller then removes the folder.
 *
 * @param tell reports the unpacked bytes and their total
 * @param signal cancels it at the next block, and throws its reason
 */
export async function unpack(
  archive: string,
  into: string,
  take: (file: Unpacked) => Promise<void>,
  tell: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Omit<Contents, 'wanted'>> {
  const file = await openRegular(archive);
  try {
    // We read the names; yauzl compares the sizes with the directory while it unpacks.
    const zip = await openZip(file);
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
    if (error instanceof Problem || !isOfZip(error as Error)) throw error;
    throw refused('archive_damaged', await whatItIs(file, error as Error));
  } finally {
    await file.close();
  }
}

/** Other things that are sent as a zip, by their first bytes. */
const OTHERS: readonly [begins: string, words: string][] = [
  ['7z\xbc\xaf', 'it is a 7z archive and no zip'],
  ['Rar!', 'it is a rar archive and no zip'],
  ['\x1f\x8b', 'it is a gz archive and no zip'],
  ['\xfd7zXZ', 'it is an xz archive and no zip'],
  ['\x28\xb5\x2f\xfd', 'it is a zst archive and no zip'],
  ['BZh', 'it is a bz2 archive and no zip'],
  ['<', 'it is a web page and no zip: the download was refused, or needs a login'],
];
/** Where `ustar` stands in a tar. */
const TAR = 257;

async function whatItIs(file: FileHandle, { message }: Error): Promise<string> {
  const head = (await readAt(file, 0, 300)).toString('latin1');
  if (head === '') return 'it is empty';
  if (head.startsWith('ustar', TAR)) return 'it is a tar archive and no zip';
  const other = OTHERS.find(([begins]) => head.trimStart().startsWith(begins))?.[1];
  if (other) return other;
  if (!/End of central directory/i.test(message)) return `it is damaged (${printable(message)})`;
  return head.startsWith('PK') ? 'its end is missing: it was cut off on its way' : 'it is no zip';
}

async function* checked(zip: ZipFile, { entry, name }: Wanted, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  let sum = 0;
  for await (const block of await zip.openReadStreamPromise(entry)) {
    signal.throwIfAborted();
    sum = crc32(block, sum);
    yield block;
  }
  if (sum !== entry.crc32) throw refused('archive_damaged', `${printable(name)} is damaged: its checksum is wrong`);
}

async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes + SPARE_DISK <= bavail * bsize) return;
  throw new Problem(
    'disk_full',
    `The archive unpacks to ${Math.ceil(bytes / 1_000_000)} MB, and the disk has no room for that. None of its files were saved. Free some space and upload it again.`,
  );
}
