import { atOnce, inTurns } from '../../files/inTurns.js';

/** A folder whose place differs from pod to pod, and what stands for it: `$MODELS`. */
export type Place = { path: string; name: string };

/** Of what lies in none of them only the last part is told. */
export const ELSEWHERE = '$ELSEWHERE';

/**
 * A copy of JSON values in which no absolute path is left: what lies in a known place is told by the place's name, and of
 * all else only the file's name. A value that is a path counts, and one of a flag (`--vae=/models/a`), not a word within a
 * sentence. The same of the result is the result.
 *
 * @param places the innermost first
 */
export function portable<T>(value: T, places: readonly Place[] = []): T {
  return atOnce(walk(value, places)) as T;
}

/** The same of a large file, which holds nobody up. */
export function portableDocument<T>(value: T): Promise<T> {
  return inTurns(walk(value, [])) as Promise<T>;
}

function* walk(value: unknown, places: readonly Place[]): Generator<void, unknown> {
  if (typeof value === 'string') return portableText(value, places);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (const each of value) {
      yield;
      copy.push(yield* walk(each, places));
    }
    return copy;
  }
  const copy = new Map<string, unknown>();
  for (const [key, each] of Object.entries(value)) {
    yield;
    copy.set(key, yield* walk(each, places));
  }
  return Object.fromEntries(copy);
}

const FLAG = /^(--?[\w-]+=)(.*)$/s;
/** Of this system, of Windows, of a home folder, or upwards. */
const PATH = /^(?:\/|~|[A-Za-z]:[\\/]|\\\\|\.\.(?:[\\/]|$)|file:)/;

function portableText(text: string, places: readonly Place[]): string {
  const [, flag = '', value = text] = FLAG.exec(text) ?? [];
  if (!isPath(value)) return text;
  const place = places.find(({ path }) => value === path || value.startsWith(`${path}/`));
  if (place) return `${flag}${place.name}${value.slice(place.path.length)}`;
  const last =
    value
      .split(/[\\/]+/)
      .filter(Boolean)
      .at(-1) ?? '';
  return `${flag}${ELSEWHERE}/${last === '..' || last === '~' ? '' : last}`;
}

/** Not a sentence that begins with a slash. */
export function isPath(value: string): boolean {
  return PATH.test(value) && !value.includes('\n');
}
