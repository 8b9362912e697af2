import { rm, stat } from 'node:fs/promises';
import { readBytes } from '../../files/regularFile.js';
import { Problem } from '../../problem.js';
import { asKept, type Kept, renamedWords } from '../asKept.js';
import { captionText, LONGEST_CAPTION, notText, saveCaption } from '../caption.js';
import { isDiskProblem } from '../diskWords.js';
import type { DatasetFolder } from '../folder.js';
import { captionStem, requireUploadName } from '../names.js';
import { countPixels } from '../picture.js';
import { placePicture } from '../savePicture.js';
import { refusalOf, type Taken } from '../uploads/facts.js';
import { refused } from './refused.js';
import type { Unpacked } from './unpack.js';

/** Takes a decoder about 10 s. */
const HARMLESS_PIXELS = 2 ** 30;
/** Photos have about ten, two-colour masks some hundreds, a one-colour WebP millions. */
const MOST_PIXELS_A_BYTE = 500;

/** A file of an archive as the dataset keeps it: `name` in the archive, `file` in the dataset. */
type Ready = Kept & Pick<Unpacked, 'name' | 'kind'>;

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
  const taken: Taken = { accepted: [], converted: [], notes: [], refused: [] };
  const ready: Ready[] = [];
  const mostPixels = Math.max(HARMLESS_PIXELS, (await stat(archive)).size * MOST_PIXELS_A_BYTE);
  let pixels = 0;
  const { passedOver } = await unpack(
    archive,
    into,
    async (file) => {
      const { name, kind, received } = file;
      if (kind === 'picture') pixels += await countPixels(received.path);
      if (pixels > mostPixels)
        throw refused('archive_bomb', `its pictures have more than ${inMillions(mostPixels)} million pixels`);
      try {
        ready.push({ ...(await checked(file, options.signal)), name, kind });
      } catch (error) {
        await rm(received.path, { force: true });
        if (!(error instanceof Problem) || isDiskProblem(error)) throw error;
        taken.refused.push(refusalOf(name, error));
      }
    },
    options.tell,
    options.signal,
  );
  options.signal.throwIfAborted();
  for (const each of refuseTakenNames(ready, taken)) {
    const note = await (each.kind === 'picture' ? placed(folder, each) : captioned(folder, each));
    taken.accepted.push(each.name);
    if (each.converted) taken.converted.push(each.name);
    if (note) taken.notes.push(note);
  }
  if (passedOver.length > 0) taken.notes.push(passedOverNote(passedOver));
  return taken;
}

async function checked({ kind, name, received }: Unpacked, signal: AbortSignal): Promise<Kept> {
  if (kind === 'picture') {
    requireUploadName(name);
    return asKept(name, received, signal);
  }
  const content = await readBytes(received.path, LONGEST_CAPTION);
  if (captionText(content) === null)
    throw new Problem('not_utf8', `is ${notText(content)}, which trainers can't read. It was not saved.`, {
      file: name,
    });
  return { file: name, received, converted: false };
}

/** Leaves out, and says so, what got its name here and would overwrite another picture of the archive: IMG_1.heic of IMG_1.jpg. */
function refuseTakenNames(ready: readonly Ready[], taken: Taken): Ready[] {
  const alike = (file: string) => file.normalize('NFC').toLowerCase();
  const names = new Set(ready.flatMap(({ name, file }) => (file === name ? [alike(file)] : [])));
  return ready.filter(({ name, file }) => {
    if (file === name) return true;
    if (names.has(alike(file))) {
      const words = `was not saved: it would become ${file}, and the archive holds another picture of that name. Rename one of them, and upload it again.`;
      taken.refused.push(refusalOf(name, new Problem('name_taken', words, { file: name })));
      return false;
    }
    names.add(alike(file));
    return true;
  });
}

async function placed(folder: DatasetFolder, ready: Ready) {
  const { replaced, message } = await placePicture(folder, ready);
  return [...renamedWords(ready.name, ready), ...(replaced ? [message] : [])].join(' ');
}

async function captioned({ root, name }: DatasetFolder, { file, received }: Ready) {
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
