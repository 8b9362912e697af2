import { distance } from 'fastest-levenshtein';
import { Problem } from './problem.js';

/** The known name that was probably meant: the one with the fewest letters to change, or one that begins so. Null without one. */
export function nearestName(name: string, known: readonly string[]): string | null {
  // Typing errors are short; a long text is none, and comparing it takes long.
  if (name.length < 2 || name.length > 60) return null;
  const plain = (each: string) => each.toLowerCase().replaceAll(/[-_ ]/g, '');
  const [best] = known
    .map((each) => ({ each, far: distance(plain(name), plain(each)) }))
    .sort((a, b) => a.far - b.far || Number(b.each.startsWith(name)) - Number(a.each.startsWith(name)));
  if (best && best.far <= Math.max(1, Math.floor(name.length / 4))) return best.each;
  return known.find((each) => each.startsWith(name)) ?? null;
}

/** One sentence for each name of a request that is none of the known ones, so that nothing that was asked for is dropped. */
export function unknownNames(fields: Record<string, unknown>, known: readonly string[]): Record<string, string> {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  return Object.fromEntries(
    // A body of a million names is answered with a few of them.
    unknown.slice(0, 20).map((name) => [name, unknownName(name, known)]),
  );
}

/** Throws a Problem for such names. */
export function refuseUnknown(fields: Record<string, unknown>, known: readonly string[]): void {
  const wrong = unknownNames(fields, known);
  const [field] = Object.keys(wrong);
  if (field !== undefined) throw new Problem('unknown_field', Object.values(wrong).join(' '), { field, fields: wrong });
}

function unknownName(name: string, known: readonly string[]): string {
  const shown = `“${name.length > 60 ? `${name.slice(0, 59)}…` : name}”`;
  const nearest = nearestName(name, known);
  return nearest
    ? `${shown} is not known here. Did you mean ${nearest}?`
    : `${shown} is not known here: ${known.join(', ')}.`;
}
