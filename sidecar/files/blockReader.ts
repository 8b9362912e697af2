import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { RandomAccessReader } from 'yauzl';
import { collectBlocks } from '../memory.js';
import { readAt } from './readAt.js';

const BLOCK_BYTES = 64 * 1024;

/**
 * Reads an open file for yauzl a block at a time, and keeps the last one: a list of contents is hundreds of reads of some bytes,
 * next to each other, and each was a task of a thread. The caller closes the file.
 *
 * @param Base yauzl's class, which is loaded late
 */
export function blockReader(Base: typeof RandomAccessReader, file: FileHandle) {
  let kept: { from: number; bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };
  /** `length` bytes from position `from`; fewer at the file's end. Throws the system's errors. */
  const bytesAt = async (from: number, length: number): Promise<Buffer> => {
    if (from < kept.from || from + length > kept.from + kept.bytes.length) {
      kept = { from, bytes: await readAt(file, from, Math.max(length, BLOCK_BYTES)) };
      collectBlocks(kept.bytes.length);
    }
    return kept.bytes.subarray(from - kept.from, from - kept.from + length);
  };
  async function* blocks(from: number, end: number): AsyncGenerator<Buffer> {
    for (let at = from; at < end; at += BLOCK_BYTES) {
      const block = await bytesAt(at, Math.min(BLOCK_BYTES, end - at));
      yield block;
      if (at + block.length < Math.min(at + BLOCK_BYTES, end)) return;
    }
  }
  class BlockReader extends Base {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(blocks(start, end), { objectMode: false });
    }
    override read(
      into: Buffer,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null, bytesRead?: number) => void,
    ): void {
      bytesAt(position, length).then((bytes) => {
        bytes.copy(into, offset);
        done(null, bytes.length);
      }, done);
    }
  }
  return { reader: new BlockReader(), blocks };
}
