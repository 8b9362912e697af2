import { randomBytes } from 'node:crypto';
import { link, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { confined } from './folder.js';

/**
 * Puts files of a dataset away, under their names, into a new folder `.trash/<dataset>/<when>/` of the datasets. Answers
 * that folder, relative to the datasets. Nothing is ever deleted.
 *
 * @param folder the dataset's real folder
 * @param keep leave the files in place too, where the file system has hard links: they are about to be replaced, and no
 *   reader should find them missing for a moment
 */
export async function putAway(
  root: string,
  name: string,
  folder: string,
  files: string[],
  { keep = false }: { keep?: boolean } = {},
): Promise<string> {
  const when = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const place = join('.trash', name, `${when}-${randomBytes(3).toString('hex')}`);
  await mkdir(join(root, '.trash', name), { recursive: true });
  // A .trash that is a link to elsewhere is refused before anything is moved.
  await confined(root, join(root, '.trash', name));
  await mkdir(join(root, place));
  for (const file of files) {
    const [from, to] = [join(folder, file), join(root, place, file)];
    if (keep) await link(from, to).catch(() => rename(from, to));
    else await rename(from, to);
  }
  return place;
}
