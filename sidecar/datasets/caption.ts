import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../problem.js';
import { writeWhole } from '../wholeFile.js';
import { datasetFolder } from './folder.js';
import { requireFileName } from './names.js';
import { storing } from './storing.js';
import { putAway } from './trash.js';
import { inTurn } from './turns.js';

/** Bytes. A caption is a few sentences. */
export const LONGEST_CAPTION = 100_000;

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
 * read_caption). Throws a Problem: 404 no such dataset, 422 not UTF-8 or no file name, 507 disk full.
 */
export async function saveCaption(root: string, name: string, stem: string, content: Buffer): Promise<SavedCaption> {
  const file = `${stem}.txt`;
  if (stem === '') requireFileName(stem);
  requireFileName(file);
  const caption = captionText(content);
  if (caption === null)
    throw new Problem(
      'not_utf8',
      422,
      `${file} is not UTF-8 text, and trainers stop on it. It was not saved. Open it in an editor, save it with the encoding UTF-8, and upload it again.`,
      { field: 'caption' },
    );
  const folder = await datasetFolder(root, name);
  return storing(file, () => inTurn(folder, () => place(root, name, folder, file, content, caption)));
}

/** The text of a caption file, null where it is not UTF-8. */
export function captionText(content: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return null;
  }
}

async function place(root: string, name: string, folder: string, file: string, content: Buffer, caption: string) {
  const target = join(folder, file);
  const there = await lstat(target).catch(() => null);
  const before = there?.isFile() ? await readFile(target) : null;
  const facts = { stem: file.slice(0, -'.txt'.length), file, caption: caption.trim() === '' ? null : caption };
  const said = (outcome: SavedCaption['outcome'], kept: string | null, message: string): SavedCaption => ({
    ...facts,
    outcome,
    kept,
    message,
  });
  if (facts.caption === null) {
    if (!there)
      return said('unchanged', null, `${file} is empty, so there is no file: the trigger word is the caption.`);
    const kept = await putAway(root, name, folder, [file]);
    return said(
      'removed',
      kept,
      `The caption was removed: the trigger word is used instead. The old one is kept in ${kept}.`,
    );
  }
  if (before?.equals(content)) return said('unchanged', null, `${file} is saved.`);
  const kept = there ? await putAway(root, name, folder, [file], { keep: there.isFile() }) : null;
  await writeWhole(target, content);
  return said(kept ? 'replaced' : 'created', kept, `${file} was saved.`);
}
