import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
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
