import { lstat, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { captionText, LONGEST_CAPTION } from './caption.js';
import type { DatasetDetail, DatasetImage } from './facts.js';
import { confined, datasetFolder } from './folder.js';
import { datasetFacts } from './list.js';
import { captionStem, hasMixedEnding, pictureStem } from './names.js';
import { measurePicture, PictureProblem, type PictureSize, revisionOf } from './picture.js';
import { Recent } from './recent.js';
import { gate } from './turns.js';

/** Everything about one dataset, in the order of names. Throws a Problem, 404, where there is none. */
export async function readDataset(root: string, name: string): Promise<DatasetDetail> {
  const folder = await datasetFolder(root, name);
  const { facts, pictures, captions } = await datasetFacts(root, name, folder);
  const stems = new Set(pictures.map(stemOf));
  return {
    ...facts,
    files: await Promise.all(pictures.map((file) => reading(() => describePicture(root, folder, file)))),
    orphan_captions: captions.filter((file) => !stems.has(captionStem(file) ?? '')),
  };
}

/** One picture as it lies on the disk, with its caption. What is wrong with either is said in words, not thrown. */
export async function describePicture(root: string, folder: string, file: string): Promise<DatasetImage> {
  const stem = stemOf(file);
  const [picture, words] = await Promise.all([
    measured(root, join(folder, file)),
    caption(root, join(folder, `${stem}.txt`)),
  ]);
  const problem = hasMixedEnding(file) ? 'Its ending is of mixed letters: trainers pass over it.' : picture.problem;
  return { file, stem, ...picture, problem, ...words };
}

/** Open files at once, over all requests. */
const reading = gate(16);
const sizes = new Recent<PictureSize | string>(20_000);

function stemOf(file: string): string {
  return pictureStem(file) ?? file.slice(0, file.lastIndexOf('.'));
}

async function measured(root: string, path: string) {
  const unreadable = (problem: string) => ({ bytes: 0, width: null, height: null, problem, revision: '' });
  try {
    const real = (await lstat(path)).isSymbolicLink() ? await confined(root, path) : path;
    if (real === null) return unreadable('It is a link to a file that is gone.');
    const facts = await stat(real);
    if (!facts.isFile()) return unreadable('It is no file.');
    const file = { bytes: facts.size, mtimeMs: facts.mtimeMs };
    const size = await measuredOnce(real, revisionOf(file));
    const known = typeof size === 'string' ? { width: null, height: null, problem: size } : { ...size, problem: null };
    return { bytes: file.bytes, ...known, revision: revisionOf(file) };
  } catch (error) {
    if (error instanceof Problem) return unreadable(error.message);
    return unreadable(`It can't be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}).`);
  }
}

async function measuredOnce(path: string, revision: string): Promise<PictureSize | string> {
  const key = `${path}\0${revision}`;
  const known = sizes.get(key);
  if (known) return known;
  const size = await measurePicture(path).catch((error) => {
    if (error instanceof PictureProblem) return error.message;
    throw error;
  });
  sizes.set(key, size);
  return size;
}

async function caption(root: string, path: string): Promise<Pick<DatasetImage, 'caption' | 'caption_problem'>> {
  try {
    const link = await lstat(path).catch(() => null);
    if (link === null) return { caption: null, caption_problem: null };
    const real = link.isSymbolicLink() ? await confined(root, path) : path;
    const facts = real === null ? null : await stat(real);
    if (real === null || !facts?.isFile()) return { caption: null, caption_problem: 'It is no file.' };
    if (facts.size > LONGEST_CAPTION)
      return { caption: null, caption_problem: `It is longer than ${LONGEST_CAPTION / 1000} kB.` };
    const text = captionText(await readFile(real));
    return { caption: text, caption_problem: text === null ? 'It is not UTF-8 text.' : null };
  } catch (error) {
    if (error instanceof Problem) return { caption: null, caption_problem: error.message };
    return { caption: null, caption_problem: `It can't be read (${(error as NodeJS.ErrnoException).code}).` };
  }
}
