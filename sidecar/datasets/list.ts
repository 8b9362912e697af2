import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Problem } from '../problem.js';
import type { DatasetFacts } from './facts.js';
import { type DatasetFolder, inDataset } from './folder.js';
import { captionStem, captionStemsOf, hasMixedEnding, isDatasetName, pictureStem } from './names.js';

/** Lists all datasets, last changed first, without opening a picture: hundreds of datasets take milliseconds. */
export async function listDatasets(root: string): Promise<DatasetFacts[]> {
  const names = (await entries(root)).filter(isDatasetName);
  const all = await Promise.all(names.map((name) => factsOrNull(root, name)));
  return all.flatMap((facts) => facts ?? []).sort((a, b) => (a.modified_at < b.modified_at ? 1 : -1));
}

/** The facts of one dataset, with the counted file names in order. */
export async function datasetFacts({ root, name, at }: DatasetFolder) {
  const [entries, { mtime }] = await Promise.all([readdir(at, { withFileTypes: true }), stat(at)]);
  const listed = entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => byName.compare(a.name, b.name));
  const visible = listed.map((entry) => entry.name);
  const pictures = visible.filter((file) => pictureStem(file) !== null || hasMixedEnding(file));
  const captions = visible.filter((file) => captionStem(file) !== null);
  const stems = new Set(captions.map(captionStem));
  const facts: DatasetFacts = {
    name,
    path: resolve(root, name),
    images: pictures.length,
    captions: pictures.filter((file) => captionStemsOf(pictureStem(file) ?? '').some((stem) => stems.has(stem))).length,
    cover: pictures[0] ?? null,
    modified_at: mtime.toISOString(),
  };
  const others = listed.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const folders = listed.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name);
  return { facts, pictures, captions, others, folders };
}

/** `cat2` before `cat10`; the same on every machine. */
const byName = new Intl.Collator('en', { numeric: true });

async function entries(root: string): Promise<string[]> {
  try {
    return await readdir(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Null for plain files, links that lead out, and folders that have just gone. */
async function factsOrNull(root: string, name: string): Promise<DatasetFacts | null> {
  try {
    return (await inDataset(root, name, datasetFacts)).facts;
  } catch (error) {
    if (error instanceof Problem || ['ENOENT', 'EACCES'].includes(`${(error as NodeJS.ErrnoException).code}`))
      return null;
    throw error;
  }
}
