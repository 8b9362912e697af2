import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { ifUnreadable, within } from '../../caught.js';
import { folderBytes } from '../../files/folderBytes.js';
import { Lru } from '../../files/lru.js';
import type { Session } from '../status/session.js';

export const fileFacts = z.object({
  what: z.enum(['session', 'final checkpoint', 'dataset', 'log', 'settings', 'script']),
  /** Absolute. */
  path: z.string(),
  /** Of a folder, all files in it. Null for what is not there, or not counted yet (`there`). */
  bytes: z.number().nullable(),
  there: z.boolean(),
});
export type FileFacts = z.infer<typeof fileFacts>;

/** Sizes as they were counted last, for pages that do not wait for a slow disk. */
const counted = new Lru<number>(500);
const counting = new Map<string, Promise<number>>();

/**
 * Where the files of a session lie, with their sizes.
 *
 * @param patience milliseconds after which a size is the one of the last count, or unknown; none to wait for all
 */
export function filesOf(session: Session, patience?: number): Promise<FileFacts[]> {
  const { folder, entries, facts } = session;
  const inside = (what: FileFacts['what'], file: string) =>
    entries.includes(file) ? [{ what, path: `${folder}/${file}` }] : [];
  const places: { what: FileFacts['what']; path: string }[] = [
    { what: 'session', path: facts.output_path },
    ...(facts.final_checkpoint ? [{ what: 'final checkpoint' as const, path: facts.final_checkpoint }] : []),
    ...(facts.dataset_path ? [{ what: 'dataset' as const, path: facts.dataset_path }] : []),
    ...inside('log', basename(facts.log_path)),
    ...inside('settings', 'ui_state.json'),
    ...inside('script', 'train.sh'),
  ];
  return Promise.all(
    places.map(async ({ what, path }) => {
      // A dataset may be a link.
      const real = await realpath(path).catch(ifUnreadable(null, 'sessions'));
      if (real === null) return { what, path, bytes: null, there: false };
      const size = sizeOf(real);
      const bytes = patience === undefined ? await size : await within(patience, size, () => counted.get(real) ?? null);
      return { what, path, bytes, there: true };
    }),
  );
}

/** All who ask at once share one count. */
function sizeOf(path: string): Promise<number> {
  const known = counting.get(path);
  if (known) return known;
  const work = folderBytes(path)
    .then((bytes) => {
      counted.set(path, bytes);
      return bytes;
    })
    .finally(() => counting.delete(path));
  counting.set(path, work);
  return work;
}
