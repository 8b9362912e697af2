import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { isFolderName } from '../slug.js';
import { withDiskWords } from './diskWords.js';
import { inDataset } from './folder.js';
import { pictureStem } from './names.js';

/**
 * Removes the trainer's caches of a dataset's pictures and captions, which the next start makes anew. Returns their names.
 * Throws a Problem if the dataset does not exist.
 */
export function clearCaches(root: string, name: string): Promise<string[]> {
  return inDataset(root, name, ({ at, path }) =>
    withDiskWords(path, async () => {
      const files = await readdir(at);
      const caches = cachesAmong(files);
      for (const file of caches) await unlink(join(at, file));
      return caches;
    }),
  );
}

/** The caches of a dataset: names in order, bytes, and the newest change (milliseconds). Null without such a dataset. */
export async function cachesOf(
  root: string,
  name: string,
): Promise<{ files: string[]; bytes: number; newest: number } | null> {
  if (!isFolderName(name)) return null;
  const found = await inDataset(root, name, async ({ at }) => {
    const files = cachesAmong(await readdir(at)).sort();
    const stats = await Promise.all(files.map((file) => lstat(join(at, file))));
    const bytes = stats.reduce((sum, { size }) => sum + size, 0);
    return { files, bytes, newest: Math.max(0, ...stats.map(({ mtimeMs }) => mtimeMs)) };
  }).catch(ifUnreadable(null, 'datasets'));
  return found ?? null;
}

/** Picks the caches: files that sd-scripts names after a picture in the same folder (library/strategy_*.py). */
export function cachesAmong(files: readonly string[]): string[] {
  const stems = new Set(files.flatMap((file) => pictureStem(file) ?? []));
  return files.filter((file) => {
    const stem = CACHE.exec(file)?.[1];
    return stem !== undefined && stems.has(stem);
  });
}

/** `cat_0512x0512_flux.npz`, `cat_flux_te.npz`, `cat_te_outputs.npz`, and the older `cat.npz`. */
const CACHE =
  /^(.+?)(?:(?:_\d{3,5}x\d{3,5})?_(?:sd|sdxl|sd3|flux|lumina|hi|anima)|_(?:sd3|flux|lumina|hi|anima)_te|_te_outputs)?\.npz$/s;
