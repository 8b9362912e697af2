import { expect, test } from 'vitest';
import { bmp, facts, testDatasets } from './testDatasets.js';

test('a BMP is taken where its rows of pixels are there in full; compressed ones and text behind a header are refused in words', async () => {
  const { ask, create } = await testDatasets();
  await create('x');
  const put = (bytes: Buffer) => ask('PUT', '/datasets/x/images/a.bmp', bytes);
  const changed = (bytes: Buffer, change: (bytes: Buffer) => void) => {
    change(bytes);
    return bytes;
  };
  const text = Buffer.from('no pixel at all '.repeat(20));
  for (const compression of [1, 2, 3, 4, 5, 6, 11]) {
    const claims = changed(bmp(20, 20).subarray(0, 54), (head) => {
      head.writeUInt16LE(8, 28);
      head.writeUInt32LE(compression, 30);
    });
    const answer = await put(Buffer.concat([claims, text]));
    expect([compression, answer.status]).toEqual([compression, 422]);
    expect((await facts(answer)).error.message).toMatch(
      /a compressed BMP, or one of unusual colours.*Export it as PNG/,
    );
  }
  expect((await put(Buffer.concat([bmp(20, 20).subarray(0, 54), text]))).status).toBe(422);
  expect((await put(Buffer.concat([Buffer.from('BM'), text]))).status).toBe(422);
  const masked = (red: number, green: number, blue: number) =>
    changed(Buffer.concat([bmp(8, 8).subarray(0, 54), Buffer.alloc(12 + 8 * 8 * 4)]), (head) => {
      head.writeUInt32LE(66, 10);
      head.writeUInt16LE(32, 28);
      head.writeUInt32LE(3, 30);
      for (const [index, mask] of [red, green, blue].entries()) head.writeUInt32LE(mask, 54 + index * 4);
    });
  expect((await put(masked(0xff0000, 0xff00, 0xff))).status).toBe(201);
  expect((await put(masked(0xff0000, 0xffff, 0xff))).status).toBe(422);
  const palette = changed(Buffer.concat([bmp(8, 8).subarray(0, 54), Buffer.alloc(1024 + 64)]), (head) => {
    head.writeUInt32LE(54 + 1024, 10);
    head.writeUInt16LE(8, 28);
  });
  expect((await put(palette)).status).toBe(200);
  expect((await put(palette.subarray(0, -1))).status).toBe(422);
});
