import { Problem } from '../problem.js';

/** One folder of pictures beside the session's own, by the name of its dataset. */
export type Subset = { name: string; repeats: number; classWord: string };

const LINE = /^(\S+)(?:\s+(\d{1,5}))?(?:\s+([^\d\s].*))?$/;

/**
 * Reads lines of a dataset, its repeats, and the words for pictures without a caption: `close-ups 5 a cat`. Returns a
 * sentence for the first wrong line.
 */
export function readSubsets(lines: string): Subset[] | { wrong: string } {
  const subsets: Subset[] = [];
  for (const line of lines.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const [, name = '', repeats = '1', classWord = ''] = LINE.exec(line) ?? [];
    // It becomes a folder's name.
    if (!name || name.includes('/') || name.startsWith('.'))
      return { wrong: `“${line}” does not begin with the name of a dataset.` };
    if (Number(repeats) < 1) return { wrong: `“${line}” needs at least 1 repeat.` };
    subsets.push({ name, repeats: Number(repeats), classWord });
  }
  return subsets;
}

/** The same for a record that a person may have edited. Throws a Problem. */
export function subsetsOf(lines: string): Subset[] {
  const read = readSubsets(lines);
  if ('wrong' in read) throw new Problem('bad_subset', read.wrong);
  return read;
}
