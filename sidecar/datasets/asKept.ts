import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem } from '../problem.js';
import { convertHeic } from './heic/convertHeic.js';
import { hasHeicEnding, withoutEnding } from './names.js';
import { contentOf, requireWholePicture } from './picture.js';
import { PictureProblem } from './pictureProblem.js';
import type { Received } from './receive.js';

/** An arrived picture as a dataset keeps it, and the name that it has there. */
export type Kept = { file: string; received: Received; converted: boolean };

/**
 * Makes what arrived under the name `file` a picture that trainers read. A HEIC photo, whatever its name says, becomes a JPEG
 * of the same stem, so that its caption stays its own; what is called .heic and is another picture is only renamed. Throws a
 * Problem for a picture that does not decode to its last row; nothing of it is left then.
 *
 * @param signal ends a conversion, and throws its reason
 */
export async function asKept(file: string, received: Received, signal?: AbortSignal): Promise<Kept> {
  try {
    const content = await contentOf(received.path);
    if (content === 'heic') return await converted(file, received, signal);
    await requireWholePicture(received.path);
    const ending = content === 'jpeg' ? 'jpg' : content;
    return { file: hasHeicEnding(file) ? `${withoutEnding(file)}.${ending}` : file, received, converted: false };
  } catch (error) {
    await rm(received.path, { force: true });
    if (!(error instanceof PictureProblem)) throw error;
    throw new Problem('not_decodable', `was not saved. ${error.message} ${error.remedy}`, { file });
  }
}

async function converted(file: string, received: Received, signal?: AbortSignal): Promise<Kept> {
  const name = /\.jpe?g$/i.test(file) ? file : `${withoutEnding(file)}.jpg`;
  const jpeg = await convertHeic(received.path, join(dirname(received.path), name), signal);
  await rm(received.path, { force: true });
  return { file: name, received: jpeg, converted: true };
}

/** Tells of a picture that was called .heic and is none. */
export function renamedWords(arrived: string, { file, converted }: Kept): string[] {
  return converted || file === arrived ? [] : [`${arrived} is not a HEIC photo, so it was saved as ${file}.`];
}

/** What people are told of photos that were converted. */
export function convertedWords(count: number): string[] {
  if (count === 0) return [];
  return [count === 1 ? '1 HEIC photo was converted to JPEG.' : `${count} HEIC photos were converted to JPEG.`];
}
