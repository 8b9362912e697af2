import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { ended } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { openRegular } from '../../files/regularFile.js';
import { collectBlocks } from '../../memory.js';
import { Problem } from '../../problem.js';
import { arrivedBytes, type HalfDone } from './halfDone.js';

/** Bytes `from` (inclusive) to `to` (exclusive). `crc32`: of the file from its start to `to`, if the sender gave it. */
export type Part = { from: number; to: number; crc32: number | null };

/**
 * Writes a part of an upload to the disk as it arrives. Arrived bytes survive a broken connection: the next part continues
 * there, or anywhere before. A newer part ends an older one that waits on a dead connection. Throws a Problem, and keeps
 * nothing of the part, if earlier bytes are missing or its checksum differs.
 */
export async function addPart(upload: HalfDone, part: Part, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await alone(upload.key, async (signal) => {
    const arrived = await arrivedBytes(upload);
    if (part.from > arrived)
      throw new Problem(
        'part_too_early',
        `Only ${arrived} bytes of ${upload.record.file} have arrived. Continue from there.`,
      );
    const before = await crcUpTo(upload, part.from);
    const file = await open(upload.content, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    try {
      if (part.from < arrived) await file.truncate(part.from);
      const after = await write(file, part, chunks, signal, before);
      known.set(upload.key, { at: part.to, crc: after });
      if (part.crc32 === null || part.crc32 === after) return;
      await file.truncate(part.from);
      throw new Problem('part_damaged', `A part of ${upload.record.file} arrived damaged. Send it again.`);
    } finally {
      await file.sync();
      await file.close();
    }
  });
}

/** CRC-32 of the first `end` arrived bytes; remembered, so that no part is read twice. */
export async function crcUpTo(upload: HalfDone, end: number): Promise<number> {
  const remembered = known.get(upload.key);
  let { at, crc } = remembered && remembered.at <= end ? remembered : { at: 0, crc: 0 };
  if (at === end) return crc;
  await inFile(openRegular(upload.content, 'refused'), async (file) => {
    const block = Buffer.alloc(256 * 1024);
    while (at < end) {
      const { bytesRead } = await file.read(block, 0, Math.min(block.length, end - at), at);
      if (bytesRead === 0) throw new Error('the upload became shorter while it was read');
      crc = crc32(block.subarray(0, bytesRead), crc);
      at += bytesRead;
    }
  });
  known.set(upload.key, { at, crc });
  return crc;
}

/** Forgets the checksum of a finished upload. */
export function forget(key: string): void {
  known.delete(key);
}

const known = new Map<string, { at: number; crc: number }>();
const underWay = new Map<string, { end: AbortController; ended: Promise<unknown> }>();

async function write(
  file: FileHandle,
  { from, to }: Part,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  crc: number,
): Promise<number> {
  let at = from;
  let sum = crc;
  for await (const chunk of until(signal, chunks)) {
    if (at + chunk.length > to) throw new Problem('part_too_long', 'The part is longer than its Content-Range says.');
    for (let written = 0; written < chunk.length; )
      written += (await file.write(chunk, written, chunk.length - written, at + written)).bytesWritten;
    sum = crc32(chunk, sum);
    at += chunk.length;
    collectBlocks(chunk.length);
  }
  if (at === to) return sum;
  throw new Problem(
    'upload_cut_off',
    'The part is shorter than its Content-Range says. The bytes that arrived are kept.',
  );
}

/** Stops waiting at the signal. A race with one long promise would hold on to every chunk until its end. */
async function* until(signal: AbortSignal, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = chunks[Symbol.asyncIterator]();
  let giveUp: (problem: Problem) => void = () => {};
  const message = 'A newer part of this upload has arrived. The bytes of this one are kept.';
  signal.addEventListener('abort', () => giveUp(new Problem('part_overtaken', message)));
  for (;;) {
    const { done, value } = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      giveUp = reject;
      reader.next().then(resolve, reject);
    });
    if (done) return;
    yield value;
  }
}

async function alone<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let other = underWay.get(key); other; other = underWay.get(key)) {
    other.end.abort();
    await other.ended;
  }
  const end = new AbortController();
  const mine = work(end.signal);
  underWay.set(key, { end, ended: ended(mine) });
  try {
    return await mine;
  } finally {
    underWay.delete(key);
  }
}
