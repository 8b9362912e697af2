import { createHash } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { streamRegular } from '../files/regularFile.js';
import { putInPlace } from '../files/wholeFile.js';
import { Problem } from '../problem.js';
import { asKept, type Kept, renamedWords } from './asKept.js';
import { withDiskWords } from './diskWords.js';
import type { DatasetImage } from './facts.js';
import { changeDataset, type DatasetFolder, inDataset, inTurnThere } from './folder.js';
import { captionStem, pictureStem, requirePictureName, requireUploadName } from './names.js';
import { describePicture } from './read.js';
import { LARGEST_PICTURE, type Received, receive } from './receive.js';
import { putAway } from './trash.js';

/** The result of an upload. `kept`: where the replaced picture is now, relative to the datasets. */
export type SavedPicture = {
  image: DatasetImage;
  created: boolean;
  replaced: boolean;
  /** It was a HEIC photo, and is a JPEG of another name now. */
  converted: boolean;
  kept: string | null;
  message: string;
  /** Remarks for people: another picture was replaced. */
  notes: string[];
};

/**
 * Saves one picture, byte for byte or as `asKept` says, once it has arrived whole and decodes. Puts an existing picture with
 * other content away first. Throws a Problem, with nothing changed: no such dataset, too large, not a picture by its name or
 * content, disk full.
 *
 * @param inTurn of the pictures of one form: a picture of somebody else need not wait until all its photos are converted
 */
export async function savePicture(
  root: string,
  name: string,
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  inTurn: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
): Promise<SavedPicture> {
  requireUploadName(file);
  return inDataset(root, name, (folder) =>
    withDiskWords(join(root, name, file), async () => {
      await sweepOnce(folder);
      const received = await receive(chunks, join(folder.at, file), LARGEST_PICTURE);
      return inTurn(() => takePicture(folder, file, received));
    }),
  );
}

/**
 * Moves an arrived picture, on the same disk, into its dataset. Removes it and throws a Problem if it does not decode.
 *
 * @param signal ends a conversion, and throws its reason
 */
export async function takePicture(
  folder: DatasetFolder,
  arrived: string,
  received: Received,
  signal?: AbortSignal,
): Promise<SavedPicture> {
  const kept = await asKept(arrived, received, signal);
  try {
    const placed = await placePicture(folder, kept);
    const notes = [...renamedWords(arrived, kept), ...(placed.replaced ? [placed.message] : [])];
    const message = kept.converted ? `${arrived} was converted to JPEG. ${placed.message}` : placed.message;
    return { image: await describePicture(folder, kept.file), ...placed, converted: kept.converted, message, notes };
  } finally {
    await rm(kept.received.path, { force: true });
  }
}

/** Moves a checked picture into its dataset. */
export function placePicture(folder: DatasetFolder, { file, received }: Pick<Kept, 'file' | 'received'>) {
  return inTurnThere(folder, () => place(folder, file, received));
}

/**
 * Puts a picture away, and its caption unless another picture shares it. Returns where to, relative to the datasets. Throws
 * a Problem.
 */
export async function removePicture(root: string, name: string, file: string) {
  requirePictureName(file);
  return changeDataset(root, name, file, async (folder) => {
    const there = await readdir(folder.at);
    const gone = 'There is no such picture in this dataset. It may have been deleted already.';
    if (!there.includes(file)) throw new Problem('no_picture', gone);
    const stem = pictureStem(file);
    const shared = there.some((other) => other !== file && pictureStem(other) === stem);
    const files = [file, ...(shared ? [] : there.filter((other) => captionStem(other) === stem))];
    return { kept: await putAway(folder, files), files };
  });
}

async function place(folder: DatasetFolder, file: string, received: Received) {
  const target = join(folder.at, file);
  const old = await lstat(target).catch(ifUnreadable(null, 'datasets'));
  if (!old) {
    await putInPlace(received.path, target);
    return { created: true, replaced: false, kept: null, message: `${file} was saved.` };
  }
  const same = old.isFile() && old.size === received.bytes;
  if (same && (await digest(target)) === (received.sha256 ?? (await digest(received.path))))
    return { created: false, replaced: false, kept: null, message: `${file} is already here.` };
  const kept = await putAway(folder, [file], { keep: old.isFile() });
  await putInPlace(received.path, target);
  const message = `${file} replaced another picture of the same name, which is now in ${kept}.`;
  return { created: false, replaced: true, kept, message };
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of streamRegular(path)) hash.update(chunk);
  return hash.digest('hex');
}

const swept = new Set<string>();
const LEFT_BEHIND_MS = 3_600_000;

/** Removes temporary files untouched for an hour: the leftovers of a killed sidecar's uploads. */
async function sweepOnce({ at, path }: DatasetFolder): Promise<void> {
  if (swept.has(path)) return;
  swept.add(path);
  for (const entry of await readdir(at)) {
    if (!/^\..+\.[0-9a-f]{12}\.tmp$/s.test(entry)) continue;
    const facts = await lstat(join(at, entry)).catch(ifUnreadable(null, 'datasets'));
    if (facts?.isFile() && Date.now() - facts.mtimeMs > LEFT_BEHIND_MS) await rm(join(at, entry), { force: true });
  }
}
