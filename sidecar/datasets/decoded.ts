import { setTimeout as sleep } from 'node:timers/promises';
import { logged } from '../caught.js';
import { Lru } from '../files/lru.js';
import { semaphore } from '../files/queue.js';
import { openInside, samePath } from '../security/paths.js';
import { requireWholePicture } from './picture.js';
import { DamagedPicture, PictureProblem } from './pictureProblem.js';

/** One picture of the disk. `key` changes with its content: the inode's own time can't be set back. */
export type OnDisk = { path: string; key: string };

/** One at once leaves a decoder for the thumbnails that somebody waits for. */
const checking = semaphore(1);
const underWay = new Map<string, Promise<void>>();
/** Why it is damaged, in words; '' for one that is whole. */
const known = new Lru<string>(50_000);

/**
 * Decodes each of these pictures once, in the background: damage behind a good header is found before a trainer meets it.
 *
 * @param patience milliseconds to wait for all of them; what is known by then is `damageOf`
 */
export async function decodeAll(root: string, pictures: readonly OnDisk[], patience: number): Promise<void> {
  const all = Promise.all(pictures.map((picture) => decodeOnce(root, picture)));
  await Promise.race([all, sleep(patience, undefined, { ref: false })]);
}

/** Undefined where it was not decoded yet. */
export function damageOf({ key }: OnDisk): string | undefined {
  return known.get(key);
}

/** Of a picture that was decoded before it was put there. */
export function rememberWhole({ key }: OnDisk): void {
  known.set(key, '');
}

function decodeOnce(root: string, picture: OnDisk): Promise<void> {
  const { key } = picture;
  if (known.get(key) !== undefined) return Promise.resolve();
  const present = underWay.get(key);
  if (present) return present;
  const work = checking(async () => {
    known.set(key, await damage(root, picture));
  })
    .catch(logged('datasets', 'A picture could not be checked.'))
    .finally(() => underWay.delete(key));
  underWay.set(key, work);
  return work;
}

async function damage(root: string, { path }: OnDisk): Promise<string> {
  const file = await openInside(root, path);
  try {
    if (file) await requireWholePicture(samePath(file, path));
  } catch (error) {
    if (error instanceof DamagedPicture) return error.message;
    if (!(error instanceof PictureProblem)) throw error;
  } finally {
    await file?.close();
  }
  return '';
}
