import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ended, ifUnreadable } from '../caught.js';
import { jsonOrNull } from '../files/exactJson.js';
import { readText } from '../files/regularFile.js';
import { writeWhole } from '../files/wholeFile.js';

const FILE = 'downloads.json';
/** Bytes. */
const LARGEST = 4_000_000;

/** A path inside the models folder, whatever the file says. */
const inside = z
  .string()
  .refine((path) => path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'));

const record = z.object({
  id: z.string(),
  /** For people: "FLUX.1 dev". */
  label: z.string(),
  repo: z.string(),
  revision: z.string(),
  /** Folder inside the models folder. */
  into: inside,
  /** `file` inside the repository, `path` inside `into`. An optional one may be missing on the hub. */
  parts: z.array(
    z.object({
      file: z.string(),
      path: inside,
      optional: z.boolean(),
      /** Of the last download; null before. */
      etag: z.string().nullable(),
      bytes: z.number().nullable(),
    }),
  ),
  status: z.enum(['queued', 'downloading', 'checking', 'waiting', 'failed', 'done']),
  message: z.string().nullable(),
  link: z.string().nullable(),
});

/** A download in `downloads.json`; `done`, in bytes, is read from the disk. */
export type DownloadRecord = z.infer<typeof record> & { done: number };

/** Changes a download's status, and replaces the message of the old one. */
export function setStatus(
  record: DownloadRecord,
  status: DownloadRecord['status'],
  message: string | null = null,
  link: string | null = null,
): void {
  Object.assign(record, { status, message, link });
}

/** Reads the records; none from a missing or unreadable file. */
export async function readDownloads(models: string): Promise<DownloadRecord[]> {
  const text = await readText(join(models, FILE), LARGEST).catch(ifUnreadable('{}', 'hub'));
  const parsed = z.object({ downloads: z.array(z.unknown()) }).safeParse(jsonOrNull(text));
  const records = (parsed.success ? parsed.data.downloads : []).flatMap((each) => record.safeParse(each).data ?? []);
  return Promise.all(records.map(async (each) => ({ ...each, done: await downloadedBytes(models, each) })));
}

let writing = Promise.resolve();

export function writeDownloads(models: string, records: readonly DownloadRecord[]): Promise<void> {
  const downloads = records.map(({ done: _, ...kept }) => kept);
  const text = `${JSON.stringify({ downloads }, null, 2)}\n`;
  writing = ended(writing).then(async () => {
    await mkdir(models, { recursive: true });
    await writeWhole(join(models, FILE), text);
  });
  return writing;
}

async function downloadedBytes(models: string, { into, parts }: z.infer<typeof record>): Promise<number> {
  const sizes = parts.flatMap(({ path }) =>
    [path, `${path}.incomplete`].map((name) =>
      stat(join(models, into, name)).then(({ size }) => size, ifUnreadable(0, 'hub')),
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
