import { z } from 'zod';
import { ifUnreadable, logged } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { signatureAt } from '../files/fileSignature.js';
import { writePrivate } from '../files/privateFile.js';
import { semaphore } from '../files/queue.js';
import { readText } from '../files/regularFile.js';
import { log } from '../log.js';
import { runCommand } from '../processes/run.js';

/** Files of a list that one process reads; and how long a model of many gigabytes on a slow disk may take. */
const AT_ONCE = 200;
const PATIENCE_MS = 3_600_000;
/** Hashes that are kept, and bytes of their file. */
const MOST = 20_000;
const LARGEST = 8_000_000;

/** As `sha256sum` does, with the lowest priority: a training runs beside it. Prints a line for each file as it is done. */
const SCRIPT = `
import hashlib, os, sys
os.nice(19)
for path in sys.argv[1:]:
    try:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        print(digest.hexdigest(), flush=True)
    except OSError:
        print("-", flush=True)
`;

const kept = z.record(z.string(), z.tuple([z.string(), z.string()]));

export type FileHashes = ReturnType<typeof createFileHashes>;

/**
 * SHA-256 of files, each read once until its size or time changes: a base model has gigabytes. They are kept in `file`.
 *
 * @param python the interpreter that reads them, in a process of its own
 */
export function createFileHashes({ file, python }: { file: string; python: string }) {
  const known = new Map<string, readonly [signature: string, hash: string]>();
  /** One process at a time. */
  const inTurn = semaphore(1);
  let opened: Promise<void> | null = null;

  async function open(): Promise<void> {
    const text = await readText(file, LARGEST).catch(ifUnreadable('{}', 'models'));
    for (const [path, entry] of Object.entries(kept.safeParse(jsonOrNull(text)).data ?? {})) known.set(path, entry);
  }

  async function keep(): Promise<void> {
    for (const path of [...known.keys()].slice(0, Math.max(0, known.size - MOST))) known.delete(path);
    await writePrivate(file, `${JSON.stringify(Object.fromEntries(known))}\n`);
  }

  /** By path, in lower case; those that were read before and are unchanged. */
  async function present(paths: readonly string[]): Promise<Map<string, string>> {
    opened ??= open();
    await opened;
    const found = new Map<string, string>();
    await Promise.all(
      paths.map(async (path) => {
        const entry = known.get(path);
        if (entry && entry[0] === (await signatureAt(path, 'models'))) found.set(path, entry[1]);
      }),
    );
    return found;
  }

  return {
    present,
    /** The same, reading what is new or changed. What can't be read is missing. */
    async read(paths: readonly string[]): Promise<Map<string, string>> {
      await inTurn(async () => {
        const before = await present(paths);
        const missing = paths.filter((path) => !before.has(path));
        for (let at = 0; at < missing.length; at += AT_ONCE) {
          const some = missing.slice(at, at + AT_ONCE);
          const signs = await Promise.all(some.map((path) => signatureAt(path, 'models')));
          const argv = [python, '-c', SCRIPT, ...some];
          const printed = await runCommand({ argv, patience: PATIENCE_MS }).catch((error) => {
            log.info('models', 'Files could not be hashed.', { error });
            return '';
          });
          printed.split('\n').forEach((hash, index) => {
            const [path, sign] = [some[index], signs[index]];
            if (path && sign && /^[0-9a-f]{64}$/.test(hash)) known.set(path, [sign, hash]);
          });
        }
        if (missing.length > 0) await keep().catch(logged('models', 'The hashes of files could not be kept.'));
      });
      return present(paths);
    },
  };
}
