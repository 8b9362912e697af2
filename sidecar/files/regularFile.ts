import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { mayHang } from './answers.js';
import { inFile } from './inFile.js';
import { readAt } from './readAt.js';

/**
 * The one door to files that others may write: people, trainers, other programs. Behind a name may be a pipe that nobody
 * writes into, a device that never ends, a folder, or gigabytes, and any of them stops a program that just reads.
 * `npm run check` keeps all other reads out (test/checkReads.mjs).
 */

/** A file that is not read. `words` follow its name: "is larger than 1 MB". */
export class FileRefused extends Error {
  constructor(
    readonly code: 'not_a_file' | 'too_large',
    path: string,
    readonly words: string,
  ) {
    super(`${path} ${words}`);
  }
}

/** Neither waits for a pipe's writer, nor makes a terminal ours. */
const WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export type Links = 'followed' | 'refused';

/** Opens a regular file for reading; the caller closes it. Throws FileRefused for anything else, and file-system errors. */
export async function openRegular(path: string, links: Links = 'followed'): Promise<FileHandle> {
  // At once on a disk of this machine: each call that waits in another thread takes five times as much of the processor.
  const waits = mayHang(path);
  // Asked first: to open and close a pipe would end its writer (SIGPIPE).
  requireRegular(path, waits ? await stat(path) : statSync(path));
  const file = await openAsItIs(path, links);
  try {
    requireRegular(path, waits ? await file.stat() : fstatSync(file.fd));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens whatever it is, without waiting, for a caller who asks then what it is. */
export function openAsItIs(path: string, links: Links = 'followed'): Promise<FileHandle> {
  return open(path, flagsFor(links));
}

/** Reads a regular file of at most `most` bytes. Throws as `openRegular` does, and FileRefused for a larger one. */
export async function readBytes(path: string, most: number, links?: Links): Promise<Buffer> {
  return inFile(openRegular(path, links), (file) => readOpened(file, most, path));
}

/** The same as UTF-8; a wrong byte becomes U+FFFD. */
export async function readText(path: string, most: number, links?: Links): Promise<string> {
  return (await readBytes(path, most, links)).toString('utf8');
}

/** The blocks of a regular file, from a byte on. Throws as `openRegular` does. */
export async function* streamRegular(path: string, start = 0): AsyncGenerator<Buffer> {
  const file = await openRegular(path);
  // Ends, and closes the file, also where the reader breaks off.
  yield* file.createReadStream({ start }) as AsyncIterable<Buffer>;
}

/** All bytes of an open regular file. Throws FileRefused if they are more than `most`. */
export async function readOpened(file: FileHandle, most: number, path = 'It'): Promise<Buffer> {
  const { size } = await file.stat();
  requireSize(path, size, most);
  return readAt(file, 0, size);
}

/** `readText` at once, for small files on the disks of the sessions. The same errors. */
export function readTextNow(path: string, most: number): string {
  requireRegular(path, statSync(path));
  const file = openSync(path, WITHOUT_WAITING);
  try {
    const stats = fstatSync(file);
    requireRegular(path, stats);
    requireSize(path, stats.size, most);
    const buffer = Buffer.allocUnsafe(stats.size);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < buffer.length; filled += read) {
      read = readSync(file, buffer, filled, buffer.length - filled, filled);
    }
    return buffer.toString('utf8', 0, filled);
  } finally {
    closeSync(file);
  }
}

function flagsFor(links: Links): number {
  return links === 'followed' ? WITHOUT_WAITING : WITHOUT_WAITING | constants.O_NOFOLLOW;
}

function requireRegular(path: string, stats: { isFile(): boolean }): void {
  if (!stats.isFile()) throw new FileRefused('not_a_file', path, 'is not a file');
}

function requireSize(path: string, size: number, most: number): void {
  if (size > most) throw new FileRefused('too_large', path, `is larger than ${inWords(most)}`);
}

function inWords(bytes: number): string {
  return bytes >= 1_000_000 ? `${Math.floor(bytes / 1_000_000)} MB` : `${Math.floor(bytes / 1000)} kB`;
}
