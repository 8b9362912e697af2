import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { LONGEST_CAPTION, saveCaption } from '../datasets/caption.js';
import { makeDataset, removeEmpty } from '../datasets/folder.js';
import { captionStem, datasetNameFrom } from '../datasets/names.js';
import { receiveShort } from '../datasets/receive.js';
import { savePicture } from '../datasets/savePicture.js';
import { refusalOf, type Taken } from '../datasets/uploads/facts.js';
import { isArchive, receiveArchive } from '../datasets/uploads/take.js';
import { semaphore } from '../files/queue.js';
import { Problem } from '../problem.js';

/** What a form with files led to. */
export type FormUpload = Taken & { name: string; created: boolean };

/** Files of one form: what a browser without scripts sends at once. */
const MOST_FILES = 5000;

/**
 * Takes a form with the field `name` and up to 5,000 pictures, captions and archives after it, each streamed to the disk as
 * it arrives. A file that is refused stops no other. Adds to a dataset that exists. Throws a Problem for the name, and 400
 * for a body that breaks off: what was accepted until then stays.
 *
 * @param typed is told the name as it was typed, also where a Problem is thrown
 */
export async function receiveDatasetForm(
  root: string,
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  typed: { name?: string },
): Promise<FormUpload> {
  const parser = parserFor(contentType);
  let dataset: Promise<Dataset> | undefined;
  const work: Promise<Taken>[] = [];
  const inTurn = semaphore(1);
  let tooMany = false;
  parser.on('filesLimit', () => {
    tooMany = true;
  });
  parser.on('field', (field, value) => {
    if (field !== 'name' || dataset) return;
    typed.name = value;
    dataset = openDataset(root, value);
    // silent: each file of the form hears it (`keep`).
    dataset.catch(() => {});
  });
  parser.on('file', (_field, part, { filename }) => {
    // Chosen nothing: browsers send one file without name or content.
    if (!filename) part.resume();
    else work.push(keep(root, dataset, part, filename, inTurn));
  });
  const parsed = await pipeline(Readable.from(body, { objectMode: false }), parser).catch((error: Error) => error);
  const settled = await Promise.allSettled(work);
  const outcomes = settled.flatMap((file) => (file.status === 'fulfilled' ? file.value : []));
  const accepted = outcomes.flatMap((each) => each.accepted);
  // silent: the answer says it (`missingName`, or the name's own Problem).
  const made = await dataset?.catch(() => null);
  if (made?.created && accepted.length === 0 && work.length > 0) await removeEmpty(root, made.name);
  if (parsed) throw cutOff(accepted.length);
  for (const file of settled) if (file.status === 'rejected') throw file.reason;
  return {
    ...(await (dataset ?? missingName())),
    accepted,
    converted: outcomes.flatMap(({ converted }) => converted),
    notes: [...outcomes.flatMap(({ notes }) => notes), ...(tooMany ? [TOO_MANY] : [])],
    refused: outcomes.flatMap(({ refused }) => refused),
  };
}

const TOO_MANY = `Only the first ${MOST_FILES.toLocaleString('en')} files of the form were taken: upload the others again.`;

type Dataset = { name: string; created: boolean };

function parserFor(contentType: string): busboy.Busboy {
  try {
    // The whole path, so that `../x.png` is refused in words and not silently taken for x.png.
    const limits = { fields: 20, fieldSize: 10_000, files: MOST_FILES, headerPairs: 50 };
    return busboy({ headers: { 'content-type': contentType }, preservePath: true, defParamCharset: 'utf8', limits });
  } catch (error) {
    throw new Problem('bad_form', `The form can't be read: ${(error as Error).message}. Nothing was saved.`);
  }
}

async function openDataset(root: string, typed: string): Promise<Dataset> {
  const name = datasetNameFrom(typed);
  return { name, created: await makeDataset(root, name) };
}

async function keep(
  root: string,
  dataset: Promise<Dataset> | undefined,
  part: Readable,
  file: string,
  inTurn: ReturnType<typeof semaphore>,
): Promise<Taken> {
  // A part may break off before anyone reads it.
  part.on('error', () => {});
  try {
    const { name } = await (dataset ?? missingName());
    // Left undestroyed when a file is refused halfway: the parser waits for its rest to be read.
    const chunks: AsyncIterable<Uint8Array> = part.iterator({ destroyOnReturn: false });
    const stem = captionStem(file);
    if (isArchive(file)) return await receiveArchive(root, name, file, chunks);
    if (stem === null) {
      const { notes, converted } = await savePicture(root, name, file, chunks, inTurn);
      return { accepted: [file], converted: converted ? [file] : [], notes, refused: [] };
    }
    const saved = await saveCaption(root, name, stem, await receiveShort(chunks, file, LONGEST_CAPTION), 'upload');
    return accepted(file, saved.caption === null || saved.kept ? saved.message : '');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { accepted: [], converted: [], notes: [], refused: [refusalOf(file, error)] };
  } finally {
    part.resume();
  }
}

function accepted(file: string, ...notes: string[]): Taken {
  return { accepted: [file], converted: [], notes: notes.filter(Boolean), refused: [] };
}

async function missingName(): Promise<Dataset> {
  const message = 'The form names no dataset before its files: send the field “name” first. Nothing was saved.';
  throw new Problem('bad_name', message, { field: 'name' });
}

function cutOff(accepted: number): Problem {
  const stays = accepted > 0 ? `The ${accepted} files that had arrived are saved.` : 'Nothing was saved.';
  return new Problem('upload_cut_off', `The upload broke off before its end. ${stays} Upload the others again.`);
}
