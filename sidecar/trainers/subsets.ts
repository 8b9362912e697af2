import { Problem } from '../problem.js';

/** One folder of pictures beside the session's own, by the name of its dataset. `resolution`: pixels; null for that of the training. */
export type Subset = { name: string; repeats: number; resolution: number | null; classWord: string };

const LINE = /^(\S+)(?:\s+(\d{1,5}))?(?:\s+@(\d{1,5}))?(?:\s+([^\d\s].*))?$/;

/**
 * Reads lines of a dataset, its repeats, its resolution, and the words for pictures without a caption:
 * `close-ups 5 @768 a cat`. Returns a sentence for the first wrong line.
 */
export function readSubsets(lines: string): Subset[] | { wrong: string } {
  const subsets: Subset[] = [];
  for (const line of lines.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const [, name = '', repeats = '1', pixels, classWord = ''] = LINE.exec(line) ?? [];
    // It becomes a folder's name.
    if (!name || name.includes('/') || name.startsWith('.'))
      return { wrong: `“${line}” does not begin with the name of a dataset.` };
    if (Number(repeats) < 1) return { wrong: `“${line}” needs at least 1 repeat.` };
    const resolution = pixels === undefined ? null : Number(pixels);
    if (classWord.startsWith('@') || (resolution !== null && !isResolution(resolution)))
      return { wrong: `“${line}”: a resolution is a multiple of 64 from 64 to 4096, like @768.` };
    subsets.push({ name, repeats: Number(repeats), resolution, classWord });
  }
  return subsets;
}

function isResolution(pixels: number): boolean {
  return pixels >= 64 && pixels <= 4096 && pixels % 64 === 0;
}

/** The same for a record that a person may have edited. Throws a Problem. */
export function subsetsOf(lines: string): Subset[] {
  const read = readSubsets(lines);
  if ('wrong' in read) throw new Problem('bad_subset', read.wrong);
  return read;
}
