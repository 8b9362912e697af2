import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { inFolder, makeFolder } from '../../security/paths.js';
import { isFolderName } from '../../slug.js';

export type OwnFiles = ReturnType<typeof ownFiles>;

/**
 * Small JSON files of ours beside the sessions, `outputs/<folder>/<key>.json`, so that they survive browsers and pods as the
 * sessions do. A key is a folder's name, never a path.
 *
 * @param most how many there may be: a script in a loop would fill the disk
 * @param largest bytes of one
 */
export function ownFiles(outputs: string, folder: string, { most, largest }: { most: number; largest: number }) {
  const place = join(outputs, folder);
  const isKey = (key: string) => isFolderName(key) && !key.includes('..');
  const read = (at: string, key: string) => readText(join(at, `${key}.json`), largest, 'refused');
  return {
    /** All of them by key; what cannot be read is left out, and logged. */
    async list(): Promise<Map<string, string>> {
      const found = await inFolder(outputs, place, async ({ at }) => {
        const keys = (await readdir(at)).flatMap((file) => /^(.+)\.json$/su.exec(file)?.[1] ?? []).filter(isKey);
        const texts = keys
          .slice(0, most)
          .map(async (key) => [key, await read(at, key).catch(ifUnreadable(null, 'sessions'))]);
        return (await Promise.all(texts)) as [string, string | null][];
      });
      return new Map((found ?? []).filter((each): each is [string, string] => each[1] !== null));
    },
    /** Null without such a file. */
    async read(key: string): Promise<string | null> {
      if (!isKey(key)) return null;
      return inFolder(outputs, place, ({ at }) => read(at, key).catch(ifMissing(null)));
    },
    /** Throws a Problem where there are too many. */
    async write(key: string, text: string): Promise<void> {
      await makeFolder(place);
      await inFolder(outputs, place, async ({ at }) => {
        if ((await readdir(at)).length >= most) {
          throw new Problem('too_many_files', `There are ${most} files in ${place} already. Delete some first.`);
        }
        await writeWhole(join(at, `${key}.json`), text);
      });
    },
    /** False without such a file. */
    async remove(key: string): Promise<boolean> {
      if (!isKey(key)) return false;
      const done = await inFolder(outputs, place, ({ at }) =>
        rm(join(at, `${key}.json`)).then(() => true, ifMissing(false)),
      );
      return done ?? false;
    },
  };
}
