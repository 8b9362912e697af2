import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { projectRoot } from '../sidecar.js';
import { facts, picture, testDatasets } from './testDatasets.js';
import { zip } from './zip.js';

const photo = (name: string) => readFile(join(projectRoot, 'test', 'fixtures', 'heic', `${name}.heic`));

/** The colour in each corner, from the top left on, to the right and down. */
async function corners(jpeg: Buffer): Promise<string[]> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3).subarray(0, 3)];
  const [right, bottom] = [info.width - 6, info.height - 6];
  return [at(5, 5), at(right, 5), at(5, bottom), at(right, bottom)].map(nameOf);
}

function nameOf([red = 0, green = 0, blue = 0]: number[]): string {
  if (red > 150 && green < 80) return 'red';
  if (blue > 150 && red < 80) return 'blue';
  return red > 200 ? 'white' : 'black';
}

test('a photo of an iPhone becomes an upright JPEG of the same name, in the colours that trainers read, beside its caption', async () => {
  const { ask, create, detail, files, content } = await testDatasets();
  await create('x');
  await ask('PUT', '/datasets/x/captions/IMG_1', 'a cat');
  const answer = await ask('PUT', '/datasets/x/images/IMG_1.HEIC', await photo('phone'));
  expect(answer.status).toBe(201);
  expect(await facts(answer)).toMatchObject({
    converted: true,
    message: 'IMG_1.HEIC was converted to JPEG. IMG_1.jpg was saved.',
    image: { file: 'IMG_1.jpg', width: 200, height: 300, caption: 'a cat' },
  });
  expect(await files()).toEqual(['x/IMG_1.jpg', 'x/IMG_1.txt']);
  const jpeg = await content('x/IMG_1.jpg');
  expect(await corners(jpeg)).toEqual(['black', 'red', 'blue', 'white']);
  const { format, orientation, hasProfile, exif } = await sharp(jpeg).metadata();
  expect({ format, orientation, hasProfile, exif }).toEqual({ format: 'jpeg', hasProfile: false });
  // Display P3 of 199, 41, 41.
  const { data } = await sharp(jpeg)
    .extract({ left: 180, top: 10, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(data[0]).toBeGreaterThan(210);
  expect(data[1]).toBeLessThan(15);
  expect(await detail('x')).toMatchObject({ images: 1, errors: [], orphan_captions: [] });
  const again = await facts(ask('PUT', '/datasets/x/images/IMG_1.HEIC', await photo('phone')));
  expect(again).toMatchObject({ created: false, replaced: false });
  expect(again.message).toMatch(/IMG_1\.jpg is already here/);
});

test('photos are known by their content, whatever their names say', async () => {
  const { ask, create, content, files } = await testDatasets();
  await create('x');
  const jpeg = await picture('jpeg');
  const sent: Record<string, Buffer> = {
    'deep.heif': await photo('deep'),
    'renamed.JPG': await photo('plain'),
    'jpeg.heic': jpeg,
    'png.HEIC': await picture(),
  };
  const notes: string[] = [];
  for (const [file, bytes] of Object.entries(sent))
    notes.push(...(await facts(ask('PUT', `/datasets/x/images/${file}`, bytes))).notes);
  expect(notes).toEqual([
    'jpeg.heic is not a HEIC photo, so it was saved as jpeg.jpg.',
    'png.HEIC is not a HEIC photo, so it was saved as png.png.',
  ]);
  expect(await files()).toEqual(['x/deep.jpg', 'x/jpeg.jpg', 'x/png.png', 'x/renamed.JPG']);
  expect((await content('x/jpeg.jpg')).equals(jpeg)).toBe(true);
  for (const file of ['deep.jpg', 'renamed.JPG'])
    expect([file, await corners(await content(`x/${file}`))]).toEqual([file, ['red', 'white', 'black', 'blue']]);
});

test('a damaged photo, one of too many pixels and one that is none are refused in words, and nothing of them stays', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  const whole = await photo('phone');
  const bad: [Buffer, RegExp][] = [
    [
      whole.subarray(0, whole.length - 200),
      /^IMG\.heic was not saved\. The photo is damaged or cut off\. Send it again, or export it as JPEG/,
    ],
    [whole.subarray(0, 100), /is damaged or cut off/],
    [sized(whole, 20_000), /more than 67 million pixels/],
    [await avif(), /can't be read, such as an AVIF/],
    [Buffer.from('no picture at all'), /not a PNG, JPEG, WebP or HEIC picture/],
    [Buffer.alloc(0), /The file is empty/],
  ];
  for (const [bytes, words] of bad) {
    const answer = await ask('PUT', '/datasets/x/images/IMG.heic', bytes);
    expect([answer.status, (await facts(answer)).error.message]).toEqual([422, expect.stringMatching(words)]);
  }
  expect(await files()).toEqual([]);
});

test('the photos of a zip are converted, a bad one is named, and none takes the name of another picture', async () => {
  const { ask, create, detail, files } = await testDatasets();
  await create('x');
  const [plain, phone] = [await photo('plain'), await photo('phone')];
  const archive = zip([
    { name: 'trip/IMG_1.HEIC', content: phone },
    { name: 'trip/IMG_1.txt', content: 'a cat' },
    { name: 'trip/IMG_2.HEIC', content: plain },
    { name: 'trip/IMG_2.jpg', content: await picture('jpeg') },
    { name: 'trip/bad.heic', content: plain.subarray(0, 500) },
    { name: 'trip/good.png', content: await picture() },
  ]);
  const taken = await facts(ask('PUT', '/datasets/x/archives/trip.zip', archive));
  expect(taken).toMatchObject({
    accepted: ['IMG_1.HEIC', 'IMG_1.txt', 'IMG_2.jpg', 'good.png'],
    converted: ['IMG_1.HEIC'],
    refused: [
      {
        file: 'bad.heic',
        code: 'not_decodable',
        reason: expect.stringMatching(/^bad\.heic was not saved\. The photo is damaged/),
      },
      {
        file: 'IMG_2.HEIC',
        code: 'name_taken',
        reason: expect.stringMatching(/would become IMG_2\.jpg.*Rename one of them/),
      },
    ],
  });
  expect(await files()).toEqual(['x/IMG_1.jpg', 'x/IMG_1.txt', 'x/IMG_2.jpg', 'x/good.png']);
  const facing = expect.objectContaining({ file: 'IMG_1.jpg', height: 300, caption: 'a cat' });
  expect((await detail('x')).files).toContainEqual(facing);
});

test('a photo is converted before the rest of a form of many', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  const form = new FormData();
  form.set('name', 'many');
  for (const name of 'abcde') form.append('files', new File([new Uint8Array(await photo('plain'))], `${name}.heic`));
  const over: string[] = [];
  const many = ask('POST', '/datasets', form).then(() => over.push('form'));
  // All of the form has arrived, under other names first.
  const arrived = async () => new Set((await files()).map((file) => /^many\/\.?([a-e])/.exec(file)?.[1]));
  await expect.poll(async () => [...(await arrived())].sort(), { timeout: 20_000 }).toEqual([...'abcde']);
  await ask('PUT', '/datasets/x/images/one.heic', await photo('plain')).then(() => over.push('one'));
  await many;
  expect(over).toEqual(['one', 'form']);
  expect((await files()).length).toBe(6);
});

test('a form without scripts tells that photos were converted, and one that lies in the folder by hand how to have it converted', async () => {
  const { ask, datasets, detail } = await testDatasets();
  const form = new FormData();
  form.set('name', 'x');
  form.append('files', new File([new Uint8Array(await photo('plain'))], 'a.heic'));
  form.append('files', new File(['a cat'], 'a.txt'));
  const page = await ask('POST', '/datasets', form, { accept: 'text/html' });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('2 files were saved in x. 1 HEIC photo was converted to JPEG.');
  await writeFile(join(datasets, 'x', 'b.heic'), await photo('plain'));
  await writeFile(join(datasets, 'x', 'c.jpg'), await photo('plain'));
  const { errors, warnings } = await detail('x');
  expect(errors).toEqual([expect.stringMatching(/^c\.jpg can't be used: It is a HEIC photo, whatever its name says/)]);
  expect(warnings.join()).toMatch(/can't be trained on: b\.heic\..* Upload HEIC photos on the page of a dataset/);
});

/** An AVIF that begins as HEIC photos do. */
async function avif(): Promise<Buffer> {
  const bytes = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
    .avif()
    .toBuffer();
  bytes.write('mif1', 8);
  return bytes;
}

/** The photo, saying that it is so many pixels wide and high. */
function sized(file: Buffer, pixels: number): Buffer {
  const said = Buffer.from(file);
  for (let at = said.indexOf('ispe'); at >= 0; at = said.indexOf('ispe', at + 1)) {
    said.writeUInt32BE(pixels, at + 8);
    said.writeUInt32BE(pixels, at + 12);
  }
  return said;
}
