import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inTime } from '../../sidecar/files/inTime.js';
import { openRegular, readOpened, readText, readTextNow } from '../../sidecar/files/regularFile.js';
import { BUSY } from '../busy.js';
import { oddThings } from './oddThings.js';

const folder = mkdtempSync(join(tmpdir(), 'trackside-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refused = [
  'a pipe',
  'a folder',
  'a device without an end',
  'a link to nothing',
  'a link to itself',
  'a file of 3 GB',
];

test.each(refused)('%s is refused at once, and not read', async (kind) => {
  const path = join(folder, kind);
  oddThings[kind]?.(path);
  const begun = performance.now();
  await expect(readText(path, 1000)).rejects.toThrow();
  expect(() => readTextNow(path, 1000)).toThrow();
  expect(performance.now() - begun).toBeLessThan(500 * BUSY);
});

test('a file is read as it is, up to its limit, through a link only where links are followed', async () => {
  const path = join(folder, 'text');
  writeFileSync(path, 'ä b');
  oddThings['a link to nothing']?.(join(folder, 'dangling'));
  expect(await readText(path, 4)).toBe('ä b');
  expect(readTextNow(path, 4)).toBe('ä b');
  await expect(readText(path, 3)).rejects.toThrow('is larger than 0 kB');
  await expect(readText(join(folder, 'dangling'), 10, 'refused')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('of a file that grows while it is read no more is taken than it had', async () => {
  const path = join(folder, 'growing');
  writeFileSync(path, 'one');
  const file = await openRegular(path);
  const reading = readOpened(file, 100).then(
    ({ length }) => length,
    ({ code }) => code,
  );
  appendFileSync(path, 'two'.repeat(1000));
  // It was asked for its size before it grew, or after.
  expect([3, 'too_large']).toContain(await reading);
  await file.close();
});

test('a disk that never answers is waited for once, and then holds nothing up until it answers', async () => {
  let answer = () => {};
  const never = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await expect(inTime('/dead', () => never, 20)).rejects.toMatchObject({ code: 'no_answer' });
  let asked = false;
  const again = inTime('/dead', async () => {
    asked = true;
  });
  await expect(again).rejects.toMatchObject({ code: 'no_answer' });
  expect(asked).toBe(false);
  expect(await inTime('/alive', async () => 'here')).toBe('here');
  answer();
  await never;
  expect(await inTime('/dead', async () => 'back')).toBe('back');
});
