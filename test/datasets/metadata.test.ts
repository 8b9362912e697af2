import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type Metadata } from 'sharp';
import { expect, test } from 'vitest';
import { readExif } from '../../sidecar/datasets/metadata/exif.js';
import { bytesOf } from '../../sidecar/datasets/metadata/pieces.js';
import { withoutPrivate } from '../../sidecar/datasets/metadata/strip.js';
import { chunksOf, pngChunk, webpChunk, webpOf } from './chunks.js';
import { bmpOf, hidden } from './hidden.js';
import { facts, picture, testDatasets } from './testDatasets.js';

const SECRETS = ['Jane Roe', 'SN-4711', 'Berlin'];

/** A photo as a phone takes it: on its side by its pixels, upright by its metadata, and talkative. */
async function photo(format: 'jpeg' | 'png' | 'webp', progressive = false): Promise<Buffer> {
  return sharp(await picture('png', 80, 50))
    .withMetadata({ orientation: 6 })
    .withIccProfile('p3')
    .withExif({
      IFD0: { Artist: 'Jane Roe', Make: 'Phone', ImageDescription: 'Berlin' },
      IFD2: { BodySerialNumber: 'SN-4711', DateTimeOriginal: '2026:01:02 03:04:05' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '52/1 31/1 12/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '13/1 24/1 18/1',
      },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Jane Roe</a></x:xmpmeta>')
    .toFormat(format, progressive ? { progressive } : {})
    .toBuffer();
}

test.each([
  ['jpeg', false],
  ['jpeg', true],
  ['png', false],
  ['webp', false],
] as const)(
  'a %s is stripped of what is private without touching a pixel, and stays upright (progressive: %s)',
  async (format, progressive) => {
    const { ask, create, content, detail, files } = await testDatasets();
    await create('x');
    const before = await photo(format, progressive);
    const file = `a.${format === 'jpeg' ? 'jpg' : format}`;
    await ask('PUT', `/datasets/x/images/${file}`, before);
    expect((await content(`x/${file}`)).equals(before)).toBe(true);
    const told = await detail('x');
    expect(told.files[0].found).toEqual(expect.arrayContaining(['author', 'GPS position', 'camera serial number']));
    expect(told.warnings.join(' ')).toMatch(/turned or mirrored only by a note in the metadata/);

    const answer = await facts(ask('DELETE', '/datasets/x/metadata'));
    expect(answer.stripped).toEqual([{ file, found: expect.arrayContaining(['author', 'GPS position']) }]);
    expect(answer.message).toMatch(/Stripped from 1 of the pictures: .*they are kept in \.trash\/x\//);
    const after = await content(`x/${file}`);
    for (const secret of SECRETS) expect(after.includes(secret), secret).toBe(false);
    expect((await detail('x')).files[0]).toMatchObject({ found: [], turned: true, width: 80, height: 50 });
    const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer();
    expect((await pixels(after)).equals(await pixels(before))).toBe(true);
    const upright = (bytes: Buffer) => sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const [a, b] = [await upright(before), await upright(after)];
    expect([b.info.width, b.info.height, b.data.equals(a.data)]).toEqual([50, 80, true]);
    const colours = (bytes: Buffer) => sharp(bytes).metadata();
    expect((await colours(after)).icc).toEqual((await colours(before)).icc);

    // Again there is nothing to do, and what it was can be put back.
    expect(await facts(ask('DELETE', '/datasets/x/metadata'))).toMatchObject({ stripped: [], kept: null });
    const [entry] = await facts(ask('GET', '/datasets/x/trash'));
    expect((await ask('POST', `/datasets/x/trash/${entry.entry}`)).status).toBe(200);
    expect((await content(`x/${file}`)).equals(before)).toBe(true);
    expect((await files()).filter((each) => each.startsWith('.trash'))).toHaveLength(1);
  },
);

test('asked for at the upload, private metadata never reaches the dataset: raw, in a form, in parts and in an archive', async () => {
  const { ask, create, content, files } = await testDatasets();
  const { zip } = await import('./zip.js');
  await create('x');
  const bytes = await photo('jpeg');
  expect(await facts(ask('PUT', '/datasets/x/images/raw.jpg?strip=true', bytes))).toMatchObject({
    notes: [expect.stringMatching(/^Stripped from raw\.jpg: .*GPS position/)],
    stripped: expect.arrayContaining(['GPS position']),
  });
  const form = new FormData();
  form.append('name', 'x');
  form.append('strip', 'true');
  form.append('files', new Blob([new Uint8Array(bytes)]), 'form.jpg');
  expect((await facts(ask('POST', '/datasets', form))).notes.join(' ')).toMatch(
    /Stripped from form\.jpg: .*GPS position/,
  );
  const told = JSON.stringify({ file: 'parts.jpg', bytes: bytes.length, strip: true });
  const { id } = await facts(ask('POST', '/datasets/x/uploads', told, { 'content-type': 'application/json' }));
  const range = { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` };
  expect((await facts(ask('PUT', `/datasets/x/uploads/${id}`, bytes, range))).taken.notes[0]).toMatch(/GPS position/);
  const archive = zip([{ name: 'zip.jpg', content: bytes }]);
  await ask('PUT', '/datasets/x/archives/a.zip?strip=true', archive);
  const all = await files();
  expect(all.filter((file) => file.endsWith('.jpg'))).toHaveLength(4);
  for (const file of all) for (const secret of SECRETS) expect((await content(file)).includes(secret)).toBe(false);
});

test('what lies behind a picture goes with the rest: the film of a motion photo, a second picture, anything', async () => {
  const { ask, create, content } = await testDatasets();
  await create('x');
  for (const format of ['jpeg', 'png', 'webp'] as const) {
    const plain = await picture(format);
    const file = `b.${format === 'jpeg' ? 'jpg' : format}`;
    await ask(
      'PUT',
      `/datasets/x/images/${file}`,
      Buffer.concat([plain, Buffer.from('....ftypmp42 Jane Roe 52.52 N')]),
    );
  }
  const { stripped } = await facts(ask('DELETE', '/datasets/x/metadata'));
  expect(stripped).toHaveLength(3);
  for (const { file, found } of stripped) {
    expect(found).toEqual(['data behind the picture']);
    expect((await content(`x/${file}`)).includes('Jane Roe')).toBe(false);
  }
});

test.each(['jpeg', 'png', 'webp', 'bmp'] as const)(
  'nothing stays in a %s but what decodes and colours its pixels, wherever something private is hidden',
  async (format) => {
    const { ask, create, content } = await testDatasets();
    await create('x');
    const file = `a.${format === 'jpeg' ? 'jpg' : format}`;
    for (const [where, bytes] of Object.entries(await hidden(format))) {
      expect([where, bytes.includes('Jane Roe')]).toEqual([where, true]);
      const answer = await ask('PUT', `/datasets/x/images/${file}?strip=true`, bytes);
      const told = await facts(answer);
      expect([where, told.error?.message, told.stripped]).toEqual([where, undefined, [expect.any(String)]]);
      const after = await content(`x/${file}`);
      expect([where, after.includes('Jane Roe')]).toEqual([where, false]);
      if (format === 'bmp') {
        expect(after.equals(bmpOf(''))).toBe(true);
        continue;
      }
      const pixels = (each: Buffer) => sharp(each, { pages: -1 }).raw().toBuffer();
      expect([where, (await pixels(after)).equals(await pixels(bytes))]).toEqual([where, true]);
      const [before, now] = [await sharp(bytes).metadata(), await sharp(after).metadata()];
      const colours = ({ icc, channels, orientation, density, pages }: Metadata) => [
        where,
        icc?.toString('latin1').includes('acsp') ? icc : undefined,
        channels,
        orientation ?? 1,
        density,
        format === 'png' ? undefined : pages,
      ];
      expect(colours(now)).toEqual(colours(before));
      expect(await facts(ask('DELETE', '/datasets/x/metadata'))).toMatchObject({ stripped: [], refused: [] });
    }
  },
);

test('damaged metadata is never a reason to fail, and never read beyond its end', async () => {
  const { home } = await testDatasets();
  const whole = await photo('jpeg');
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 }), async (at, noise) => {
      const damaged = Buffer.from(whole);
      damaged.set(noise.subarray(0, damaged.length - at), at);
      expect(readExif(damaged.subarray(at)).orientation).toBeGreaterThan(0);
      const path = join(home, 'damaged.jpg');
      await writeFile(path, damaged);
      const made = await withoutPrivate(path, async (bytes) => {
        const parts: Buffer[] = [];
        for await (const part of bytes) parts.push(part);
        return Buffer.concat(parts);
      }).catch((error: Error) => error.message);
      expect(made === null || typeof made === 'string' || made.length <= damaged.length + 50).toBe(true);
    }),
    { numRuns: 300 },
  );
  const short = bytesOf({ bytes: 3, read: async () => Buffer.alloc(0) }, [{ from: 0, to: 3 }]);
  await expect(short.next()).rejects.toThrow(/too early/);
});

test('a picture that is cut into a million pieces delays nobody: not its upload, and not who looks at it', async () => {
  const { ask, create, detail } = await testDatasets();
  const { zip } = await import('./zip.js');
  await create('x');
  const [jpeg, png, webp] = [await picture('jpeg'), await picture('png'), await picture('webp')];
  const end = png.length - 12;
  const chunks = repeated(pngChunk('prVt'), 300_000);
  const pieces: Record<string, Buffer> = {
    'fill.jpg': Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(1_000_000, 0xff), jpeg.subarray(2)]),
    'behind.png': Buffer.concat([png.subarray(0, end), chunks, png.subarray(end)]),
    'chunks.webp': webpOf(chunksOf(webp), repeated(webpChunk('junk', ''), 500_000)),
  };
  const began = performance.now();
  for (const [file, bytes] of Object.entries(pieces)) {
    expect([file, (await ask('PUT', `/datasets/x/images/${file}`, bytes)).status]).toEqual([file, 201]);
    const stripped = await ask('PUT', `/datasets/x/images/${file}?strip=true`, bytes);
    expect([file, stripped.status]).toEqual([file, 422]);
    expect((await facts(stripped)).error.message).toMatch(/cut into too many pieces/);
  }
  const archive = zip(Object.entries(pieces).map(([name, content]) => ({ name, content, deflate: true })));
  expect((await facts(ask('PUT', '/datasets/x/archives/a.zip', archive))).accepted).toHaveLength(3);
  const before = Buffer.concat([png.subarray(0, 33), chunks, png.subarray(33)]);
  expect((await ask('PUT', '/datasets/x/images/before.png', before)).status).toBe(422);
  expect((await detail('x')).images).toBe(3);
  expect(performance.now() - began).toBeLessThan(10_000);
});

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.alloc(piece.length * times, piece);
}
