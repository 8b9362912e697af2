import type { Stats } from 'node:fs';

const MOST = 20_000;

/** What `read` found in a file, kept for as long as the file's time and size stay the same. */
export function remember<Found>(read: (path: string, stats: Stats) => Promise<Found>) {
  const known = new Map<string, { signature: string; found: Promise<Found> }>();
  return (path: string, stats: Stats): Promise<Found> => {
    const signature = `${stats.ino}:${stats.mtimeMs}:${stats.size}`;
    const before = known.get(path);
    if (before?.signature === signature) return before.found;
    const found = read(path, stats);
    // A read that failed is tried again.
    found.catch(() => known.delete(path));
    known.delete(path);
    known.set(path, { signature, found });
    const oldest = known.keys().next();
    if (known.size > MOST && !oldest.done) known.delete(oldest.value);
    return found;
  };
}
