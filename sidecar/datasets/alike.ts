import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logged } from '../caught.js';
import { Lru } from '../files/lru.js';
import { semaphore } from '../files/queue.js';
import { openInside, samePath } from '../security/paths.js';
import type { DatasetDetail, DatasetImage } from './facts.js';
import { miniature } from './picture.js';
import { PictureProblem } from './pictureProblem.js';

/** Pictures that are the same file, or look the same: one of them is trained more often than anybody meant. */
export type Alike = { files: string[]; same: boolean };

/** From this likeness on, two pictures look alike (measured: test/datasets/alike.test.ts). */
export const NEAR = 0.98;

const looking = semaphore(1);
const hashing = semaphore(1);
/** By file and revision: what it looks like, 1 kB each; null where it can't be decoded. */
const looks = new Lru<{ look: Float32Array | null }>(10_000);
const digests = new Lru<string>(50_000);

/**
 * The pictures of a dataset that are alike, each group once. Pictures that were not looked at within `patience` milliseconds
 * are looked at in the background, for the next time.
 */
export async function findAlike(root: string, detail: DatasetDetail, patience: number): Promise<Alike[]> {
  const files = detail.files.filter(({ problem, unchecked }) => problem === null && !unchecked);
  const counts = new Map<number, number>();
  for (const { bytes } of files) counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  const ofOneSize = files.filter(({ bytes }) => (counts.get(bytes) ?? 0) > 1);
  const work = Promise.all([
    ...files.map((image) => lookAt(root, detail, image)),
    ...ofOneSize.map((image) => digest(root, detail, image)),
  ]);
  await Promise.race([work, sleep(patience, undefined, { ref: false })]);
  const same = sameFiles(detail, ofOneSize);
  const copies = new Set(same.flatMap((group) => group.files.slice(1)));
  return [
    ...same,
    ...near(
      detail,
      files.filter(({ file }) => !copies.has(file)),
    ),
  ];
}

function keyOf(detail: DatasetDetail, { file, revision }: DatasetImage): string {
  return `${detail.path}\0${file}\0${revision}`;
}

async function lookAt(root: string, detail: DatasetDetail, image: DatasetImage): Promise<void> {
  const key = keyOf(detail, image);
  if (looks.get(key)) return;
  await looking(async () => {
    if (looks.get(key)) return;
    looks.set(key, { look: await opened(root, detail, image, miniature) });
  }).catch(logged('datasets', 'A picture could not be compared with the others.'));
}

/** Those whose digests are known by now. */
function sameFiles(detail: DatasetDetail, files: DatasetImage[]): Alike[] {
  const byDigest = new Map<string, string[]>();
  for (const image of files) {
    const known = digests.get(keyOf(detail, image));
    if (known) byDigest.set(known, [...(byDigest.get(known) ?? []), image.file]);
  }
  return [...byDigest.values()].filter((group) => group.length > 1).map((group) => ({ files: group, same: true }));
}

async function digest(root: string, detail: DatasetDetail, image: DatasetImage): Promise<void> {
  const key = keyOf(detail, image);
  if (digests.get(key)) return;
  await hashing(async () => {
    if (digests.get(key)) return;
    const file = await openInside(root, join(detail.path, image.file));
    if (!file) return;
    const hash = createHash('sha256');
    // Closes the file at its end.
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    digests.set(key, hash.digest('hex'));
  }).catch(logged('datasets', 'A picture could not be compared with the others.'));
}

/** Each picture with those after it: some thousand pictures are some million comparisons, so most of them end early. */
function near(detail: DatasetDetail, files: DatasetImage[]): Alike[] {
  const known = files.flatMap((image) => {
    const look = looks.get(keyOf(detail, image))?.look;
    // A picture of one colour looks like no other.
    return look?.some((value) => value !== 0) ? [{ file: image.file, look }] : [];
  });
  const groups: Alike[] = [];
  const taken = new Set<string>();
  known.forEach((one, at) => {
    if (taken.has(one.file)) return;
    const others = known
      .slice(at + 1)
      .filter((other) => !taken.has(other.file) && likeness(one.look, other.look, NEAR) >= NEAR);
    if (others.length === 0) return;
    const group = [one, ...others].map(({ file }) => file);
    for (const file of group) taken.add(file);
    groups.push({ files: group, same: false });
  });
  return groups;
}

/**
 * How much two miniatures look alike, from -1 to 1 where they are the same: the sum of their products, found by their
 * distance, which tells soon that it is less than `least`.
 */
export function likeness(a: Float32Array, b: Float32Array, least = -1): number {
  let distance = 0;
  for (let at = 0; at < a.length && distance <= 2 - 2 * least; at += 1) distance += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
  return 1 - distance / 2;
}

async function opened<T>(
  root: string,
  detail: DatasetDetail,
  { file }: DatasetImage,
  use: (path: string) => Promise<T>,
): Promise<T | null> {
  const path = join(detail.path, file);
  const handle = await openInside(root, path);
  try {
    return handle ? await use(samePath(handle, path)) : null;
  } catch (error) {
    if (error instanceof PictureProblem) return null;
    throw error;
  } finally {
    await handle?.close();
  }
}
