import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ended } from '../caught.js';
import { collectBlocks } from '../memory.js';
import { Problem } from '../problem.js';

/** Bytes. Larger pictures help no trainer. */
export const LARGEST_PICTURE = 100_000_000;

/** An arrived file: temporary, and safely on the disk of its final place. */
export type Received = { path: string; bytes: number; sha256?: string };

/**
 * Streams a body to a temporary file beside `target`, a chunk at a time. Leaves nothing behind if the sender goes away, the
 * disk fills up, or the body is too long (a Problem).
 */
export async function receive(chunks: AsyncIterable<Uint8Array>, target: string, limit: number): Promise<Received> {
  const path = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(path, 'wx', 0o644);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge(basename(target), limit);
      hash.update(chunk);
      await file.writeFile(chunk);
      collectBlocks(chunk.length);
    }
    await file.sync();
    await file.close();
    return { path, bytes, sha256: hash.digest('hex') };
  } catch (error) {
    await ended(file.close());
    await rm(path, { force: true });
    throw error;
  }
}

/** Reads a short body into memory. Throws a Problem at the limit. */
export async function receiveShort(chunks: AsyncIterable<Uint8Array>, what: string, limit: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLarge(what, limit);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

export function tooLarge(what: string, limit: number): Problem {
  const most = limit >= 1_000_000 ? `${limit / 1_000_000} MB` : `${limit / 1000} kB`;
  return new Problem('too_large', `is larger than ${most} and was not saved.`, { file: what });
}
