import { open } from 'node:fs/promises';

/** A file that is read here and there. Reading past its end gives fewer bytes. */
export type Source = { bytes: number; read(at: number, length: number): Promise<Buffer> };

/** Bytes that are read at once: the pieces of a picture follow each other, and many are a few bytes long. */
export const WINDOW = 16 * 1024;
/** A PNG of 100 MB in chunks of 8 kB, as they are written, has 12,800 of them. */
const MOST_READS = 100_000;

/**
 * Opens a file as a source for as long as it is used. `read` throws an Error in words once the file turns out to be cut into
 * more pieces than pictures are: each costs a step, and a megabyte may hold a million of them.
 */
export async function withSource<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let window = { from: 0, content: Buffer.alloc(0) };
    let reads = 0;
    return await use({
      bytes: size,
      async read(at, length) {
        if (++reads > MOST_READS) throw new Error('it is cut into too many pieces');
        const end = Math.min(at + length, size);
        if (at < window.from || end > window.from + window.content.length) {
          const block = Buffer.allocUnsafe(Math.max(0, Math.min(Math.max(length, WINDOW), size - at)));
          const { bytesRead } = await file.read(block, 0, block.length, at);
          window = { from: at, content: block.subarray(0, bytesRead) };
        }
        return window.content.subarray(at - window.from, Math.max(at, end) - window.from);
      },
    });
  } finally {
    await file.close();
  }
}
