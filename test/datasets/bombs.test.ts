import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { BUSY } from '../busy.js';
import { chunksOf, jpegSegment, pngChunk, webpChunk, webpOf } from './chunks.js';
import { facts, picture, testDatasets } from './testDatasets.js';
import { zip } from './zip.js';

test('a picture that takes gigabytes to decode is refused in words, uploaded or put there by hand, before it is decoded', async () => {
  const { ask, create, datasets } = await testDatasets();
  await create('x');
  const bombs: Record<string, [Buffer, RegExp]> = {
    // 11585 × 11585 pixels of one colour.
    'a.webp': [
      Buffer.from('UklGRh4AAABXRUJQVlA4TBEAAAAvQC1QCwdQiirUo/+BiOh/AAA=', 'base64'),
      /As a WebP, it needs 672 MB .*export it as a plain PNG/,
    ],
    'interlaced.png': [png(8000, 8000, { interlaced: true }), /an interlaced PNG, it needs 512 MB/],
    'wide.png': [png(1_000_000, 8), /more than 32,768 pixels wide or high.*Make it smaller and/],
    'tall.png': [png(8, 1_000_000), /more than 32,768 pixels wide or high/],
    'progressive.jpg': [jpeg(0xc2, 8000, 8000), /a progressive JPEG, it needs 384 MB .*a baseline JPEG/],
    'scans.jpg': [jpeg(0xc2, 800, 800, 101), /more than 100 passes/],
  };
  for (const [file, [bytes, words]] of Object.entries(bombs)) {
    const answer = await ask('PUT', `/datasets/x/images/${file}`, bytes);
    expect([file, answer.status, (await facts(answer)).error.message]).toEqual([
      file,
      422,
      expect.stringMatching(words),
    ]);
    await writeFile(join(datasets, 'x', file), bytes);
    const shown = await ask('GET', `/datasets/x/images/${file}?size=thumb`);
    expect([file, shown.status]).toEqual([file, 422]);
    expect((await facts(shown)).error.message).toMatch(/can't be shown/);
  }
});

test('pictures of every kind that is held whole are taken, decoded to their end and shown', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const raw = await picture('png', 1200, 900);
  const kinds = {
    'a.webp': sharp(raw).webp({ lossless: true, effort: 0 }),
    'b.webp': sharp(raw).ensureAlpha(0.5).webp(),
    'c.jpg': sharp(raw).jpeg({ progressive: true, quality: 95 }),
    'd.png': sharp(raw).toColourspace('rgb16').png({ progressive: true, compressionLevel: 1 }),
  };
  for (const [file, made] of Object.entries(kinds)) {
    const bytes = await made.toBuffer();
    const cut = await ask('PUT', `/datasets/x/images/${file}`, bytes.subarray(0, Math.floor(bytes.length * 0.99)));
    expect([file, cut.status]).toEqual([file, 422]);
    expect([file, (await ask('PUT', `/datasets/x/images/${file}`, bytes)).status]).toEqual([file, 201]);
    expect((await ask('GET', `/datasets/x/images/${file}?size=thumb`)).headers.get('content-type')).toBe('image/webp');
  }
});

test('text that unpacks to hundreds of megabytes takes little memory', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const plain = await picture();
  const zeros = deflateSync(Buffer.alloc(40_000_000));
  const before = process.memoryUsage().rss;
  for (const [type, head] of [
    ['zTXt', 'a\0\0'],
    ['iTXt', 'a\0\x01\0\0\0'],
  ] as const) {
    const text = pngChunk(type, Buffer.concat([Buffer.from(head), zeros]));
    const bytes = Buffer.concat([plain.subarray(0, 33), Buffer.alloc(6 * text.length, text), plain.subarray(33)]);
    expect((await ask('PUT', `/datasets/x/images/${type}.png`, bytes)).status).toBe(201);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

test('a picture of a million empty pieces delays nobody', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const [jpeg, png, webp] = [await picture('jpeg'), await picture('png'), await picture('webp')];
  const repeated = (piece: Buffer, times: number) => Buffer.alloc(piece.length * times, piece);
  const chunks = repeated(pngChunk('prVt'), 300_000);
  const pieces: Record<string, Buffer> = {
    'fill.jpg': Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(1_000_000, 0xff), jpeg.subarray(2)]),
    'before.png': Buffer.concat([png.subarray(0, 33), chunks, png.subarray(33)]),
    'behind.png': Buffer.concat([png.subarray(0, -12), chunks, png.subarray(-12)]),
    'chunks.webp': webpOf(chunksOf(webp), repeated(webpChunk('junk', ''), 500_000)),
  };
  const began = performance.now();
  for (const [file, bytes] of Object.entries(pieces))
    expect([file, (await ask('PUT', `/datasets/x/images/${file}`, bytes)).status]).toEqual([file, 201]);
  expect(performance.now() - began).toBeLessThan(10_000 * BUSY);
});

test('an archive of few bytes whose pictures would keep the decoder for long is refused, and nothing of it stays', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  const good = { name: 'good.png', content: await picture() };
  const large = Array.from({ length: 9 }, (_, index) => ({ name: `${index}.png`, content: png(11_585, 11_585) }));
  const answer = await ask('PUT', '/datasets/x/archives/a.zip', zip([good, ...large]));
  expect(answer.status).toBe(413);
  expect((await facts(answer)).error).toMatchObject({
    code: 'archive_bomb',
    message: expect.stringMatching(/more than 1,074 million pixels. None of its files were saved/),
  });
  expect(await files()).toEqual([]);
  const fewer = await facts(ask('PUT', '/datasets/x/archives/a.zip', zip([good, ...large.slice(1)])));
  expect([fewer.accepted, fewer.refused.length]).toEqual([['good.png'], 8]);
});

/** What a PNG of 16 bits a channel says before its pixels, of which there are none. */
function png(width: number, height: number, { interlaced = false } = {}): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 16, 6, 0, 0, interlaced ? 1 : 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, pngChunk('IHDR', header), pngChunk('IDAT', 'x'), pngChunk('IEND')]);
}

/** A JPEG of three colours with so many empty scans. `kind` is the marker of its frame, 0xc2 is progressive. */
function jpeg(kind: number, width: number, height: number, scans = 1): Buffer {
  const frame = Buffer.from([8, 0, 0, 0, 0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  const scan = Buffer.concat([jpegSegment(0xda, Buffer.from([1, 1, 0, 0, 0, 0])), Buffer.alloc(8)]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    jpegSegment(kind, frame),
    ...Array.from({ length: scans }, () => scan),
    Buffer.from([0xff, 0xd9]),
  ]);
}
