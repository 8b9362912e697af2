import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../../caught.js';
import { signatureOf } from '../../files/fileSignature.js';
import { inFile } from '../../files/inFile.js';
import { memoByFile } from '../../files/memoByFile.js';
import { openRegular } from '../../files/regularFile.js';
import { settledFiles, settledNames } from '../../files/settledFiles.js';
import type { SampleOnDisk } from '../dialect.js';
import { readSampleName, type SampleName } from './fileNames.js';

/**
 * The whole sample pictures in `<outputPath>/sample/`, newest first. A picture that is still being written is left out:
 * sd-scripts writes it in place. No folder means no samples.
 */
export async function readSamples(outputPath: string): Promise<SampleOnDisk[]> {
  return readWith(outputPath, samplesIn, readSample);
}

/** The same without a look into any, so that those which are cut are among them. */
export async function listSamples(outputPath: string): Promise<SampleOnDisk[]> {
  return readWith(outputPath, listedIn, lookAtSample);
}

/** Is a sample picture there, to its end? */
export async function isWholeSample(outputPath: string, name: string): Promise<boolean> {
  const named = readSampleName(name);
  return named !== null && (await readSample(outputPath, { ...named, name })) !== null;
}

async function readWith(
  outputPath: string,
  settled: typeof samplesIn,
  read: typeof readSample,
): Promise<SampleOnDisk[]> {
  const listed = await namesIn(join(outputPath, 'sample'));
  if (!listed) return [];
  return settled(outputPath, listed.names, async (name) => {
    const each = listed.named.get(name);
    return each ? read(outputPath, each) : null;
  });
}

/** File name of the newest whole sample picture; null when there is none. Reads as few files as possible. */
export async function newestSample(outputPath: string): Promise<string | null> {
  const listed = await namesIn(join(outputPath, 'sample'));
  for (const each of listed?.named.values() ?? []) {
    if (await readSample(outputPath, each)) return each.name;
  }
  return null;
}

type Named = SampleName & { name: string };
type Found = SampleOnDisk & SampleName;

/** Newest first, by the trainer's own time. */
const namesIn = settledNames((names) => {
  const found = names.flatMap((name) => {
    const sample = readSampleName(name);
    return sample ? [{ ...sample, name }] : [];
  });
  found.sort((a, b) => compare(b.time, a.time) || a.prompt - b.prompt);
  return { names: found.map(({ name }) => name), named: new Map(found.map((each) => [each.name, each])) };
});

const samplesIn = settledFiles<Found>(() => true, newestFirst);
const listedIn = settledFiles<Found>(() => true, newestFirst);

/** By the trainer's time in the names; prompts of the same time in their order. */
function newestFirst(a: Found, b: Found): number {
  return compare(b.time, a.time) || b.savedAtMs - a.savedAtMs || a.prompt - b.prompt;
}

/** Digits only; localeCompare takes fifty times as long. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function readSample(outputPath: string, named: Named): Promise<Found | null> {
  const path = join(outputPath, 'sample', named.name);
  const stats = await lstat(path).catch(ifUnreadable(null, 'trainers'));
  if (!stats?.isFile() || !(await isWhole(path, signatureOf(stats), stats.size))) return null;
  return foundAs(named, stats);
}

async function lookAtSample(outputPath: string, named: Named): Promise<Found | null> {
  const stats = await lstat(join(outputPath, 'sample', named.name)).catch(ifUnreadable(null, 'trainers'));
  return stats?.isFile() ? foundAs(named, stats) : null;
}

function foundAs(named: Named, { size, mtimeMs }: Stats): Found {
  return { ...named, bytes: size, savedAtMs: mtimeMs };
}

const isWhole = memoByFile(async (path: string, size: number): Promise<boolean> => {
  const end = await readTail(path, size, PNG_END.length);
  return end.equals(PNG_END);
});

/** The IEND chunk: no data, its name, its checksum (PNG 11.2.5). */
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

async function readTail(path: string, size: number, length: number): Promise<Buffer> {
  return inFile(openRegular(path, 'refused'), async (file) => {
    const tail = Buffer.alloc(length);
    const { bytesRead } = await file.read(tail, 0, length, Math.max(0, size - length));
    return tail.subarray(0, bytesRead);
  });
}
