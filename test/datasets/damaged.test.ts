import { link, mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import { bmp, picture, testDatasets } from './testDatasets.js';

async function dataset(files: Record<string, Buffer>) {
  const test = await testDatasets();
  const folder = join(test.datasets, 'x');
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
  return { ...test, folder };
}

const cut = (whole: Buffer, share: number) => whole.subarray(0, Math.floor(whole.length * share));
const zeroed = (whole: Buffer) => Buffer.concat([cut(whole, 0.5), Buffer.alloc(whole.length - cut(whole, 0.5).length)]);

test('pictures whose pixels are cut off or damaged behind a good header are named before a start', async () => {
  const jpeg = await picture('jpeg', 200, 200);
  const progressive = await sharp(jpeg).jpeg({ progressive: true }).toBuffer();
  const png = await picture('png', 200, 200);
  const webp = await picture('webp', 200, 200);
  // A preview with an end of its own, and what phones put behind the end.
  const preview = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 8]), Buffer.from([0xff, 0xda, 0, 0, 0xff, 0xd9])]);
  const withPreview = (whole: Buffer) => Buffer.concat([whole.subarray(0, 2), preview, whole.subarray(2)]);
  const { detail, ask } = await dataset({
    'cut.jpg': cut(jpeg, 0.7),
    'cut.png': cut(png, 0.9),
    'cut.webp': cut(webp, 0.8),
    'end.jpg': jpeg.subarray(0, -2),
    'good.jpg': Buffer.concat([withPreview(jpeg), Buffer.from([0xff, 0xda, 0, 1])]),
    'good.png': png,
    'good.webp': webp,
    'late.jpg': cut(progressive, 0.6),
    'progressive.jpg': progressive,
    'zeroed.jpg': zeroed(withPreview(jpeg)),
    'zeroed.png': zeroed(png),
  });
  const { errors, warnings, files, not_decoded } = await detail('x');
  const damaged = ['cut.jpg', 'cut.png', 'cut.webp', 'end.jpg', 'late.jpg', 'zeroed.jpg', 'zeroed.png'];
  expect(errors).toEqual(damaged.map((file) => expect.stringContaining(`${file} can't be used: `)));
  expect(files.filter((each: { problem: string | null }) => each.problem === null)).toHaveLength(4);
  expect(not_decoded).toBe(0);
  expect(warnings.join()).not.toContain('being checked');
  const page = await (await ask('GET', '/datasets/x', undefined, { accept: 'text/html' })).text();
  expect(page).toContain('is damaged or cut off');
});

test('a BMP without its last rows, and a JPEG that is overwritten in the middle, are named before a start', async () => {
  const jpeg = await picture('jpeg', 200, 200);
  const middle = Math.floor(jpeg.length / 2);
  const overwritten = (bytes: number[]) =>
    Buffer.concat([jpeg.subarray(0, middle), Buffer.from(bytes), jpeg.subarray(middle + bytes.length)]);
  const whole = bmp(30, 20);
  const upsideDown = Buffer.from(whole);
  upsideDown.writeInt32LE(-20, 22);
  const { detail } = await dataset({
    'a.bmp': whole,
    'b.bmp': upsideDown,
    'cut.bmp': whole.subarray(0, -5),
    'head.bmp': whole.subarray(0, 40),
    'restart.jpg': overwritten([0xff, 0xd3]),
    'stuffed.jpg': overwritten([0xff, 0x00]),
    'torn.jpg': overwritten([0xff, 0xff, 0xff, 0x55]),
    'torn2.jpg': overwritten([0xff, 0xc1]),
  });
  const named = (await detail('x')).errors.map((error: string) => error.split(' ')[0]);
  expect(named).toEqual(['cut.bmp', 'head.bmp', 'torn.jpg', 'torn2.jpg']);
});

test('a picture that is replaced by a damaged one of the same size and time is checked anew, and the other way round', async () => {
  const good = await picture('jpeg', 100, 100);
  const { detail, folder } = await dataset({ 'a.jpg': good });
  expect((await detail('x')).errors).toEqual([]);
  const { atime, mtime } = await stat(join(folder, 'a.jpg'));
  await writeFile(join(folder, 'a.jpg'), zeroed(good));
  await utimes(join(folder, 'a.jpg'), atime, mtime);
  expect((await detail('x')).errors).toHaveLength(1);
  await writeFile(join(folder, 'a.jpg'), good);
  expect((await detail('x')).errors).toEqual([]);
});

test('a page does not wait until a large dataset is checked: it says how many are left', async () => {
  const large = await sharp({ create: { width: 8000, height: 8000, channels: 3, background: '#123' } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const { detail, folder } = await dataset({ 'p.png': large });
  for (let at = 0; at < 300; at++) await link(join(folder, 'p.png'), join(folder, `p${at}.png`));
  const began = performance.now();
  const { not_decoded, warnings, errors } = await detail('x');
  expect(performance.now() - began).toBeLessThan(6000 * BUSY);
  expect(errors).toEqual([]);
  expect(not_decoded).toBeGreaterThan(0);
  expect(warnings).toContainEqual(expect.stringMatching(/^\d+ pictures? (is|are) still being checked for damage/));
});
