import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { inTurn } from '../files/queue.js';
import { writeWhole } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { withDiskWords } from './diskWords.js';
import { type DatasetFolder, inDataset } from './folder.js';
import { requireFileName } from './names.js';
import { putAway } from './trash.js';

/** Bytes. A caption is a few sentences. */
export const LONGEST_CAPTION = 100_000;

/** A page saves while a person types: what was written so shortly before is the same edit. */
const SAME_EDIT_MS = 60_000;

/** `kept` is where the caption that was replaced or removed lies, relative to the datasets. */
export type SavedCaption = {
  stem: string;
  file: string;
  caption: string | null;
  outcome: 'created' | 'replaced' | 'unchanged' | 'removed';
  kept: string | null;
  message: string;
};

/**
 * Saves the caption of the pictures of one stem, byte for byte. An empty one removes the file: sd-scripts stops with an
 * assertion on an empty caption file, and takes the trigger word where there is none (sd-scripts library/train_util.py
 * read_caption). What is replaced is kept in the trash; of many an edit in a row, what was there before the first of them. Throws
 * a Problem: no such dataset, not UTF-8 or no file name, disk full.
 */
export async function saveCaption(
  root: string,
  name: string,
  stem: string,
  content: Buffer,
  by: 'edit' | 'upload',
): Promise<SavedCaption> {
  const file = `${stem}.txt`;
  if (stem === '') requireFileName(stem);
  requireFileName(file);
  const caption = captionText(content);
  if (caption === null)
    throw new Problem(
      'not_utf8',
      `${file} is not UTF-8 text, and trainers stop on it. It was not saved. Open it in an editor, save it with the encoding UTF-8, and upload it again.`,
      { field: 'caption' },
    );
  return inDataset(root, name, (folder) =>
    withDiskWords(join(root, name, file), () => inTurn(folder.path, () => place(folder, file, content, caption, by))),
  );
}

/** The text of a caption file, null where it is not UTF-8. */
export function captionText(content: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    // silent: that is the answer.
    return null;
  }
}

async function place(
  folder: DatasetFolder,
  file: string,
  content: Buffer,
  caption: string,
  by: 'edit' | 'upload',
): Promise<SavedCaption> {
  const target = join(folder.at, file);
  const old = await lstat(target).catch(ifUnreadable(null, 'datasets'));
  const saved = { stem: file.slice(0, -'.txt'.length), file, caption, kept: null, message: `${file} was saved.` };
  if (caption.trim() === '') {
    const kept = old && (await putAway(folder, [file]));
    const message = `${file} is empty, so there is no such file now and the trigger word is used instead.`;
    const where = kept ? ` The old caption is kept in ${kept}.` : '';
    return { ...saved, caption: null, outcome: kept ? 'removed' : 'unchanged', kept, message: message + where };
  }
  if (old?.isFile() && old.size === content.length && (await readFile(target)).equals(content))
    return { ...saved, outcome: 'unchanged' };
  const sameEdit = by === 'edit' && old?.isFile() && Date.now() - old.mtimeMs < SAME_EDIT_MS;
  const kept = old && !sameEdit ? await putAway(folder, [file], { keep: old.isFile() }) : null;
  await writeWhole(target, content);
  const where = kept ? ` The caption before is kept in ${kept}.` : '';
  return { ...saved, outcome: old ? 'replaced' : 'created', kept, message: saved.message + where };
}
