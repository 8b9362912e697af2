import { mkdir, readdir, rm, stat, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, ifUnreadable } from '../caught.js';
import { semaphore } from '../files/queue.js';
import { readBytes } from '../files/regularFile.js';
import { isTemporary, writeWhole } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { openInside, samePath } from '../security/paths.js';
import type { DatasetDetail, DatasetImage } from './facts.js';
import { makePlain } from './picture.js';
import { PictureProblem } from './pictureProblem.js';
import { LARGEST_PICTURE } from './receive.js';

/** The pictures that a trainer of plain PNGs can't read, or would read the wrong way up. A BMP can't be read here either. */
export function notPlain({ files }: DatasetDetail): DatasetImage[] {
  return files.filter(({ plain, unchecked, problem }) => !plain && !unchecked && problem === null);
}

/**
 * Makes `folder` a copy of a dataset that a trainer of plain PNGs can read: what is no plain PNG is converted, upright, in
 * 8-bit sRGB, as small as a training at `resolution` pixels needs it; everything else is a link. Each keeps its name, so
 * that captions and order stay the same. The dataset is not touched. A file that is converted already is kept. Throws a
 * Problem that names the picture that can't be converted.
 */
export async function convertDataset(
  root: string,
  detail: DatasetDetail,
  folder: string,
  resolution: number,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const converted = new Set(notPlain(detail).map(({ file }) => file));
  const captions = (await readdir(detail.path)).filter((file) => file.endsWith('.txt'));
  const linked = [...detail.files.map(({ file }) => file).filter((file) => !converted.has(file)), ...captions];
  const wanted = new Set([...converted, ...linked]);
  for (const file of await readdir(folder)) if (!wanted.has(file) || isTemporary(file)) await remove(folder, file);
  for (const file of linked) await linkTo(join(detail.path, file), join(folder, file));
  const each = [...converted].map((file) =>
    converting(() => convert(root, join(detail.path, file), join(folder, file), resolution)),
  );
  await Promise.all(each);
}

const converting = semaphore(2);

function remove(folder: string, file: string): Promise<void> {
  return rm(join(folder, file), { force: true, recursive: true });
}

/** Not all network volumes have links. */
async function linkTo(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await symlink(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EINVAL'].includes(`${error.code}`)) throw error;
    await writeWhole(to, await readBytes(from, LARGEST_PICTURE));
  });
}

/** The time of the picture is that of its conversion, by which it is known again. */
async function convert(root: string, from: string, to: string, resolution: number): Promise<void> {
  const source = await openInside(root, from);
  if (source === null) return;
  try {
    const { mtimeMs } = await source.stat();
    const before = await stat(to).catch(ifMissing(null));
    if (before?.isFile() && Math.abs(before.mtimeMs - mtimeMs) < 1) return;
    await rm(to, { force: true }).catch(ifUnreadable(undefined, 'datasets'));
    await writeWhole(to, await makePlain(samePath(source, from), resolution));
    await utimes(to, mtimeMs / 1000, mtimeMs / 1000);
  } catch (error) {
    if (!(error instanceof PictureProblem)) throw error;
    const file = from.slice(from.lastIndexOf('/') + 1);
    const message = `can't be converted for this trainer. ${error.message} ${error.remedy}`;
    throw new Problem('not_decodable', message, { file, field: 'dataset' });
  } finally {
    await source.close();
  }
}
