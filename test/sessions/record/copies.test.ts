import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepVersion, listVersions, readVersion, VERSIONS_KEPT } from '../../../sidecar/sessions/record/copies.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'trackside-copies-')), 'cat');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const keep = (record: object) => keepVersion(folder, JSON.stringify({ lora_name: 'cat', ...record }));
const kept = async () => {
  const read = await Promise.all((await listVersions(folder)).map(({ id }) => readVersion(folder, id)));
  return read.map((each) => JSON.parse(each?.text ?? 'null'));
};

test('what a run changes pushes no edit of a person out of the twenty copies', async () => {
  for (let edit = 1; edit <= 15; edit += 1) await keep({ notes: `edit ${edit}`, status: 'draft' });
  for (let run = 1; run <= 40; run += 1)
    await keep({ notes: 'edit 15', status: 'running', attempts: [], error: `${run}` });
  const copies = await kept();
  expect(copies).toHaveLength(VERSIONS_KEPT);
  expect(copies[0]).toMatchObject({ notes: 'edit 15', error: '40' });
  expect(new Set(copies.map(({ notes }) => notes)).size).toBe(15);
});

test('of more than twenty edits the last twenty are kept, and no other file is left', async () => {
  for (let edit = 1; edit <= 25; edit += 1) await keep({ notes: `edit ${edit}` });
  expect((await kept()).map(({ notes }) => notes)).toEqual(Array.from({ length: 20 }, (_, at) => `edit ${25 - at}`));
  expect(readdirSync(join(folder, 'history'))).toHaveLength(20);
});
