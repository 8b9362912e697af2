import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inTurn } from '../files/queue.js';
import { putInPlace } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { openInside, samePath } from '../security/paths.js';
import { isDiskProblem, withDiskWords } from './diskWords.js';
import { type DatasetFolder, inDataset } from './folder.js';
import { datasetFacts } from './list.js';
import { withoutPrivate } from './metadata/strip.js';
import { LARGEST_PICTURE, receive } from './receive.js';
import { requireDecodable } from './savePicture.js';
import { putAway } from './trash.js';

/** `kept` is where the pictures as they were lie, relative to the datasets. */
export type StrippedDataset = {
  stripped: { file: string; found: string[] }[];
  refused: { file: string; reason: string }[];
  kept: string | null;
};

/**
 * Takes private metadata (GPS position, serial numbers, author, …) off all pictures of a dataset. Pixels, orientation and
 * colour profile stay byte for byte. The pictures as they were go to the trash. Throws a Problem.
 */
export async function stripDataset(root: string, name: string): Promise<StrippedDataset> {
  return inDataset(root, name, (folder) =>
    withDiskWords(join(root, name), () =>
      inTurn(folder.path, async () => {
        const result: StrippedDataset = { stripped: [], refused: [], kept: null };
        const clean: { file: string; path: string }[] = [];
        try {
          for (const file of (await datasetFacts(folder)).pictures) {
            const made = await cleanCopy(folder, file).catch(inWords);
            if (typeof made === 'string') result.refused.push({ file, reason: made });
            if (made === null || typeof made === 'string') continue;
            clean.push({ file, path: made.path });
            result.stripped.push({ file, found: made.found });
          }
          if (clean.length === 0) return result;
          result.kept = await putAway(
            folder,
            clean.map(({ file }) => file),
            { keep: true },
          );
          for (const { file, path } of clean) await putInPlace(path, join(folder.at, file));
          return result;
        } finally {
          for (const { path } of clean) await rm(path, { force: true });
        }
      }),
    ),
  );
}

/** Null where there is nothing to strip. */
async function cleanCopy({ root, at }: DatasetFolder, file: string): Promise<{ path: string; found: string[] } | null> {
  const opened = await openInside(root, join(at, file));
  if (opened === null) return null;
  try {
    return await withoutPrivate(samePath(opened, join(at, file)), async (bytes, found) => {
      const { path } = await receive(bytes, join(at, file), LARGEST_PICTURE);
      await requireDecodable(path, file).catch(async (error) => {
        await rm(path, { force: true });
        throw error;
      });
      return { path, found };
    });
  } finally {
    await opened.close();
  }
}

/** A picture that is damaged stays as it is, and hinders no other; what the disk says ends it all. */
function inWords(error: Error): string {
  if (error instanceof Problem ? isDiskProblem(error) : 'code' in error) throw error;
  return error.message;
}
