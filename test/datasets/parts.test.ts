import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, utimes } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { UploadFacts } from '../../sidecar/datasets/uploads/facts.js';
import { makeTestSidecars } from '../sidecar.js';
import { facts, picture, served, testDatasets } from './testDatasets.js';
import { zip } from './zip.js';

const json = { 'content-type': 'application/json' };
const sum = (bytes: Buffer) => crc32(bytes).toString(16).padStart(8, '0');

async function begin(
  ask: Awaited<ReturnType<typeof testDatasets>>['ask'],
  file: string,
  bytes: Buffer,
): Promise<UploadFacts> {
  const told = JSON.stringify({ file, bytes: bytes.length, modified: 1 });
  return facts(ask('POST', '/datasets/x/uploads', told, json));
}

function part(bytes: Buffer, from: number, to: number, total = bytes.length): [Buffer, Record<string, string>] {
  const headers = {
    'content-range': `bytes ${from}-${to - 1}/${total}`,
    'upload-crc32': sum(bytes.subarray(0, to)),
  };
  return [bytes.subarray(from, to), headers];
}

test('a picture in parts is kept byte for byte, and nothing of the upload stays beside it', async () => {
  const { ask, create, content, files } = await testDatasets();
  await create('x');
  const bytes = await picture('png', 300, 300);
  const upload = await begin(ask, 'a.png', bytes);
  expect(upload).toMatchObject({ arrived: 0, bytes: bytes.length, state: 'arriving' });
  const at = `/datasets/x/uploads/${upload.id}`;
  const half = await facts(ask('PUT', at, ...part(bytes, 0, 100_000)));
  expect(half).toMatchObject({ arrived: 100_000, crc32: sum(bytes.subarray(0, 100_000)), state: 'arriving' });
  expect(await facts(ask('GET', '/datasets/x/uploads'))).toMatchObject([{ file: 'a.png', arrived: 100_000 }]);
  const whole = await ask('PUT', at, ...part(bytes, 100_000, bytes.length));
  expect(whole.status).toBe(201);
  expect(await facts(whole)).toMatchObject({ state: 'taken', taken: { accepted: ['a.png'], refused: [] } });
  expect((await content('x/a.png')).equals(bytes)).toBe(true);
  expect((await files()).filter((file) => !file.endsWith('upload.json'))).toEqual(['x/a.png']);
  // Who lost the last answer asks again, and sends nothing twice.
  expect(await facts(ask('GET', at))).toMatchObject({ state: 'taken', arrived: bytes.length });
  expect((await ask('PUT', at, ...part(bytes, 100_000, bytes.length))).status).toBe(201);
});

test('parts that are sent twice, too early, damaged, too long or of another file are told apart, and nothing is lost', async () => {
  const { ask, create, content } = await testDatasets();
  await create('x');
  const bytes = await picture('png', 200, 200);
  const { id } = await begin(ask, 'a.png', bytes);
  const at = `/datasets/x/uploads/${id}`;
  await ask('PUT', at, ...part(bytes, 0, 50_000));
  expect(await facts(ask('PUT', at, ...part(bytes, 60_000, 70_000)))).toMatchObject({
    error: { code: 'part_too_early' },
  });
  const [body, headers] = part(bytes, 50_000, 60_000);
  const damaged = Buffer.from(body);
  damaged.writeUInt8(damaged.readUInt8(77) ^ 1, 77);
  expect(await facts(ask('PUT', at, damaged, headers))).toMatchObject({ error: { code: 'part_damaged' } });
  expect(await facts(ask('GET', at))).toMatchObject({ arrived: 50_000, crc32: sum(bytes.subarray(0, 50_000)) });
  expect(await facts(ask('PUT', at, Buffer.concat([body, body]), headers))).toMatchObject({
    error: { code: 'part_too_long' },
  });
  expect(await facts(ask('PUT', at, body.subarray(0, 400), headers))).toMatchObject({
    error: { code: 'upload_cut_off' },
  });
  expect(await facts(ask('PUT', at, ...part(bytes, 50_000, 60_000, bytes.length + 1)))).toMatchObject({
    error: { code: 'other_size' },
  });
  for (const range of ['', 'bytes 0-1', 'bytes 5-1/9', 'bytes 0-99999999/100000000', 'bytes 0-9/9'])
    expect([400, 413]).toContain((await ask('PUT', at, body, { 'content-range': range })).status);
  // Again from somewhere before, and on to the end.
  expect(await facts(ask('PUT', at, ...part(bytes, 20_000, 55_000)))).toMatchObject({ arrived: 55_000 });
  expect((await ask('PUT', at, ...part(bytes, 55_000, bytes.length))).status).toBe(201);
  expect((await content('x/a.png')).equals(bytes)).toBe(true);
});

