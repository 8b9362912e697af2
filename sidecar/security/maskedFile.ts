import type { FileHandle } from 'node:fs/promises';
import { doubtful, masked, REACH } from './redact.js';

/**
 * The bytes of a file from `start` to `end` (exclusive; fewer where it ends before), masked as they are in the whole of
 * it: a secret that goes on beyond either end is masked as far as it lies within. Where the file itself ends, it may be
 * written on. What may be the beginning of a secret there is masked too.
 *
 * @param hold such a beginning is left out instead: who reads on from there sees what has become of it
 */
export async function readMasked(
  file: FileHandle,
  start: number,
  end: number,
  { hold = false } = {},
): Promise<Buffer<ArrayBufferLike>> {
  const from = Math.max(0, start - REACH);
  const room = Buffer.allocUnsafe(end + REACH - from);
  let length = 0;
  while (length < room.length) {
    const { bytesRead } = await file.read(room, length, room.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const there = room.subarray(0, length);
  const isEnd = length < room.length;
  const settled = isEnd && hold ? length - doubtful(there) : length;
  return masked(there, { cut: isEnd }).subarray(start - from, Math.max(start - from, Math.min(end - from, settled)));
}

const BLOCK = 512 * 1024;

/** The same, a block at a time, however much it is. Closes the file at its end. */
export async function* streamMasked(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  try {
    for (let at = start; at < end; ) {
      const block = await readMasked(file, at, Math.min(end, at + BLOCK));
      if (block.length === 0) return;
      yield block;
      at += block.length;
    }
  } finally {
    await file.close();
  }
}
