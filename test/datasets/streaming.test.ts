import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { picture, served, testDatasets } from './testDatasets.js';

const MB = 1_000_000;

test('a connection that breaks off in the middle leaves nothing behind, and the picture as it was', async () => {
  const { app, ask, create, files, content } = await testDatasets();
  const { port } = await served(app);
  await create('x');
  const before = await picture();
  await ask('PUT', '/datasets/x/images/cat.png', before);
  const form =
    '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="cat.png"\r\n\r\n';
  const requests = [
    'PUT /datasets/x/images/cat.png HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n',
    'PUT /datasets/x/images/cat.png HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n',
    `POST /datasets HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n${form}`,
  ];
  for (const head of requests) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(Buffer.concat([Buffer.from(head), before, randomBytes(50_000)]));
    await vi.waitFor(async () => expect((await files()).some((file) => file.endsWith('.tmp'))).toBe(true), 5000);
    socket.destroy();
    await vi.waitFor(async () => expect(await files()).toEqual(['x/cat.png']), 5000);
    expect((await content('x/cat.png')).equals(before)).toBe(true);
  }
});

test('fifty uploads at once all arrive', async () => {
  const { app, create, detail, content } = await testDatasets();
  const { url } = await served(app);
  await create('x');
  const pictures = await Promise.all(Array.from({ length: 50 }, () => picture('jpeg', 200, 200)));
  const answers = await Promise.all(
    pictures.map((body, i) =>
      fetch(`${url}/datasets/x/images/${i}.jpg`, { method: 'PUT', body: new Uint8Array(body) }),
    ),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
  expect(await detail('x')).toMatchObject({ images: 50, captions: 0 });
  for (const [i, bytes] of pictures.entries()) expect((await content(`x/${i}.jpg`)).equals(bytes)).toBe(true);
});

test('twenty uploads of one name at once: one stays, and each of the others is kept in the trash', async () => {
  const { app, create, files, content } = await testDatasets();
  const { url } = await served(app);
  await create('x');
  const pictures = await Promise.all(Array.from({ length: 20 }, () => picture()));
  await Promise.all(
    pictures.map((body) => fetch(`${url}/datasets/x/images/cat.png`, { method: 'PUT', body: new Uint8Array(body) })),
  );
  const kept = await Promise.all((await files()).map(async (file) => (await content(file)).toString('base64')));
  expect(kept.sort()).toEqual(pictures.map((bytes) => bytes.toString('base64')).sort());
});

test('a picture of 60 MB, raw and in a form, passes through without being held in memory', async () => {
  const { app, home, create, content } = await testDatasets();
  const { port } = await served(app);
  await create('x');
  const raw = { width: 4500, height: 4500, channels: 3 } as const;
  const file = join(home, 'large.png');
  await writeFile(
    file,
    await sharp(randomBytes(4500 * 4500 * 3), { raw })
      .png({ compressionLevel: 0 })
      .toBuffer(),
  );
  const { size } = await stat(file);
  expect(size).toBeGreaterThan(60 * MB);
  const start = held();
  const most = watchHeld();
  expect(await send(port, 'PUT', '/datasets/x/images/a.png', createReadStream(file))).toMatchObject({ status: 201 });
  const head = Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="b.png"\r\n\r\n',
  );
  const form = chain([head], createReadStream(file), [Buffer.from('\r\n--b--\r\n')]);
  const type = { 'content-type': 'multipart/form-data; boundary=b' };
  expect(await send(port, 'POST', '/datasets', form, type)).toMatchObject({ status: 200 });
  expect(most() - start).toBeLessThan(20 * MB);
  expect((await content('x/a.png')).equals(await content('x/b.png'))).toBe(true);
});

test('more than 100 MB is refused in words, whether the size is announced or not, and nothing is left', async () => {
  const { app, create, files } = await testDatasets();
  const { port } = await served(app);
  await create('x');
  const announced = await send(port, 'PUT', '/datasets/x/images/a.png', [], { 'content-length': `${101 * MB}` });
  expect(announced).toMatchObject({ status: 413, text: expect.stringMatching(/a\.png is larger than 100 MB/) });
  const chunk = Buffer.alloc(MB);
  const streamed = await send(
    port,
    'PUT',
    '/datasets/x/images/a.png',
    Array.from({ length: 102 }, () => chunk),
  );
  expect(streamed).toMatchObject({ status: 413, text: expect.stringMatching(/was not saved/) });
  expect(await files()).toEqual([]);
});

test('a refusal by name reaches the sender of a large file too, and the connection lives on', async () => {
  const { app } = await testDatasets();
  const { url } = await served(app);
  const body = new Uint8Array(20 * MB);
  for (const path of ['x/images/a.gif', 'x/images/a.png', 'x/captions/a']) {
    const answer = await fetch(`${url}/datasets/${path}`, { method: 'PUT', body });
    expect([404, 413, 415]).toContain(answer.status);
    expect(await answer.text()).toMatch(/"message"/);
  }
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of buffers that someone still holds. */
function held(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

function watchHeld(): () => number {
  let most = held();
  // Collecting takes its time on a busy machine: what is watched gets as much again.
  const look = () => {
    const began = performance.now();
    most = Math.max(most, held());
    timer = setTimeout(look, 20 + 2 * (performance.now() - began));
  };
  let timer = setTimeout(look, 20);
  return () => {
    clearTimeout(timer);
    return most;
  };
}

async function* chain(...parts: (Iterable<Buffer> | Readable)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield* part;
}

/** Sends as fast as the other side takes it, and no faster. */
async function send(
  port: number,
  method: string,
  path: string,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const outgoing = request({ port, host: '127.0.0.1', method, path, headers });
  const answered = once(outgoing, 'response');
  answered.catch(() => {});
  outgoing.flushHeaders();
  for await (const chunk of body) if (!outgoing.write(chunk)) await once(outgoing, 'drain');
  if (!('content-length' in headers)) outgoing.end();
  const [incoming] = await answered;
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
  outgoing.destroy();
  return { status: incoming.statusCode, text };
}
