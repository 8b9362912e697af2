import { readFile, rm } from 'node:fs/promises';
import { Problem } from '../../problem.js';
import { captionText, saveCaption } from '../caption.js';
import type { DatasetFolder } from '../folder.js';
import { captionStem, requirePictureName } from '../names.js';
import { examine, placePicture, type SaveOptions } from '../savePicture.js';
import type { Taken } from '../uploads/facts.js';
import type { Unpacked } from './unpack.js';

/**
 * Takes the pictures and captions of a zip into a dataset. All of them are unpacked, decoded and checked in `into`, an empty
 * folder on the same disk, before the first one is moved: an archive that can't be used changes nothing. Single pictures
 * that can't be decoded are named, and the others are taken. Throws a Problem as `unpack` does.
 */
export async function takeArchive(
  folder: DatasetFolder,
  archive: string,
  into: string,
  options: SaveOptions & { tell: (done: number, total: number) => void },
): Promise<Taken> {
  // Loaded with the first archive: most pods never see one.
  const { unpack } = await import('./unpack.js');
  const taken: Taken = { accepted: [], notes: [], refused: [] };
  const ready: (Unpacked & { stripped: string[] })[] = [];
  const { passedOver } = await unpack(
    archive,
    into,
    async (file) => {
      try {
        ready.push(await check(file, options));
      } catch (error) {
        await rm(file.received.path, { force: true });
        if (!(error instanceof Problem) || error.status >= 500) throw error;
        taken.refused.push({ file: file.name, code: error.code, reason: error.message });
      }
    },
    options.tell,
  );
  for (const { name, kind, received, stripped } of ready) {
    const note = await (kind === 'picture'
      ? placed(folder, name, received, stripped)
      : captioned(folder, name, received));
    taken.accepted.push(name);
    if (note) taken.notes.push(note);
  }
  if (passedOver.length > 0) taken.notes.push(passedOverNote(passedOver));
  return taken;
}

async function check(file: Unpacked, options: SaveOptions): Promise<Unpacked & { stripped: string[] }> {
  if (file.kind === 'picture') {
    requirePictureName(file.name);
    const { stripped, ...received } = await examine(file.received, file.name, options);
    return { ...file, received, stripped };
  }
  if (captionText(await readFile(file.received.path)) === null)
    throw new Problem('not_utf8', 422, `${file.name} is not UTF-8 text, and trainers stop on it. It was not saved.`);
  return { ...file, stripped: [] };
}

async function placed(folder: DatasetFolder, name: string, received: Unpacked['received'], stripped: string[]) {
  const { replaced, message } = await placePicture(folder, name, received);
  return [replaced ? message : '', strippedNote(name, stripped)].filter(Boolean).join(' ');
}

async function captioned({ root, name }: DatasetFolder, file: string, received: Unpacked['received']) {
  const saved = await saveCaption(root, name, captionStem(file) ?? '', await readFile(received.path), 'upload');
  return saved.caption === null || saved.kept ? saved.message : '';
}

export function strippedNote(file: string, stripped: readonly string[]): string {
  return stripped.length === 0 ? '' : `Stripped from ${file}: ${stripped.join(', ')}.`;
}

function passedOverNote(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return `Passed over, for they are neither pictures nor captions: ${shown}${more}.`;
}
