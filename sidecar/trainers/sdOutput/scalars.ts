import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eventScalars, type ScalarPoint } from './eventRecord.js';

export type { ScalarPoint } from './eventRecord.js';

/** How far each event file was read, in bytes. Plain JSON. */
export type ScalarOffsets = Record<string, number>;

/**
 * Reads the points that a TensorBoard event file, or all event files under a folder, hold behind `offsets`: pass what
 * the last call answered, and only what is new is read. A record that is still being written is left for the next time.
 * Points come file by file, in the order of the files' paths, which is the order in which sd-scripts began them. A file
 * that is broken in the middle ends there. Nothing there yet means no points.
 */
export async function readScalars(
  path: string,
  offsets: ScalarOffsets = {},
): Promise<{ points: ScalarPoint[]; offsets: ScalarOffsets }> {
  const points: ScalarPoint[] = [];
  const reached: ScalarOffsets = { ...offsets };
  for (const file of await eventFiles(path)) {
    reached[file] = await readFrom(file, offsets[file] ?? 0, (point) => points.push(point));
  }
  return { points, offsets: reached };
}

async function eventFiles(path: string): Promise<string[]> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isDirectory()) return stats ? [path] : [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.includes('.tfevents.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const BLOCK = 256 * 1024;
/** No record of numbers is larger; a length above it is damage. */
const LARGEST_RECORD = 64 * 1024 * 1024;
/** Length and its checksum before the data, a checksum behind it (TFRecord). */
const HEAD = 12;
const FOOT = 4;

async function readFrom(path: string, offset: number, take: (point: ScalarPoint) => void): Promise<number> {
  const file = await open(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let end = offset; ; ) {
      const block = Buffer.alloc(BLOCK);
      const { bytesRead } = await file.read(block, 0, BLOCK, end);
      end += bytesRead;
      rest = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      const used = readRecords(rest, take);
      rest = rest.subarray(used);
      if (bytesRead === 0 || recordLength(rest) > LARGEST_RECORD) return end - rest.length;
    }
  } finally {
    await file.close();
  }
}

function readRecords(bytes: Buffer, take: (point: ScalarPoint) => void): number {
  let at = 0;
  while (at + HEAD <= bytes.length) {
    const length = recordLength(bytes.subarray(at));
    const end = at + HEAD + length + FOOT;
    if (end > bytes.length) break;
    for (const point of eventScalars(bytes.subarray(at + HEAD, at + HEAD + length))) take(point);
    at = end;
  }
  return at;
}

function recordLength(bytes: Buffer): number {
  return bytes.length < 8 ? 0 : Number(bytes.readBigUInt64LE());
}
