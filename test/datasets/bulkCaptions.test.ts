import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';
import { exampleDataset } from '../sidecar.js';

let place: InProcess;
let folder: string;
beforeEach(async () => {
  place = appInProcess();
  folder = join(place.settings.datasets, 'example');
  for (const file of readdirSync(folder)) if (!/^0[1-3]/.test(file)) rmSync(join(folder, file));
  for (const [stem, text] of [
    ['01-morning', 'trks style, a track\r\n'],
    ['02-dusk', '\ufefftrks style'],
  ])
    writeFileSync(join(folder, `${stem}.txt`), text ?? '');
  rmSync(join(folder, '03-night.txt'));
});
afterEach(() => place.leave());

const captions = () =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.txt'))
      .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
async function change(body: object) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await place.ask('/datasets/example/captions', { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as { entry: string | null } };
}

test('all captions are changed at once, no other byte of them, and undone at once', async () => {
  const before = captions();
  const { status, body } = await change({ do: 'add', word: 'gngrcat' });
  expect([status, body]).toEqual([200, { changed: 2, removed: 0, entry: expect.any(String), skipped: [] }]);
  expect(captions()).toEqual({
    '01-morning.txt': 'gngrcat, trks style, a track\r\n',
    '02-dusk.txt': '\ufeffgngrcat, trks style',
  });
  const undo = () => place.ask(`/datasets/example/trash/${body.entry}`, { method: 'POST' });
  expect((await undo()).status).toBe(200);
  expect(captions()).toEqual(before);
});

test('a caption that is left empty goes, since trainers stop on it, and undo brings it back', async () => {
  const before = captions();
  const { body } = await change({ do: 'remove', word: 'trks style' });
  expect(body).toMatchObject({ changed: 2, removed: 1 });
  expect(captions()).toEqual({ '01-morning.txt': 'a track\r\n' });
  await place.ask(`/datasets/example/trash/${body.entry}`, { method: 'POST' });
  expect(captions()).toEqual(before);
});

test('tags are counted, and a change that changes nothing leaves no trace', async () => {
  const answer = await place.ask('/datasets/example/captions');
  const { tags } = (await answer.json()) as { tags: object[] };
  expect(tags).toEqual([
    { tag: 'trks style', count: 2 },
    { tag: 'a track', count: 1 },
  ]);
  expect((await change({ do: 'replace', find: 'nowhere', with: 'x' })).body).toMatchObject({ changed: 0, entry: null });
});

test('without JavaScript a form does the same, and its page offers to undo it', async () => {
  const request = {
    method: 'POST',
    headers: { Accept: 'text/html' },
    body: new URLSearchParams({ do: 'replace', find: 'track', with: 'rail' }),
  };
  const done = await place.ask('/datasets/example/captions', request);
  expect(done.status).toBe(303);
  const address = new URL(done.headers.get('location') ?? '', 'http://x/datasets/example/captions');
  const page = await place.ask(`${address.pathname}${address.search}`, { headers: { Accept: 'text/html' } });
  const [, undo = ''] = /(trash\/\d{8}T\d{6}Z-[0-9a-f]{6})">\s*1 caption changed\./.exec(await page.text()) ?? [];
  expect(captions()['01-morning.txt']).toBe('trks style, a rail\r\n');
  const undone = await place.ask(`/datasets/example/${undo}`, { ...request, body: new URLSearchParams() });
  const back = new URL(undone.headers.get('location') ?? '', `http://x/datasets/example/${undo}`);
  const after = await place.ask(`${back.pathname}${back.search}`, { headers: { Accept: 'text/html' } });
  expect(await after.text()).toContain('Undone: 1 caption is as it was.');
  expect(captions()['01-morning.txt']).toBe('trks style, a track\r\n');
  // What is refused leads back to the form.
  const from = { Host: 'localhost', Referer: 'http://localhost/datasets/example' };
  const refused = await place.ask('/datasets/example/captions', {
    ...request,
    headers: { ...request.headers, ...from },
    body: new URLSearchParams({ do: 'replace', find: '' }),
  });
  expect(await refused.text()).toContain('href="/datasets/example">Back<');
});

test.each([
  [{}],
  [{ do: 'add', word: ' ' }],
  [{ do: 'add', word: 'a\nb' }],
  [{ do: 'replace', find: '', with: 'x' }],
  [{ do: 'delete' }],
])('what is no change is refused: %j', async (body) => {
  const before = captions();
  expect((await change(body)).status).toBe(400);
  expect(captions()).toEqual(before);
});

test('each picture says at which size it is trained, what is cut off, and which others are alike', async () => {
  const winter = sharp(join(exampleDataset, '05-winter.png'));
  const one = await winter.resize(600, 900, { fit: 'cover' }).png().toBuffer();
  writeFileSync(join(folder, 'a.png'), one);
  writeFileSync(join(folder, 'b.png'), one);
  writeFileSync(join(folder, 'c.jpg'), await sharp(one).resize(300).jpeg({ quality: 60 }).toBuffer());
  const answer = await place.ask('/datasets/example?resolution=512');
  const { files, alike } = (await answer.json()) as { files: { file: string; training: object }[]; alike: object[] };
  expect(alike).toEqual([
    { files: ['a.png', 'b.png'], same: true },
    { files: ['a.png', 'c.jpg'], same: false },
  ]);
  const training = (file: string) => files.find((each) => each.file === file)?.training;
  expect(training('a.png')).toMatchObject({ bucket: [384, 640], resized: [427, 640], enlarged: 427 / 600 });
  expect(training('c.jpg')).toMatchObject({ bucket: [384, 640], enlarged: 427 / 300 });
  const page = await (await place.ask('/datasets/example?resolution=512', { headers: { Accept: 'text/html' } })).text();
  expect(page).toContain('trained at 384 × 640, 10 % cut off at left and right');
  expect(page).toContain('small for 512 pixels: enlarged 1.4 times');
  expect(page).toContain('the same file as b.png');
  expect(page).toContain('looks like a.png');
});
