import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ifMissing } from '../caught.js';
import { discard } from '../files/discard.js';
import { readJson } from '../files/jsonFile.js';
import { createWhole, sweepTemporary, writeWhole } from '../files/wholeFile.js';
import { fileOf, type Notice, notice } from './notice.js';

const delivery = z.object({
  state: z.enum(['waiting', 'sent', 'failed']),
  tries: z.number().default(0),
  /** Of the last try, ISO 8601. */
  at: z.string().nullable().default(null),
  /** Why the last try failed, in words. */
  error: z.string().nullable().default(null),
});

const schema = notice.extend({
  /** By the channel's id. */
  to: z.record(z.string(), delivery),
});

/** A notice and where it has gone: one file of the outbox. */
export type OutboxEntry = z.infer<typeof schema>;
export type Delivery = z.infer<typeof delivery>;

/** Bytes. */
const LARGEST = 100_000;

/** Every entry of an outbox, oldest first. What is unreadable is passed over. */
export async function readOutbox(folder: string): Promise<OutboxEntry[]> {
  await sweepTemporary(folder);
  const names = (await readdir(folder).catch(ifMissing([]))).filter((name) => /^[0-9a-f]{24}\.json$/.test(name));
  const entries = await Promise.all(names.map((name) => readEntry(folder, name)));
  return entries.filter((entry) => entry !== null).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** The entry as it is on the disk now, where another sidecar may have changed it. Null if it is gone or unreadable. */
export function readEntry(folder: string, name: string): Promise<OutboxEntry | null> {
  return readJson(join(folder, name), LARGEST, schema, null, 'notices');
}

/** Makes the file of a new notice. False where there is one already: it was told before, by us or by another sidecar. */
export async function addEntry(folder: string, entry: OutboxEntry): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return createWhole(join(folder, fileOf(entry.id)), textOf(entry), 0o600);
}

export function writeEntry(folder: string, entry: OutboxEntry): Promise<void> {
  return writeWhole(join(folder, fileOf(entry.id)), textOf(entry), 0o600);
}

export function removeEntry(folder: string, { id }: Pick<Notice, 'id'>): Promise<void> {
  return discard(join(folder, fileOf(id)));
}

function textOf(entry: OutboxEntry): string {
  return `${JSON.stringify(entry, null, 2)}\n`;
}
