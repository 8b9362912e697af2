import { readFile, rm, stat } from 'node:fs/promises';
import { Problem } from '../../problem.js';
import { captionText, saveCaption } from '../caption.js';
import { isDiskProblem } from '../diskWords.js';
import type { DatasetFolder } from '../folder.js';
import { captionStem, requirePictureName } from '../names.js';
import { countPixels } from '../picture.js';
import { placePicture, requireDecodable } from '../savePicture.js';
import type { Taken } from '../uploads/facts.js';
import { refused } from './refused.js';
import type { Unpacked } from './unpack.js';

/** A decoder goes over them in about 10 s. */
const HARMLESS_PIXELS = 2 ** 30;
/** Photos have about ten, masks of two colours some hundreds, a WebP of one colour millions. */
const MOST_PIXELS_A_BYTE = 500;

/**
 * Takes the pictures and captions of a zip into a dataset. All of them are unpacked, decoded and checked in `into`, an empty
 * folder on the same disk, before the first one is moved: an archive that can't be used changes nothing. Single pictures
 * that can't be decoded are named, and the others are taken. Throws a Problem as `unpack` does, and where its pictures
 * would keep the decoder too long. `signal` calls it off until the first file is moved.
 */
export async function takeArchive(
  folder: DatasetFolder,
  archive: string,
  into: string,
  options: { tell: (done: number, total: number) => void; signal: AbortSignal },
): Promise<Taken> {
  // Loaded with the first archive: most pods never see one.
  const { unpack } = await import('./unpack.js');
  const taken: Taken = { accepted: [], notes: [], refused: [] };
  const ready: Unpacked[] = [];
  const mostPixels = Math.max(HARMLESS_PIXELS, (await stat(archive)).size * MOST_PIXELS_A_BYTE);
  let pixels = 0;
  const { passedOver } = await unpack(
    archive,
    into,
    async (file) => {
      if (file.kind === 'picture') pixels += await countPixels(file.received.path);
      if (pixels > mostPixels)
        throw refused('archive_bomb', `its pictures have more than ${inMillions(mostPixels)} million pixels`);
      try {
        await check(file);
        ready.push(file);
      } catch (error) {
        await rm(file.received.path, { force: true });
        if (!(error instanceof Problem) || isDiskProblem(error)) throw error;
        taken.refused.push({ file: file.name, code: error.code, reason: error.message });
      }
    },
    options.tell,
    options.signal,
  );
  options.signal.throwIfAborted();
  for (const { name, kind, received } of ready) {
    const note = await (kind === 'picture' ? placed(folder, name, received) : captioned(folder, name, received));
    taken.accepted.push(name);
    if (note) taken.notes.push(note);
  }
  if (passedOver.length > 0) taken.notes.push(passedOverNote(passedOver));
  return taken;
}

async function check({ kind, name, received: { path } }: Unpacked): Promise<void> {
  if (kind === 'picture') {
    requirePictureName(name);
    await requireDecodable(path, name);
  } else if (captionText(await readFile(path)) === null)
    throw new Problem('not_utf8', `${name} is not UTF-8 text, and trainers stop on it. It was not saved.`);
}

async function placed(folder: DatasetFolder, name: string, received: Unpacked['received']) {
  const { replaced, message } = await placePicture(folder, name, received);
  return replaced ? message : '';
}

async function captioned({ root, name }: DatasetFolder, file: string, received: Unpacked['received']) {
  const saved = await saveCaption(root, name, captionStem(file) ?? '', await readFile(received.path), 'upload');
  return saved.caption === null || saved.kept ? saved.message : '';
}

function passedOverNote(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return `Passed over, for they are neither pictures nor captions: ${shown}${more}.`;
}

function inMillions(count: number): string {
  return Math.round(count / 1_000_000).toLocaleString('en');
}
