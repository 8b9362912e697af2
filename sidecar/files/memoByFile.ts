import { Lru } from './lru.js';

/** Remembers the result of `read` for a path as long as the file's signature stays the same. */
export function memoByFile<Found, More extends unknown[]>(read: (path: string, ...more: More) => Promise<Found>) {
  const known = new Lru<{ signature: string; found: Promise<Found> }>(5_000);
  return (path: string, signature: string, ...more: More): Promise<Found> => {
    const before = known.get(path);
    if (before?.signature === signature) return before.found;
    const found = read(path, ...more);
    // silent: the caller gets the error, and the next call repeats the read.
    found.catch(() => known.delete(path));
    known.set(path, { signature, found });
    return found;
  };
}
