import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { inFile } from '../files/inFile.js';
import { readOpened } from '../files/regularFile.js';
import { writeWhole } from '../files/wholeFile.js';
import { openInside } from '../security/paths.js';
import { captionText, LONGEST_CAPTION } from './caption.js';
import { type CaptionChange, changeCaption, tagsOf } from './changeCaption.js';
import type { DatasetDetail } from './facts.js';
import { changeDataset, type DatasetFolder } from './folder.js';
import { captionStem } from './names.js';
import { putAway } from './trash.js';

/**
 * What a change of all captions did. `removed`: captions that it left empty, on which trainers stop. `entry`: the captions as
 * they were, in the dataset's trash; to put it back undoes the change. `skipped`: files that hold no text, or a longer one.
 */
export const changedCaptions = z.object({
  changed: z.number(),
  removed: z.number(),
  entry: z.string().nullable(),
  skipped: z.array(z.string()),
});
export type ChangedCaptions = z.infer<typeof changedCaptions>;

/**
 * Changes all captions of a dataset. Pictures without a caption stay without one: the trigger word is theirs. Throws a
 * Problem: no such dataset, disk full.
 */
export function changeCaptions(root: string, name: string, change: CaptionChange): Promise<ChangedCaptions> {
  return changeDataset(root, name, 'the change of captions', async (folder) => {
    const files = (await readdir(folder.at)).filter((file) => captionStem(file) !== null && !file.startsWith('.'));
    const changed: { file: string; text: string }[] = [];
    const skipped: string[] = [];
    for (const file of files) {
      const before = await readCaption(folder, file);
      if (before === null) skipped.push(file);
      const text = changeCaption(before ?? '', change);
      if (before === null || before === text) continue;
      if (Buffer.byteLength(text) > LONGEST_CAPTION) skipped.push(file);
      else changed.push({ file, text });
    }
    const empty = changed.filter(({ text }) => text.trim() === '');
    if (changed.length === 0) return { changed: 0, removed: 0, entry: null, skipped };
    const kept = await putAway(
      folder,
      changed.map(({ file }) => file),
      { keep: true },
    );
    for (const { file, text } of changed) if (text.trim() !== '') await writeWhole(join(folder.at, file), text);
    for (const { file } of empty) await rm(join(folder.at, file), { force: true });
    return { changed: changed.length, removed: empty.length, entry: basename(kept), skipped };
  });
}

/** How many pictures have each tag, the most frequent first. */
export function countTags({ files }: DatasetDetail): { tag: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { caption } of files) for (const tag of tagsOf(caption ?? '')) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => ({ tag, count })).sort((a, b) => b.count - a.count);
}

/** Null for what is no file with a text of a caption's length. */
async function readCaption({ root, at }: DatasetFolder, file: string): Promise<string | null> {
  return inFile(openInside(root, join(at, file)), async (opened) => {
    if (!opened || (await opened.stat()).size > LONGEST_CAPTION) return null;
    const bytes = await readOpened(opened, LONGEST_CAPTION);
    // The decoder takes the mark of the byte order for none of the text.
    const text = captionText(bytes);
    return text === null ? null : bytes.toString('utf8');
  });
}
