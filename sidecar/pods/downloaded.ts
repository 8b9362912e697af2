import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ended, ifMissing, logged } from '../caught.js';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { log } from '../log.js';

const FILE = 'downloaded.json';
/** Bytes, and files: of older ones it is forgotten. */
const LARGEST = 1_000_000;
const MOST = 2000;

export type Downloaded = ReturnType<typeof openDownloaded>;

/** Remembers which files were sent to a browser to their end, in the private folder. What was copied by scp it can't know. */
export function openDownloaded(folder: string) {
  const path = join(folder, FILE);
  let known = readJsonNow(path, LARGEST, z.record(z.string(), z.string()), {}, 'pod');
  let writing = Promise.resolve();
  let underWay = 0;
  function note(file: string): void {
    writing = ended(writing)
      .then(async () => {
        const sign = await signOf(file);
        if (sign === null || known[file] === sign) return;
        delete known[file];
        known = Object.fromEntries([...Object.entries(known).slice(1 - MOST), [file, sign]]);
        await writePrivate(path, JSON.stringify(known));
      })
      .catch(logged('pod', 'It could not be saved that a file was downloaded.'));
  }

  return {
    /** Passes an answer's body on, and notes the file once `isLast`, its last part, has been taken to its end. */
    watch(file: string, isLast: boolean, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      underWay += 1;
      void body
        .pipeTo(writable)
        .then(() => isLast && note(file))
        .catch(() => log.debug('pod', 'A download broke off.', { file }))
        .finally(() => {
          underWay -= 1;
        });
      return readable;
    },
    /** How many files are being sent now. */
    underWay: () => underWay,
    /** Was the file, as it is now? */
    async has(file: string): Promise<boolean> {
      await writing;
      return known[file] !== undefined && known[file] === (await signOf(file));
    },
  };
}

/** Changes with the file; null for a missing one. */
export async function signOf(file: string): Promise<string | null> {
  const stats = await stat(file).catch(ifMissing(null));
  return stats && `${stats.size} ${Math.round(stats.mtimeMs)}`;
}
