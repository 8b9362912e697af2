import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { semaphore } from '../../files/queue.js';
import { log } from '../../log.js';
import { Problem } from '../../problem.js';
import { takeArchive } from '../archive/takeArchive.js';
import { isDiskProblem, withDiskWords } from '../diskWords.js';
import { type DatasetFolder, inDataset } from '../folder.js';
import { requireFileName } from '../names.js';
import { receive } from '../receive.js';
import { takePicture } from '../savePicture.js';
import type { Taken } from './facts.js';
import { arrivedBytes, type HalfDone, inNewFolder, inUpload, type UploadRecord, writeRecord } from './halfDone.js';

/** Bytes. */
export const LARGEST_ARCHIVE = 64_000_000_000;

/** `end` cancels an archive until its first file is moved into the dataset, and the conversion of a photo. */
export type Taking = { unpacked: { done: number; total: number } | null; ended: Promise<void>; end: AbortController };

/** Unpacks one archive after the other: each keeps the disk busy. */
const unpacking = semaphore(1);
const underWay = new Map<string, Taking>();

/** The taking of an upload that is under way, if any. */
export function takingOf(root: string, id: string): Taking | null {
  return underWay.get(join(root, id)) ?? null;
}

/**
 * Takes a whole upload into its dataset, once for any number of calls. The upload's record keeps the result for a page that
 * lost the connection. `ended` rejects with a Problem if the disk is full or fails: the bytes are kept then, and the next
 * call tries again.
 */
export function take(root: string, dataset: string, id: string): Taking {
  const key = join(root, id);
  const present = underWay.get(key);
  if (present) return present;
  const taking: Taking = { unpacked: null, ended: Promise.resolve(), end: new AbortController() };
  taking.ended = inUpload(root, dataset, id, async (upload) => {
    const { taken, problem } = upload.record;
    if (!taken && !problem) await settle(upload, taking);
  }).finally(() => underWay.delete(key));
  // silent: a waiting caller (uploads.ts) gets the error, and the upload's record keeps it.
  taking.ended.catch(() => {});
  underWay.set(key, taking);
  return taking;
}

/** Has the upload arrived whole, with no result yet? */
export async function isDue(upload: HalfDone): Promise<boolean> {
  const { taken, problem, bytes } = upload.record;
  return !taken && !problem && (await arrivedBytes(upload)) === bytes;
}

async function settle(upload: HalfDone, taking: Taking): Promise<void> {
  const outcome: Pick<UploadRecord, 'taken' | 'problem'> = { taken: null, problem: null };
  try {
    outcome.taken = await takeWhole(upload, taking);
  } catch (error) {
    if (!(error instanceof Problem) || isDiskProblem(error)) throw error;
    outcome.problem = { code: error.code, message: error.message, after_name: error.afterName };
  }
  const { dataset, file, bytes } = upload.record;
  const told = { dataset, file, bytes, code: outcome.problem?.code };
  log.info('datasets', outcome.taken ? 'An upload was saved.' : 'An upload was refused.', told);
  await writeRecord(upload.at, { ...upload.record, ...outcome });
  await rm(upload.content, { force: true });
}

async function takeWhole(upload: HalfDone, taking: Taking): Promise<Taken> {
  const { root, record, content } = upload;
  const { dataset, file, bytes } = record;
  return inDataset(root, dataset, (folder) =>
    withDiskWords(join(root, dataset, file), async () => {
      if (!isArchive(file)) {
        // Under another name: takePicture removes its file in any case.
        const path = join(upload.at, 'picture');
        await rename(content, path);
        const { notes, converted } = await takePicture(folder, file, { path, bytes }, taking.end.signal);
        return { accepted: [file], converted: converted ? [file] : [], notes, refused: [] };
      }
      const tell = (done: number, total: number) => {
        taking.unpacked = { done, total };
      };
      const { signal } = taking.end;
      return takeUnpacked(folder, content, join(upload.at, 'unpacked'), { tell, signal });
    }),
  );
}

/** Unpacks in an empty `into`, free of a killed sidecar's leftovers, and empties it afterwards. */
async function takeUnpacked(
  folder: DatasetFolder,
  archive: string,
  into: string,
  options: Parameters<typeof takeArchive>[3],
): Promise<Taken> {
  return unpacking(async () => {
    try {
      await rm(into, { recursive: true, force: true });
      await mkdir(into);
      return await takeArchive(folder, archive, into, options);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  }, options.signal);
}

/** Takes an archive that comes as one body, and returns when all of it is in the dataset. Throws a Problem. */
export async function receiveArchive(
  root: string,
  dataset: string,
  file: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Taken> {
  requireFileName(file);
  return inDataset(root, dataset, (folder) =>
    withDiskWords(join(root, dataset, file), () =>
      inNewFolder(root, async (at) => {
        const { path } = await receive(chunks, join(at, 'content'), LARGEST_ARCHIVE);
        return takeUnpacked(folder, path, join(at, 'unpacked'), { tell() {}, signal: new AbortController().signal });
      }),
    ),
  );
}

export function isArchive(file: string): boolean {
  return /\.zip$/i.test(file);
}
