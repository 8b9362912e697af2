import { rm, stat } from 'node:fs/promises';
import { readBytes } from '../../files/regularFile.js';
import { Problem } from '../../problem.js';
import { captionText, LONGEST_CAPTION, notText, saveCaption } from '../caption.js';
import { isDiskProblem } from '../diskWords.js';
import type { DatasetFolder } from '../folder.js';
import { captionStem, requirePictureName } from '../names.js';
import { countPixels } from '../picture.js';
import { placePicture, requireDecodable } from '../savePicture.js';
import { refusalOf, type Taken } from '../uploads/facts.js';
import { refused } from './refused.js';
import type { Unpacked } from './unpack.js';

/** Takes a decoder about 10 s. */
const HARMLESS_PIXELS = 2 ** 30;
/** Photos have about ten, two-colour masks some hundreds, a one-colour WebP millions. */
const MOST_PIXELS_A_BYTE = 500;

/**
 * Takes the pictures and captions of a zip into a dataset. Unpacks, decodes and checks all of them in `into`, an empty folder
 * on the same disk, before moving the first, so that a bad archive changes nothing. Names single pictures that don't decode,
 * and takes the others. Throws a Problem as `unpack` does, and if the pictures would keep the decoder too long. `signal`
 * cancels it until the first file is moved.
 */
export async function takeArchive(
  folder: DatasetFolder,
  archive: string,
  into: string,
  options: { tell: (done: number, total: number) => void; signal: AbortSignal },
): Promise<Taken> {
  // Loaded with the first archive; most pods never see one.
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
        taken.refused.push(refusalOf(file.name, error));
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
    return;
  }
  const content = await readBytes(path, LONGEST_CAPTION);
  if (captionText(content) === null)
    throw new Problem('not_utf8', `is ${notText(content)}, which trainers can't read. It was not saved.`, {
      file: name,
    });
}

async function placed(folder: DatasetFolder, name: string, received: Unpacked['received']) {
  const { replaced, message } = await placePicture(folder, name, received);
  return replaced ? message : '';
}

async function captioned({ root, name }: DatasetFolder, file: string, received: Unpacked['received']) {
  const saved = await saveCaption(
    root,
    name,
    captionStem(file) ?? '',
    await readBytes(received.path, LONGEST_CAPTION),
    'upload',
  );
  return saved.caption === null || saved.kept ? saved.message : '';
}

function passedOverNote(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return `Skipped, neither pictures nor captions: ${shown}${more}.`;
}

function inMillions(count: number): string {
  return Math.round(count / 1_000_000).toLocaleString('en');
}
