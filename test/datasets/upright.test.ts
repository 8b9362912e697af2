import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';

let place: InProcess;
let folder: string;
beforeAll(() => {
  place = appInProcess();
  folder = join(place.settings.datasets, 'example');
});
afterAll(() => place.leave());

/** Red on the left and blue on the right as stored; the metadata says that the left is up. */
async function lying(format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  const half = { width: 100, height: 120, channels: 3 } as const;
  const blue = { create: { ...half, background: '#0000ff' } };
  return sharp({ create: { ...half, width: 200, background: '#ff0000' } })
    .composite([{ input: blue, left: 100, top: 0 }])
    .withMetadata({ orientation: 6 })
    .toFormat(format)
    .toBuffer();
}

test('photos that only their metadata turns are turned upright with one button, and the originals lie in the trash', async () => {
  const photos = {
    'phone.jpg': await lying('jpeg'),
    'phone2.png': await lying('png'),
    'phone3.webp': await lying('webp'),
  };
  for (const [file, bytes] of Object.entries(photos)) writeFileSync(join(folder, file), bytes);
  writeFileSync(join(folder, 'phone.txt'), 'a cat');
  const page = async (path = '/datasets/example') =>
    (await place.ask(path, { headers: { Accept: 'text/html' } })).text();
  expect(await page()).toContain('phone.jpg, phone2.png, phone3.webp are rotated or mirrored only in the metadata');

  const form = await place.ask('/datasets/example/upright', { method: 'POST', headers: { Accept: 'text/html' } });
  const { pathname, search } = new URL(form.headers.get('location') ?? '', 'http://x/datasets/example/upright');
  expect(await page(`${pathname}${search}`)).toContain('3 pictures were turned upright.');
  expect(await page()).not.toContain('Turn upright');

  for (const file of Object.keys(photos)) {
    const { data, info } = await sharp(join(folder, file)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([file, info.width, info.height]).toEqual([file, 120, 200]);
    const [first, last] = [data.subarray(0, 3), data.subarray(-3)].map((pixel) =>
      pixel.map((each) => (each > 128 ? 1 : 0)),
    );
    expect([file, ...(first ?? []), ...(last ?? [])]).toEqual([file, 1, 0, 0, 0, 0, 1]);
  }
  expect(readFileSync(join(folder, 'phone.txt'), 'utf8')).toBe('a cat');
  const trash = join(place.settings.datasets, '.trash', 'example');
  const kept = readdirSync(trash).flatMap((entry) =>
    readdirSync(join(trash, entry)).map((file) => join(trash, entry, file)),
  );
  expect(
    kept.map((path) => readFileSync(path)).every((bytes) => Object.values(photos).some((each) => each.equals(bytes))),
  ).toBe(true);
  expect(kept.length).toBe(3);
  const again = await place.ask('/datasets/example/upright', { method: 'POST' });
  expect(await again.json()).toEqual({ turned: [], failed: [] });
});
