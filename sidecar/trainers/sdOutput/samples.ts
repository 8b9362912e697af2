import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { signatureOf } from '../../files/fileSignature.js';
import { memoByFile } from '../../files/memoByFile.js';
import { isOwnFolder } from '../../security/paths.js';
import type { SampleOnDisk } from '../dialect.js';
import { readSampleName, type SampleName } from './fileNames.js';

/**
 * The whole sample pictures in `<outputPath>/sample/`, newest first. A picture that is still being written is left out:
 * sd-scripts writes it in place. No folder means no samples.
 */
export async function readSamples(outputPath: string): Promise<SampleOnDisk[]> {
  const found = await Promise.all((await sampleNames(outputPath)).map((each) => readSample(outputPath, each)));
  return found.filter((sample) => sample !== null).sort(newestFirst);
}

/** File name of the newest whole sample picture; null when there is none. Looks at as few files as possible. */
export async function newestSample(outputPath: string): Promise<string | null> {
  const named = await sampleNames(outputPath);
  named.sort((a, b) => b.time.localeCompare(a.time) || a.prompt - b.prompt);
  for (const each of named) {
    if (await readSample(outputPath, each)) return each.name;
  }
  return null;
}

type Named = SampleName & { name: string };
type Found = SampleOnDisk & SampleName;

async function sampleNames(outputPath: string): Promise<Named[]> {
  if (!(await isOwnFolder(join(outputPath, 'sample')))) return [];
  const names = await readdir(join(outputPath, 'sample')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names.flatMap((name) => {
    const sample = readSampleName(name);
    return sample ? [{ ...sample, name }] : [];
  });
}

/** As the trainer's own time in the names says; prompts of one time in their order. */
function newestFirst(a: Found, b: Found): number {
  return b.time.localeCompare(a.time) || b.savedAtMs - a.savedAtMs || a.prompt - b.prompt;
}

async function readSample(outputPath: string, named: Named): Promise<Found | null> {
  const path = join(outputPath, 'sample', named.name);
  const stats = await lstat(path).catch(() => null);
  if (!stats?.isFile() || !(await isWhole(path, signatureOf(stats), stats.size))) return null;
  return { ...named, bytes: stats.size, savedAtMs: stats.mtimeMs };
}

const isWhole = memoByFile(async (path: string, size: number): Promise<boolean> => {
  const end = await readTail(path, size, PNG_END.length);
  return end.equals(PNG_END);
});

/** The IEND chunk: no data, its name, its checksum (PNG 11.2.5). */
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

async function readTail(path: string, size: number, length: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const tail = Buffer.alloc(length);
    const { bytesRead } = await file.read(tail, 0, length, Math.max(0, size - length));
    return tail.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
