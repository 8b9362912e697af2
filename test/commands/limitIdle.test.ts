import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestContext, test } from 'vitest';
import { limitIdle } from '../../sidecar/commands/limitIdle.js';

const IDLE_MS = 1000;

/** A server that takes twice that long for an answer, and a connection to it. */
async function connected({ onTestFinished }: TestContext): Promise<Socket> {
  const server = createServer(async (request, response) => {
    const whole = await text(request).catch(() => null);
    if (whole === null) return;
    await sleep(2 * IDLE_MS);
    response.end('taken');
  });
  limitIdle(server, IDLE_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return socket;
}

const head = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n';

test.concurrent('who has sent everything gets the answer however long it takes, and may send more on the same line', async (context) => {
  const socket = await connected(context);
  for (const _ of [1, 2]) {
    socket.write(`${head}good`);
    context.expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200/);
  }
});

test.concurrent('who falls silent within a body is cut off, also after an answer on the same line', async (context) => {
  const socket = await connected(context);
  socket.write(`${head}good`);
  await once(socket, 'data');
  socket.write(`${head}go`);
  await once(socket, 'close');
});