test('what is no picture is refused once it is whole; too large, strange and unknown ones before the first byte', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  const junk = randomBytes(9000);
  const { id } = await begin(ask, 'a.png', junk);
  const refused = await ask('PUT', `/datasets/x/uploads/${id}`, ...part(junk, 0, 9000));
  expect(refused.status).toBe(422);
  expect(await facts(refused)).toMatchObject({ state: 'refused', problem: { code: 'not_decodable' } });
  const announce = async (told: object, name = 'x') =>
    (await ask('POST', `/datasets/${name}/uploads`, JSON.stringify(told), json)).status;
  expect(await announce({ file: 'a.png', bytes: 100_000_001 })).toBe(413);
  expect(await announce({ file: 'a.zip', bytes: 65_000_000_000 })).toBe(413);
  expect(await announce({ file: 'a.zip', bytes: 60_000_000_000_000 })).toBe(413);
  expect(await announce({ file: 'a.gif', bytes: 1 })).toBe(415);
  expect(await announce({ file: '../a.png', bytes: 1 })).toBe(422);
  expect(await announce({ file: '../../a.zip', bytes: 1 })).toBe(422);
  expect(await announce({ file: 'a.png', bytes: 0 })).toBe(400);
  expect(await announce({ file: 'a.png', bytes: 10 }, 'none')).toBe(404);
  for (const id of ['..', '%2e%2e', '0'.repeat(32), 'x', '..%2f..%2fx'])
    expect((await ask('GET', `/datasets/x/uploads/${id}`)).status).toBe(404);
  expect((await files()).filter((file) => !file.endsWith('upload.json'))).toEqual([]);
});

