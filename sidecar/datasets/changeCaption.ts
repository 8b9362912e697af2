import { z } from 'zod';

/** A word is a tag, or a word of a sentence. */
const word = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .refine((text) => !/[\p{Cc}]/u.test(text));

/** What is asked of all captions of a dataset. */
export const captionChange = z.discriminatedUnion('do', [
  z.object({ do: z.enum(['add', 'remove']), word }),
  z.object({ do: z.literal('replace'), find: z.string().min(1).max(5000), with: z.string().max(5000) }),
]);
export type CaptionChange = z.infer<typeof captionChange>;

/** A caption after the change; every other byte stays as a person wrote it. Pure. */
export function changeCaption(text: string, change: CaptionChange): string {
  switch (change.do) {
    case 'add':
      return added(text, change.word);
    case 'remove':
      return removed(text, change.word);
    case 'replace':
      return text.split(change.find).join(change.with);
  }
}

/** The tags of a caption: what stands between commas on its first line, the only one that sd-scripts trains. */
export function tagsOf(caption: string): string[] {
  const [first = ''] = caption.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  const tags = first.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}

/** In front, where sd-scripts keeps it when it shuffles tags; once. */
function added(text: string, word: string): string {
  if (places(firstLine(text), word).length > 0) return text;
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const rest = text.slice(mark.length);
  return `${mark}${word}${rest.trim() === '' ? '' : ', '}${rest}`;
}

function firstLine(text: string): string {
  return text.split(/\r\n|\r|\n/)[0] ?? '';
}

/** From the end on, so that the places before stay where they are. */
function removed(text: string, word: string): string {
  let changed = text;
  for (const at of places(text, word).toReversed()) changed = without(changed, at, at + word.length);
  return changed;
}

/** Where the word stands by itself, not as a part of a longer one. */
function places(text: string, word: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    const before = text.slice(0, at).at(-1) ?? ' ';
    const after = text.at(at + word.length) ?? ' ';
    if (!(isPart(before) && isPart(word.at(0) ?? '')) && !(isPart(after) && isPart(word.at(-1) ?? ''))) found.push(at);
  }
  return found;
}

function isPart(letter: string): boolean {
  return /[\p{L}\p{N}\p{M}_]/u.test(letter);
}

/** A tag goes with its comma, a word of a sentence with one space. */
function without(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (text[start - 1] === ' ') start -= 1;
  while (text[end] === ' ') end += 1;
  const opens = start === 0 || ',\n\r\ufeff'.includes(text[start - 1] ?? '');
  const closes = end === text.length || ',\n\r'.includes(text[end] ?? '');
  if (opens && closes && text[end] === ',') {
    end += 1;
    while (text[end] === ' ') end += 1;
    return text.slice(0, from) + text.slice(end);
  }
  if (opens && closes) return text.slice(0, text[start - 1] === ',' ? start - 1 : start) + text.slice(end);
  return end > to
    ? text.slice(0, from) + text.slice(to + 1)
    : text.slice(0, Math.max(start, from - 1)) + text.slice(to);
}
