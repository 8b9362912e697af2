import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../../caught.js';
import { readText } from '../../files/regularFile.js';
import { writeWhole } from '../../files/wholeFile.js';
import { Problem } from '../../problem.js';
import { inFolder, isOwnFolder, makeFolder } from '../../security/paths.js';
import { taken, type UploadRequest } from './facts.js';

/** Hidden beside the datasets, where no trainer and no list looks. Each upload is a folder in it, named by its id. */
const UPLOADS = '.uploads';
const RECORD = 'upload.json';
const CONTENT = 'content';
const ID = /^[0-9a-f]{32}$/;
/** People who lost the connection return within a day. */
const KEPT_MS = 24 * 3_600_000;

const record = z.object({
  dataset: z.string(),
  file: z.string(),
  bytes: z.number(),
  modified: z.number(),
  created_at: z.string(),
  taken: taken.nullable(),
  problem: z.object({ code: z.string(), message: z.string(), after_name: z.string().optional() }).nullable(),
});

export type UploadRecord = z.infer<typeof record>;

/** A half-done upload in use: `at` stays with its folder, `key` is the folder's name. */
export type HalfDone = { root: string; id: string; at: string; key: string; content: string; record: UploadRecord };

/** The same file for the same dataset has the same id, so that a closed page continues where it stopped. */
export function uploadId(dataset: string, { file, bytes, modified }: UploadRequest): string {
  const told = JSON.stringify([dataset, file, bytes, modified]);
  return createHash('sha256').update(told).digest('hex').slice(0, 32);
}

/** Makes the folder of an upload, unless it exists. */
export async function makeUpload(root: string, dataset: string, id: string, request: UploadRequest): Promise<void> {
  await makeFolder(join(root, UPLOADS));
  await inFolder(root, join(root, UPLOADS), async ({ at }) => {
    await makeFolder(join(at, id));
    if ((await readRecord(join(at, id))) === null)
      await writeRecord(join(at, id), {
        ...request,
        dataset,
        created_at: new Date().toISOString(),
        taken: null,
        problem: null,
      });
  });
}

/** Runs work on a half-done upload. Throws a Problem if the dataset has none with this id. */
export async function inUpload<T>(
  root: string,
  dataset: string,
  id: string,
  work: (upload: HalfDone) => Promise<T>,
): Promise<T> {
  const done = ID.test(id)
    ? await inFolder(root, join(root, UPLOADS, id), async ({ at, real }) => {
        const found = await readRecord(at);
        if (found?.dataset !== dataset) return null;
        return { result: await work({ root, id, at, key: real, content: join(at, CONTENT), record: found }) };
      })
    : null;
  if (done) return done.result;
  throw new Problem(
    'no_upload',
    'There is no such upload: it was cancelled, or has been idle for a day. Start it again.',
    { about: { dataset: dataset } },
  );
}

/** Runs work in a new folder beside the uploads, and removes the folder afterwards in any case. */
export async function inNewFolder<T>(root: string, work: (at: string) => Promise<T>): Promise<T> {
  const id = randomBytes(16).toString('hex');
  await makeFolder(join(root, UPLOADS));
  await inFolder(root, join(root, UPLOADS), ({ at }) => makeFolder(join(at, id)));
  try {
    const done = await inFolder(root, join(root, UPLOADS, id), async ({ at }) => ({ result: await work(at) }));
    if (done) return done.result;
    throw new Error('the folder of the upload was removed');
  } finally {
    await removeUpload(root, id);
  }
}

/** Removes an upload with its arrived bytes. */
export async function removeUpload(root: string, id: string): Promise<void> {
  await inFolder(root, join(root, UPLOADS), ({ at }) => rm(join(at, id), { recursive: true, force: true }));
}

/** Bytes on the disk. */
export async function arrivedBytes({ content }: Pick<HalfDone, 'content'>): Promise<number> {
  return (await stat(content).catch(ifUnreadable(null, 'datasets')))?.size ?? 0;
}

export async function writeRecord(at: string, content: UploadRecord): Promise<void> {
  await writeWhole(join(at, RECORD), JSON.stringify(content));
}

/** Lists the uploads of a dataset, or of all datasets, with their records. */
export async function listUploads(root: string, dataset?: string): Promise<{ id: string; record: UploadRecord }[]> {
  const all = await inFolder(root, join(root, UPLOADS), async ({ at }) => {
    const ids = (await readdir(at)).filter((id) => ID.test(id));
    const own = async (id: string) => ((await isOwnFolder(join(at, id))) ? readRecord(join(at, id)) : null);
    return Promise.all(ids.map(async (id) => ({ id, record: await own(id) })));
  }).catch(ifUnreadable(null, 'datasets'));
  return (all ?? []).flatMap(({ id, record: found }) =>
    found && (dataset === undefined || found.dataset === dataset) ? [{ id, record: found }] : [],
  );
}

/** Removes uploads that have been idle for a day; `busy` tells which are in use. Never throws. */
export async function sweepUploads(root: string, busy: (id: string) => boolean, now = Date.now()): Promise<void> {
  await inFolder(root, join(root, UPLOADS), async ({ at }) => {
    for (const id of await readdir(at)) {
      if (!ID.test(id) || busy(id)) continue;
      const times = await Promise.all(
        [join(at, id), join(at, id, CONTENT), join(at, id, RECORD)].map(
          async (path) => (await stat(path).catch(ifUnreadable(null, 'datasets')))?.mtimeMs ?? 0,
        ),
      );
      if (now - Math.max(...times) > KEPT_MS) await rm(join(at, id), { recursive: true, force: true });
    }
  }).catch(ifUnreadable(null, 'datasets'));
}

/** Bytes. */
const LARGEST_RECORD = 100_000;

async function readRecord(at: string): Promise<UploadRecord | null> {
  const text = readText(join(at, RECORD), LARGEST_RECORD, 'refused');
  return text.then((json) => record.parse(JSON.parse(json))).catch(ifUnreadable(null, 'datasets'));
}
