import { access, constants, type FileHandle, lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { inFile } from '../files/inFile.js';
import { Lru } from '../files/lru.js';
import { semaphore } from '../files/queue.js';
import { readOpened } from '../files/regularFile.js';
import { Problem } from '../problem.js';
import { openInside, realInside, samePath } from '../security/paths.js';
import { captionText, LONGEST_CAPTION, notText } from './caption.js';
import { damageOf, decodeAll, type OnDisk, rememberWhole } from './decoded.js';
import type { DatasetDetail, DatasetImage } from './facts.js';
import { type DatasetFolder, inDataset } from './folder.js';
import { datasetFacts } from './list.js';
import { captionStem, captionStemsOf, hasMixedEnding, pictureStem, withoutEnding } from './names.js';
import { findPassedOver } from './passedOver.js';
import { type LookedAt, lookAtPicture, revisionOf } from './picture.js';
import { PictureProblem } from './pictureProblem.js';

/**
 * Reads everything about one dataset, in the order of names. Throws a Problem if it does not exist.
 *
 * @param patience milliseconds to wait until all pictures are decoded: little for a page; null to decode none
 */
export async function readDataset(root: string, name: string, patience: number | null = 1500): Promise<DatasetDetail> {
  return inDataset(root, name, async (folder) => {
    const { facts, pictures, captions, others, folders } = await datasetFacts(folder);
    const passed_over = await findPassedOver(folder, others, folders);
    const { other_kinds, other_captions } = passed_over;
    const stems = new Set([...pictures, ...other_kinds].flatMap((file) => captionStemsOf(stemOf(file))));
    const described = await Promise.all(pictures.map((file) => reading(() => describe(folder, file))));
    const good = described.flatMap(({ problem, onDisk }) => (problem === null && onDisk ? onDisk : []));
    if (patience !== null) await decodeAll(root, good, patience);
    return {
      ...facts,
      files: described.map(({ onDisk, ...image }) => ({
        ...image,
        problem: image.problem ?? ((onDisk && damageOf(onDisk)) || null),
      })),
      orphan_captions: captions.filter((file) => !stems.has(captionStem(file) ?? '') && !other_captions.includes(file)),
      passed_over,
      not_decoded: good.filter((picture) => damageOf(picture) === undefined).length,
    };
  });
}

/** Milliseconds that a start waits until all pictures are decoded: about a hundred photos. */
export const BEFORE_A_START = 10_000;

/** Describes a picture that was decoded and has been put there, and its caption. */
export async function describePicture(folder: DatasetFolder, file: string): Promise<DatasetImage> {
  const { onDisk, ...image } = await describe(folder, file);
  if (onDisk) rememberWhole(onDisk);
  return image;
}

/** Describes a picture on the disk and its caption. Problems of either are part of the answer, not thrown. */
async function describe(folder: DatasetFolder, file: string): Promise<DatasetImage & { onDisk: OnDisk | null }> {
  const stem = stemOf(file);
  const [picture, words] = await Promise.all([measured(folder, file), captionOf(folder, stem)]);
  const problem = hasMixedEnding(file) ? 'Its ending is in mixed case, which trainers skip.' : picture.problem;
  return { file, stem, ...picture, problem, ...words };
}

/** Limits the files that are open at once, over all requests. */
const reading = semaphore(16);
const looked = new Lru<LookedAt | string>(20_000);

function stemOf(file: string): string {
  return pictureStem(file) ?? withoutEnding(file);
}

const UNKNOWN = { bytes: 0, width: null, height: null, turned: false, plain: false, revision: '', onDisk: null };

async function measured({ root, at, path }: DatasetFolder, file: string) {
  try {
    const real = await realInside(root, join(at, file));
    if (real === null && file.includes('\ufffd'))
      return { ...UNKNOWN, problem: 'Its name is not UTF-8. Rename it, and its caption with it.' };
    if (real === null) return { ...UNKNOWN, problem: 'It is a link to a file that no longer exists.' };
    const facts = await stat(real);
    if (!facts.isFile()) return { ...UNKNOWN, problem: 'It is not a file.' };
    // The remembered content says nothing about today's permissions.
    await access(real, constants.R_OK);
    const bytes = facts.size;
    const revision = revisionOf({ bytes, mtimeMs: facts.mtimeMs });
    const onDisk = { path: real, key: `${join(path, file)}\0${bytes}\0${facts.ino}\0${facts.ctimeMs}` };
    const known = await lookedAtOnce(root, onDisk);
    const found = typeof known === 'string' ? { problem: known } : known;
    return { ...UNKNOWN, bytes, revision, onDisk, problem: null, ...found };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = error instanceof Problem ? message : `It can't be read (${code ?? message}).`;
    return { ...UNKNOWN, problem };
  }
}

async function lookedAtOnce(root: string, { path, key }: OnDisk): Promise<LookedAt | string> {
  const known = looked.get(key);
  if (known) return known;
  const found = await opened(root, path, (file) => lookAtPicture(samePath(file, path)).catch(inWords));
  const result = found ?? 'It is not a file.';
  looked.set(key, result);
  return result;
}

function inWords(error: unknown): string {
  if (error instanceof PictureProblem) return error.message;
  throw error;
}

type Words = Pick<DatasetImage, 'caption' | 'caption_problem' | 'caption_file'>;

async function captionOf(folder: DatasetFolder, stem: string): Promise<Words> {
  const [own, ...others] = captionStemsOf(stem);
  const words = await caption(folder, `${own}.txt`);
  if (words.caption !== null || words.caption_problem) return words;
  for (const other of others) {
    const shared = await caption(folder, `${other}.txt`);
    if (shared.caption !== null || shared.caption_problem) return { ...shared, caption_file: `${other}.txt` };
  }
  return words;
}

async function caption(folder: DatasetFolder, file: string): Promise<Words> {
  const path = join(folder.at, file);
  const problem = (caption_problem: string) => ({ caption: null, caption_problem });
  try {
    if ((await lstat(path).catch(ifUnreadable(null, 'datasets'))) === null)
      return { caption: null, caption_problem: null };
    const content = await opened(folder.root, path, async (text) =>
      (await text.stat()).size > LONGEST_CAPTION ? null : { bytes: await readOpened(text, LONGEST_CAPTION) },
    );
    if (content === undefined) return problem('It is not a file.');
    if (content === null) return problem(`It is longer than ${LONGEST_CAPTION / 1000} kB.`);
    const text = captionText(content.bytes);
    return { caption: text, caption_problem: text === null ? `It is ${notText(content.bytes)}.` : null };
  } catch (error) {
    if (error instanceof Problem) return problem(error.message);
    return problem(`It can't be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Undefined without such a file. */
async function opened<T>(root: string, path: string, use: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
  return inFile(openInside(root, path), async (file) => {
    return file ? await use(file) : undefined;
  });
}
