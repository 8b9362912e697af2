import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { readBytes } from '../files/regularFile.js';
import { writeWhole } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { changeDataset, type DatasetFolder } from './folder.js';
import { requireFileName } from './names.js';
import { putAway } from './trash.js';

/** Bytes. A caption is a few sentences. */
export const LONGEST_CAPTION = 100_000;

/** A page saves while a person types: saves this close together belong to one edit. */
const SAME_EDIT_MS = 60_000;

/** `kept`: where the old caption is, relative to the datasets. */
export type SavedCaption = {
  stem: string;
  file: string;
  caption: string | null;
  outcome: 'created' | 'replaced' | 'unchanged' | 'removed';
  kept: string | null;
  message: string;
};

/**
 * Saves the caption of the pictures with this stem, byte for byte. An empty caption removes the file: sd-scripts stops with
 * an assertion on an empty file, and uses the trigger word if there is none (library/train_util.py read_caption). The trash
 * keeps the old caption; of several edits in a row, the one before the first. Throws a Problem: no such dataset, not UTF-8,
 * a bad file name, disk full.
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
      `is ${notText(content)}, which trainers can't read. It was not saved. Save it as UTF-8 in a text editor and upload it again.`,
      { file, field: 'caption' },
    );
  return changeDataset(root, name, file, (folder) => place(folder, file, content, caption, by));
}

/** The text of a caption file; null if it is not UTF-8. Text holds no NUL: UTF-16 is half of them, and passes for UTF-8. */
export function captionText(content: Uint8Array): string | null {
  try {
    return content.includes(0) ? null : new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    // silent: that is the answer.
    return null;
  }
}

/** What it is that `captionText` takes for no text, after "It is". */
export function notText(content: Uint8Array): string {
  const mark = Buffer.from(content.subarray(0, 4)).toString('hex');
  if (mark === 'fffe0000' || mark === '0000feff') return 'UTF-32, not UTF-8 text';
  // A NUL at the very end is no half of a letter.
  const inside = content.subarray(0, 1 + content.findLastIndex((byte) => byte !== 0));
  const nuls = [0, 1].map((parity) => inside.filter((byte, at) => byte === 0 && at % 2 === parity).length);
  const [even = 0, odd = 0] = nuls;
  const isMarked = mark.startsWith('fffe') || mark.startsWith('feff');
  if (isMarked || (Math.min(even, odd) === 0 && (even + odd) * 10 > content.length)) return 'UTF-16, not UTF-8 text';
  return content.includes(0) ? 'not UTF-8 text: it holds NUL bytes' : 'not UTF-8 text';
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
    const message = 'No caption: the trigger word is used instead.';
    const where = kept ? ` The old caption is in ${kept}.` : '';
    return { ...saved, caption: null, outcome: kept ? 'removed' : 'unchanged', kept, message: message + where };
  }
  if (
    old?.isFile() &&
    old.size === content.length &&
    (await readBytes(target, content.length, 'refused')).equals(content)
  )
    return { ...saved, outcome: 'unchanged' };
  const sameEdit = by === 'edit' && old?.isFile() && Date.now() - old.mtimeMs < SAME_EDIT_MS;
  const kept = old && !sameEdit ? await putAway(folder, [file], { keep: old.isFile() }) : null;
  await writeWhole(target, content);
  const where = kept ? ` The old caption is in ${kept}.` : '';
  return { ...saved, outcome: old ? 'replaced' : 'created', kept, message: saved.message + where };
}
