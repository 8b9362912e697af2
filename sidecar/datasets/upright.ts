import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../files/wholeFile.js';
import { changeDataset, openPicture } from './folder.js';
import { makeUpright } from './picture.js';
import { PictureProblem } from './pictureProblem.js';
import { readDataset } from './read.js';
import { putAway } from './trash.js';

/** `turned`: files whose pixels are upright now; `failed`: those that are left as they were, each with the reason. */
export const turnedUpright = z.object({
  turned: z.array(z.string()),
  failed: z.array(z.object({ file: z.string(), reason: z.string() })),
});
export type TurnedUpright = z.infer<typeof turnedUpright>;

/**
 * Turns the pixels of each picture that only its metadata turns, which sd-scripts ignores (library/train_util.py load_image). The
 * originals go to the dataset's trash. Throws a Problem: no such dataset, disk full.
 */
export async function turnUpright(root: string, name: string): Promise<TurnedUpright> {
  const done: TurnedUpright = { turned: [], failed: [] };
  for (const { file, turned } of (await readDataset(root, name)).files) {
    if (!turned) continue;
    const made = await uprightOf(root, name, file);
    if (made instanceof PictureProblem) done.failed.push({ file, reason: `${made.message} ${made.remedy}`.trim() });
    else if (made) {
      await changeDataset(root, name, file, async (folder) => {
        await putAway(folder, [file], { keep: true });
        await writeWhole(join(folder.at, file), made);
      });
      done.turned.push(file);
    }
  }
  return done;
}

async function uprightOf(root: string, name: string, file: string): Promise<Buffer | PictureProblem> {
  const { handle, path } = await openPicture(root, name, file);
  try {
    return await makeUpright(path);
  } catch (error) {
    if (error instanceof PictureProblem) return error;
    throw error;
  } finally {
    await handle.close();
  }
}
