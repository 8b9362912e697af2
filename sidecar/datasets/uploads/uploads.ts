import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ended, ifMissing, logged, repeated, within } from '../../caught.js';
import { Problem } from '../../problem.js';
import { SPARE_DISK, withDiskWords } from '../diskWords.js';
import { inDataset } from '../folder.js';
import { hasHeicEnding, requireFileName, requireUploadName } from '../names.js';
import { LARGEST_PICTURE, tooLarge } from '../receive.js';
import { addPart, crcUpTo, forget, type Part } from './addPart.js';
import type { UploadFacts, UploadRequest } from './facts.js';
import {
  arrivedBytes,
  type HalfDone,
  inUpload,
  listUploads,
  makeUpload,
  removeUpload,
  sweepUploads,
  uploadId,
} from './halfDone.js';
import { isArchive, isDue, LARGEST_ARCHIVE, take, takingOf } from './take.js';

/** Answers before proxies lose patience; the next request reports the rest. */
const PATIENCE_MS = 20_000;
/** Of a photo that is converted for seconds: the page says so once it has an answer. */
const PHOTO_PATIENCE_MS = 1000;

/**
 * Begins an upload in parts, or finds the one begun before: `arrived` says where to continue. Throws a Problem: no such
 * dataset, too large, a bad name, no room on the disk.
 */
export async function beginUpload(root: string, dataset: string, request: UploadRequest): Promise<UploadFacts> {
  const { file, bytes } = request;
  if (isArchive(file)) requireFileName(file);
  else requireUploadName(file);
  const limit = isArchive(file) ? LARGEST_ARCHIVE : LARGEST_PICTURE;
  if (bytes > limit) throw tooLarge(file, limit);
  await inDataset(root, dataset, async () => {});
  await requireRoom(root, file, bytes);
  const id = uploadId(dataset, request);
  return withDiskWords(join(root, file), async () => {
    // A file that was refused or saved before may have changed since, so it starts over.
    await inUpload(root, dataset, id, async ({ at, record }) => {
      if (record.taken || record.problem) await rm(join(at, 'upload.json'), { force: true });
    }).catch(ifMissing(undefined));
    await makeUpload(root, dataset, id, request);
    return readUpload(root, dataset, id);
  });
}

export async function readUpload(root: string, dataset: string, id: string): Promise<UploadFacts> {
  return inUpload(root, dataset, id, async (upload) => {
    // A sidecar that ended while taking it left it whole.
    if (await isDue(upload)) take(root, dataset, id);
    return factsOf(upload);
  });
}

/** Lists the unfinished uploads of a dataset. */
export async function unfinishedUploads(root: string, dataset: string): Promise<UploadFacts[]> {
  const all = await listUploads(root, dataset);
  const open = all.filter(({ record }) => !record.taken && !record.problem);
  return Promise.all(open.map(({ id }) => readUpload(root, dataset, id)));
}

/** Receives a part; the last one takes the whole into the dataset. Throws a Problem as `addPart` does, disk full. */
export async function receivePart(
  root: string,
  dataset: string,
  id: string,
  part: Part & { total: number },
  chunks: AsyncIterable<Uint8Array>,
): Promise<UploadFacts> {
  return inUpload(root, dataset, id, async (upload) => {
    const { file, bytes, taken, problem } = upload.record;
    if (taken || problem || takingOf(root, id)) return factsOf(upload);
    if (part.total !== bytes)
      throw new Problem(
        'other_size',
        `${file} has changed: it had ${bytes} bytes, and now has ${part.total}. Upload it again.`,
      );
    await withDiskWords(join(root, file), () => addPart(upload, part, chunks));
    const patience = hasHeicEnding(file) ? PHOTO_PATIENCE_MS : PATIENCE_MS;
    if (await isDue(upload)) await within(patience, take(root, dataset, id).ended, () => {});
    return inUpload(root, dataset, id, factsOf);
  });
}

/**
 * Removes an upload and its arrived bytes, and cancels an archive that is being unpacked or a photo that is being converted.
 * Returns false if all of it was in the dataset before. Throws a Problem.
 */
export async function giveUp(root: string, dataset: string, id: string): Promise<boolean> {
  await inUpload(root, dataset, id, async () => {
    const taking = takingOf(root, id);
    taking?.end.abort(new Problem('given_up', 'The upload was cancelled. None of its files were saved.'));
    await ended(taking?.ended);
  });
  const taken = await inUpload(root, dataset, id, async ({ key, record }) => {
    forget(key);
    return record.taken !== null;
  });
  await removeUpload(root, id);
  return !taken;
}

/** Takes uploads that were whole when the sidecar ended, and removes abandoned ones; again every hour. */
export function lookAfterUploads(root: string): void {
  const look = repeated('uploads', async () => {
    await sweepUploads(root, (id) => takingOf(root, id) !== null);
    for (const { id, record } of await listUploads(root))
      if (!record.taken && !record.problem)
        await readUpload(root, record.dataset, id).catch(logged('datasets', 'A half-done upload could not be taken.'));
  });
  void look();
  setInterval(look, 3_600_000).unref();
}

async function factsOf(upload: HalfDone): Promise<UploadFacts> {
  const { root, id, record } = upload;
  const { dataset, file, bytes, created_at, taken, problem } = record;
  const over = taken !== null || problem !== null;
  const arrived = over || takingOf(root, id) ? bytes : await arrivedBytes(upload);
  const crc = over || takingOf(root, id) ? 0 : await crcUpTo(upload, arrived);
  const state = taken ? 'taken' : problem ? 'refused' : takingOf(root, id) ? 'taking' : 'arriving';
  const unpacked = takingOf(root, id)?.unpacked ?? null;
  const sum = crc.toString(16).padStart(8, '0');
  return { id, dataset, file, bytes, arrived, crc32: sum, state, unpacked, taken, problem, created_at };
}

async function requireRoom(root: string, file: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  if (bytes + SPARE_DISK <= bavail * bsize) return;
  throw new Problem(
    'disk_full',
    `The disk has no room for ${file} (${Math.ceil(bytes / 1_000_000)} MB). Free some space and upload it again.`,
  );
}
