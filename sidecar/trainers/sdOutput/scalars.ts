import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { inFile } from '../../files/inFile.js';
import { readAt } from '../../files/readAt.js';
import { openRegular } from '../../files/regularFile.js';
import type { MetricValue } from '../dialect.js';
import { eventScalars } from './eventRecord.js';

/** The bytes read of each event file. Plain JSON. */
export type ScalarOffsets = Record<string, number>;

/**
 * Reads the points after `offsets` in a TensorBoard event file, or in all event files under a folder; with the last
 * call's offsets, only new points. An unfinished record is left for the next call. Points come file by file, in the
 * order of the paths, which is the order of sd-scripts' starts. A damaged file ends at the damage. A missing file has
 * no points.
 */
export async function readScalars(
  path: string,
  offsets: ScalarOffsets = {},
): Promise<{ points: MetricValue[]; offsets: ScalarOffsets }> {
  const points: MetricValue[] = [];
  return { offsets: await eachScalar(path, offsets, (point) => points.push(point)), points };
}

/** The same, one point after the other, or those of one tag. Resolves to the new offsets. */
export async function eachScalar(
  path: string,
  offsets: ScalarOffsets,
  take: (point: MetricValue) => void,
  only?: string,
): Promise<ScalarOffsets> {
  return eachRecord(path, offsets, (file, bytes, from, to) => {
    const record = bytes.subarray(from, to);
    // Most records have other tags, and decoding one takes ten times as long as checking its tag.
    if (only !== undefined && !record.includes(only)) return;
    for (const point of eventScalars(record)) {
      const tag = scalarName(file, point.tag);
      if (only === undefined || tag === only) take({ ...point, tag });
    }
  });
}

/** The event records behind `offsets`: their file, and where they stand in `bytes`. Resolves to the new offsets. */
export async function eachRecord(
  path: string,
  offsets: ScalarOffsets,
  take: (file: string, bytes: Buffer, from: number, to: number) => void,
): Promise<ScalarOffsets> {
  const reached: ScalarOffsets = { ...offsets };
  for (const file of await eventFiles(path)) {
    reached[file] = await readFrom(file, offsets[file] ?? 0, (bytes, from, to) => take(file, bytes, from, to));
  }
  return reached;
}

/**
 * `add_scalars('loss', {train, val})` makes a folder a curve, `loss_train` and `loss_val`, with one tag in all (torch
 * writer.py). Others write the same tags into `train/` and `val/`.
 */
export function scalarName(file: string, tag: string): string {
  const folder = basename(dirname(file));
  if (/^(val(id(ation)?)?|eval(uation)?|test)$/i.test(folder)) return `${folder}/${tag}`;
  return folder.startsWith(`${tag.replaceAll('/', '_')}_`) ? folder : tag;
}

async function eventFiles(path: string): Promise<string[]> {
  const stats = await stat(path).catch(ifUnreadable(null, 'trainers'));
  if (!stats?.isDirectory()) return stats ? [path] : [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.includes('.tfevents.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Bytes of records between two pauses for the event loop: some milliseconds. */
const BLOCK = 64 * 1024;
/** No record of numbers is larger; a length above it is damage. */
const LARGEST_RECORD = 64 * 1024 * 1024;
/** Length and its checksum before the data, a checksum behind it (TFRecord). */
const HEAD = 12;
const FOOT = 4;

type Take = (bytes: Buffer, from: number, to: number) => void;

async function readFrom(path: string, offset: number, take: Take): Promise<number> {
  const { size } = await stat(path);
  if (size <= offset) return offset;
  return inFile(openRegular(path), async (file) => {
    let rest = Buffer.alloc(0);
    for (let end = offset; ; ) {
      // A long record comes at once: to add to it block by block would copy it again and again.
      const missing = HEAD + recordLength(rest) + FOOT - rest.length;
      const block = await readAt(file, end, Math.min(Math.max(BLOCK, missing), size - end));
      end += block.length;
      rest = Buffer.concat([rest, block]);
      rest = rest.subarray(readRecords(rest, take));
      if (block.length === 0 || isDamage(rest)) return end - rest.length;
    }
  });
}

function readRecords(bytes: Buffer, take: Take): number {
  let at = 0;
  while (at + HEAD <= bytes.length) {
    const end = at + HEAD + recordLength(bytes, at) + FOOT;
    if (end > bytes.length || recordLength(bytes, at) === 0) break;
    take(bytes, at + HEAD, end - FOOT);
    at = end;
  }
  return at;
}

/** A power cut leaves zeros, of which a file may have gigabytes: no record is empty. */
function isDamage(rest: Buffer): boolean {
  const length = recordLength(rest);
  return length > LARGEST_RECORD || (length === 0 && rest.length >= HEAD);
}

function recordLength(bytes: Buffer, at = 0): number {
  return bytes.length < at + 8 ? 0 : bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
