import type { FileHandle } from 'node:fs/promises';
import { setImmediate as letOthers } from 'node:timers/promises';
import { readAt } from '../files/readAt.js';
import { doubtful, masked, REACH } from './redact.js';

/**
 * Reads the bytes of a file from `start` to `end` (exclusive; fewer at the file's end), masked as in the whole file: a secret
 * that crosses either end is masked as far as it lies within. At the end of the file, which may still grow, masks a possible
 * beginning of a secret too.
 *
 * @param hold leaves such a beginning out instead, so that the next read sees the rest of it
 */
export async function readMasked(
  file: FileHandle,
  start: number,
  end: number,
  { hold = false } = {},
): Promise<Buffer<ArrayBufferLike>> {
  const from = Math.max(0, start - REACH);
  const wanted = end + REACH - from;
  const there = await readAt(file, from, wanted);
  const isEnd = there.length < wanted;
  const settled = isEnd && hold ? there.length - doubtful(there) : there.length;
  const whole = await maskedInPieces(there, isEnd);
  return whole.subarray(start - from, Math.max(start - from, Math.min(end - from, settled)));
}

/** Bytes between two pauses for the event loop. */
const PIECE = 128 * 1024;

async function maskedInPieces(text: Buffer, cut: boolean): Promise<Buffer> {
  if (text.length <= PIECE + 2 * REACH) return masked(text, { cut });
  const result = Buffer.allocUnsafe(text.length);
  for (let at = 0; at < text.length; at += PIECE) {
    const from = Math.max(0, at - REACH);
    const end = Math.min(text.length, at + PIECE + REACH);
    const piece = masked(text.subarray(from, end), { cut: cut && end === text.length });
    piece.copy(result, at, at - from, Math.min(piece.length, at - from + PIECE));
    await letOthers();
  }
  return result;
}

const BLOCK = 512 * 1024;

/** The same, a block at a time, for any length. Closes the file at the end. */
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
