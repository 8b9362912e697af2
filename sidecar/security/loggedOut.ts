import { join } from 'node:path';
import { z } from 'zod';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';

const FILE = 'logged-out.json';
/** Bytes. */
const LARGEST = 4_000_000;
/** Longer than any login lasts, whichever way a clock jumps. */
const KEPT_MS = 90 * 86_400_000;

/** Remembers ended logins in the private folder, so that copies of their cookies are out too. */
export function openLoggedOut(folder: string) {
  const path = join(folder, FILE);
  const ended = new Map(Object.entries(readJsonNow(path, LARGEST, z.record(z.string(), z.number()), {}, 'security')));
  return {
    has: (id: string) => ended.has(id),
    async add(ids: readonly string[]) {
      const now = Date.now();
      for (const id of ids) ended.set(id, now);
      for (const [each, at] of ended) if (Math.abs(now - at) > KEPT_MS) ended.delete(each);
      await writePrivate(path, JSON.stringify(Object.fromEntries(ended)));
    },
  };
}
