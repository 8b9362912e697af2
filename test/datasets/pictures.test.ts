import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { bmp, facts, picture, testDatasets } from './testDatasets.js';

test('a thumbnail is a WebP of at most 256 pixels, and may be cached for ever at an address with its revision', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const saved = await facts(ask('PUT', '/datasets/x/images/a.png', await picture('png', 900, 600)));
  const at = '/datasets/x/images/a.png?size=thumb';
  const answer = await ask('GET', `${at}&revision=${encodeURIComponent(saved.image.revision)}`);
  expect(answer.headers.get('content-type')).toBe('image/webp');
  expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
  const { format, width, height } = await sharp(Buffer.from(await answer.arrayBuffer())).metadata();
  expect({ format, width, height }).toEqual({ format: 'webp', width: 256, height: 171 });
  for (const address of [at, `${at}&revision=older`]) {
    const { headers } = await ask('GET', address);
    expect(headers.get('cache-control')).toBe('private, no-cache');
    expect((await ask('GET', address, undefined, { 'if-none-match': `${headers.get('etag')}` })).status).toBe(304);
  }
  const small = await picture('png', 20, 10);
  await ask('PUT', '/datasets/x/images/small.png', small);
  const shown = await ask('GET', '/datasets/x/images/small.png?size=thumb');
  expect(await sharp(Buffer.from(await shown.arrayBuffer())).metadata()).toMatchObject({ width: 20, height: 10 });
});

test('a picture that is replaced has another thumbnail, revision and size', async () => {
  const { ask, create, detail, datasets } = await testDatasets();
  await create('x');
  const thumb = async () => Buffer.from(await (await ask('GET', '/datasets/x/images/a.png?size=thumb')).arrayBuffer());
  await ask('PUT', '/datasets/x/images/a.png', await picture('png', 40, 30));
  const [first, before] = [await thumb(), (await detail('x')).files[0]];
  await ask('PUT', '/datasets/x/images/a.png', await picture('png', 30, 40));
  const [second, after] = [await thumb(), (await detail('x')).files[0]];
  expect(second.equals(first)).toBe(false);
  expect(after.revision).not.toBe(before.revision);
  expect(after).toMatchObject({ width: 30, height: 40 });
  // By hand, past us: the time of change tells.
  await writeFile(join(datasets, 'x', 'a.png'), await picture('png', 10, 10));
  await utimes(join(datasets, 'x', 'a.png'), new Date(), new Date(Date.now() + 5000));
  expect((await detail('x')).files[0]).toMatchObject({ width: 10, height: 10 });
});

test('a picture is served with the type of its ending and no guessing', async () => {
  const { ask, create, datasets } = await testDatasets();
  await create('x');
  await writeFile(join(datasets, 'x', 'evil.png'), '<script>alert(1)</script>');
  await writeFile(join(datasets, 'x', 'a.bmp'), bmp());
  for (const [file, type] of [
    ['evil.png', 'image/png'],
    ['a.bmp', 'image/bmp'],
  ]) {
    const { headers, status } = await ask('GET', `/datasets/x/images/${file}`);
    expect([status, headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
      200,
      type,
      'nosniff',
    ]);
  }
  for (const file of ['evil.png', 'a.bmp']) {
    const answer = await ask('GET', `/datasets/x/images/${file}?size=thumb`);
    expect(answer.status).toBe(422);
    expect((await facts(answer)).error.message).toMatch(/can't be shown/);
  }
  expect((await ask('HEAD', '/datasets/x/images/evil.png')).headers.get('content-length')).toBe('25');
  expect((await ask('GET', '/datasets/x/images/none.png')).status).toBe(404);
  expect((await ask('GET', '/datasets/x/images/a.txt')).status).toBe(415);
});

test('a browser gets the page, a program the facts, a form the page it came from', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const html = { accept: 'text/html' };
  expect(await (await ask('GET', '/datasets/x', undefined, html)).text()).toMatch(/^<h1>Dataset</);
  expect(await (await ask('GET', '/datasets', undefined, html)).text()).toMatch(/^<h1>Datasets</);
  expect(await facts(await ask('PUT', '/datasets/x/images/a.png', await picture()))).toMatchObject({ created: true });
  const form = { ...html, 'content-type': 'application/x-www-form-urlencoded' };
  const deleted = await ask('DELETE', '/datasets/x/images/a.png', '', form);
  expect([deleted.status, deleted.headers.get('location')]).toEqual([303, '../../x']);
});

test.each(['jpeg', 'png', 'webp'] as const)(
  'a %s that is upright only by its metadata is shown upright, and a warning says that trainers see it on its side',
  async (format) => {
    const { ask, create, detail } = await testDatasets();
    await create('x');
    const photo = sharp(await picture('png', 80, 50)).withMetadata({ orientation: 6 });
    await ask('PUT', `/datasets/x/images/a.${format}`, await photo.toFormat(format).toBuffer());
    await ask('PUT', `/datasets/x/images/b.${format}`, await picture(format));
    const { files, warnings } = await detail('x');
    expect(files).toMatchObject([{ turned: true, width: 80, height: 50 }, { turned: false }]);
    expect(warnings.join('\n')).toMatch(/^a\.\w+ is rotated or mirrored only in the metadata/m);
    const thumb = await ask('GET', `/datasets/x/images/a.${format}?size=thumb`);
    const { width, height } = await sharp(Buffer.from(await thumb.arrayBuffer())).metadata();
    expect([width, height]).toEqual([50, 80]);
  },
);
