import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ifMissing } from '../caught.js';
import { requireAnswer } from '../files/answers.js';
import { isoTime } from '../files/isoTime.js';
import { Problem } from '../problem.js';
import { realInside } from '../security/paths.js';
import { isFolderName } from '../slug.js';
import type { DatasetFacts } from './facts.js';
import { type DatasetFolder, inDataset } from './folder.js';
import { captionStem, captionStemsOf, hasMixedEnding, pictureStem, printable } from './names.js';
import { ifClosed } from './passedOver.js';

/** Lists all datasets, last changed first, without opening a picture: hundreds of datasets take milliseconds. */
export async function listDatasets(root: string): Promise<DatasetFacts[]> {
  await requireAnswer(root);
  const names = (await readdir(root).catch(ifMissing([]))).filter(isFolderName);
  const all = await Promise.all(names.map((name) => inDataset(root, name, datasetFacts).catch(ifClosed)));
  return all.flatMap((found) => found?.facts ?? []).sort((a, b) => (a.modified_at < b.modified_at ? 1 : -1));
}

/** Says which folders are not listed, and why: for the page. */
export async function listSkipped(root: string): Promise<string[]> {
  const all = await readdir(root, { withFileTypes: true }).catch(ifMissing([]));
  const folders = all.filter((each) => !each.name.startsWith('.') && (each.isDirectory() || each.isSymbolicLink()));
  const words = folders.map(async ({ name }) => {
    const shown = printable(name);
    if (name.includes('\ufffd')) return `The folder ${shown} is not listed, because its name is not UTF-8. Rename it.`;
    if (!isFolderName(name))
      return `The folder ${shown} is not listed. Rename it: shorter than 200 bytes, without backslashes and characters that can't be seen, and no space or hyphen at its ends.`;
    return realInside(root, join(root, name)).then(() => [], inWords);
  });
  return (await Promise.all(words)).flat();
}

function inWords(error: unknown): string[] {
  if (error instanceof Problem) return [error.message];
  throw error;
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
    modified_at: isoTime(mtime.getTime()),
  };
  const others = listed.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const folders = listed.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name);
  return { facts, pictures, captions, others, folders };
}

/** `cat2` before `cat10`; the same on every machine. */
const byName = new Intl.Collator('en', { numeric: true });