test('a connection that breaks in the middle of a part costs nothing that had arrived', async () => {
  const { app, ask, create, content } = await testDatasets();
  const { port } = await served(app);
  await create('x');
  const bytes = await picture('png', 400, 400);
  const { id } = await begin(ask, 'a.png', bytes);
  const at = `/datasets/x/uploads/${id}`;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `PUT ${at} HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes.length}\r\nContent-Range: bytes 0-${bytes.length - 1}/${bytes.length}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, 200_000)]));
  await vi.waitFor(async () => expect((await facts(ask('GET', at))).arrived).toBe(200_000), 5000);
  // The other end does not know yet that the line is dead: the next part does not wait for it.
  expect(await facts(ask('PUT', at, ...part(bytes, 200_000, 300_000)))).toMatchObject({ arrived: 300_000 });
  socket.destroy();
  expect((await ask('PUT', at, ...part(bytes, 300_000, bytes.length))).status).toBe(201);
  expect((await content('x/a.png')).equals(bytes)).toBe(true);
});

test('a sidecar that is killed loses nothing that arrived, and takes what was whole by itself', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const bytes = await picture('png', 400, 400);
  const archive = zip([
    { name: 'b.png', content: bytes },
    { name: 'b.txt', content: 'a cat' },
  ]);
  const first = await place.serve();
  await first.send('POST', 'datasets', { name: 'x' });
  const uploads = [];
  for (const [file, content] of [
    ['a.png', bytes],
    ['b.zip', archive],
  ] as const) {
    const told = { file, bytes: content.length, modified: 1 };
    const { body } = await first.send('POST', 'datasets/x/uploads', told);
    const [chunk, headers] = part(content, 0, 100_000);
    await fetch(`${first.url}datasets/x/uploads/${body.id}`, { method: 'PUT', body: new Uint8Array(chunk), headers });
    uploads.push({ id: body.id, content, told });
  }
  await first.kill();
  const second = await place.serve();
  for (const { id, content, told } of uploads) {
    const { body } = await second.send('POST', 'datasets/x/uploads', told);
    expect(body).toMatchObject({ id, arrived: 100_000, crc32: sum(content.subarray(0, 100_000)) });
    const [chunk, headers] = part(content, 100_000, content.length);
    const answer = await fetch(`${second.url}datasets/x/uploads/${id}`, {
      method: 'PUT',
      body: new Uint8Array(chunk),
      headers,
    });
    expect(answer.status).toBe(201);
  }
  expect(await second.get('datasets/x')).toMatchObject({ images: 2, captions: 1 });
});

test('an archive that is given up is not unpacked to its end, nor one that waits for it, and nothing of it stays', async () => {
  const { ask, create, detail, files } = await testDatasets();
  await create('x');
  const content = await picture();
  const archive = (stem: string, count: number) =>
    zip(Array.from({ length: count }, (_, index) => ({ name: `${stem}${index}.png`, content })));
  const [long, waiting] = [archive('long', 1000), archive('waiting', 2)];
  const first = await begin(ask, 'long.zip', long);
  const second = await begin(ask, 'waiting.zip', waiting);
  const [one, two] = [first, second].map(({ id }) => `/datasets/x/uploads/${id}`) as [string, string];
  const unpacking = ask('PUT', one, ...part(long, 0, long.length));
  await vi.waitFor(async () => expect((await facts(ask('GET', one))).unpacked?.done).toBeGreaterThan(0), 10_000);
  const queued = ask('PUT', two, ...part(waiting, 0, waiting.length));
  await vi.waitFor(async () => expect((await facts(ask('GET', two))).state).toBe('taking'));
  for (const at of [two, one]) {
    expect((await facts(ask('GET', one))).state).toBe('taking');
    expect((await facts(ask('DELETE', at))).message).toMatch(/The dataset is as it was/);
  }
  for (const answer of [await unpacking, await queued]) expect([404, 422]).toContain(answer.status);
  expect((await detail('x')).images).toBe(0);
  expect(await files()).toEqual([]);
});

test('half of an upload is kept for a day, and then removed', async () => {
  const { sweepUploads } = await import('../../sidecar/datasets/uploads/halfDone.js');
  const { ask, create, datasets } = await testDatasets();
  await create('x');
  const bytes = await picture();
  const { id } = await begin(ask, 'a.png', bytes);
  await ask('PUT', `/datasets/x/uploads/${id}`, ...part(bytes, 0, 500));
  const hours = (count: number) => Date.now() + count * 3_600_000;
  await sweepUploads(datasets, () => false, hours(23));
  expect(await readdir(join(datasets, '.uploads'))).toEqual([id]);
  await sweepUploads(datasets, () => true, hours(25));
  expect(await readdir(join(datasets, '.uploads'))).toEqual([id]);
  await sweepUploads(datasets, () => false, hours(25));
  expect(await readdir(join(datasets, '.uploads'))).toEqual([]);
  await utimes(datasets, new Date(), new Date());
  const again = await begin(ask, 'a.png', bytes);
  expect(again.arrived).toBe(0);
  expect((await ask('DELETE', `/datasets/x/uploads/${id}`)).status).toBe(200);
  expect(await readdir(join(datasets, '.uploads'))).toEqual([]);
});
