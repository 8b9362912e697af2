import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestSidecars, type Sidecar, type TestSidecars, until } from '../sidecar.js';

const TOKEN = 'given-8Kp2vQz7LmXw';
const bearer = { Authorization: `Bearer ${TOKEN}` };
let place: TestSidecars;
let sidecar: Sidecar;
beforeAll(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve({ TRACKSIDE_NO_LOGIN: '', TRACKSIDE_TOKEN: TOKEN });
});
afterAll(() => place.leave());

test('300 MB to any door, without the token, are answered at once and read no further', async () => {
  const before = residentMB();
  for (const path of ['/sessions', '/datasets', '/login', '/datasets/x/images/a.png', '/nowhere']) {
    const { status, sentMB } = await push(path, 300);
    expect([401, 413, 429], path).toContain(status);
    expect(sentMB, path).toBeLessThan(100);
  }
  expect(residentMB() - before).toBeLessThan(64);
});

test('bodies without a length that never end are not kept: 40 strangers with 3 MB each cost a few, and are sent away', async () => {
  const before = residentMB();
  const { hostname, port } = new URL(sidecar.url);
  const head =
    'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const piece = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => {
      const socket = connect(Number(port), hostname, () => socket.write(head + piece.repeat(3)));
      return new Promise<string>((resolve) => {
        socket.once('data', (chunk) => resolve(`${chunk}`));
        socket.once('error', () => resolve('closed'));
        socket.once('close', () => resolve('closed'));
      }).finally(() => socket.destroy());
    }),
  );
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 (401|429) |^closed$/);
  expect(residentMB() - before).toBeLessThan(64);
});

test('a form that is none is refused in words, and nothing is written about it', async () => {
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary=a']) {
    const answer = await fetch(new URL('login', sidecar.url), {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: '--a\r\nx',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('The body is not the kind of form that its header says.');
  }
  expect(sidecar.printed().trim().split('\n')).toHaveLength(1);
});

test('headers of 64 kB, a thousand of them, a body that is none: refused, and the next request is answered', async () => {
  const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(65_536)}\r\n\r\n`;
  const many = `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-Many: x\r\n'.repeat(5000)}\r\n`;
  expect(await raw(long)).toMatch(/^HTTP\/1.1 431 /);
  expect(await raw(many)).toMatch(/^HTTP\/1.1 431 /);
  expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw('GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1.1 (400|403) /);
  expect(
    await raw('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  ).toMatch(/^HTTP\/1.1 400 /);
  expect(await raw('GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n')).toMatch(/^HTTP\/1.1 403 /);
  expect(await raw('\x16\x03\x01\x02\x00')).toMatch(/^HTTP\/1.1 400 /);
  expect((await fetch(new URL('healthz', sidecar.url))).status).toBe(200);
});

test('200 pages may be open; the next is told to wait, and gets its turn when one is closed', async () => {
  const leave: AbortController[] = [];
  const open = async () => {
    const controller = new AbortController();
    const answer = await fetch(new URL('events', sidecar.url), { headers: bearer, signal: controller.signal });
    if (answer.ok) leave.push(controller);
    return answer;
  };
  const answers = await Promise.all(Array.from({ length: 210 }, open));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused).toHaveLength(10);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(new URL('sessions', sidecar.url), { headers: bearer })).status).toBe(200);
  leave[0]?.abort();
  await until(
    async () => (await open()).status,
    (status) => status === 200,
  );
  for (const controller of leave) controller.abort();
});

/** Sends so many MB until an answer comes or the connection is closed. */
function push(path: string, megabytes: number): Promise<{ status: number; sentMB: number }> {
  const { hostname, port } = new URL(sidecar.url);
  const piece = Buffer.alloc(1024 * 1024, 'x');
  return new Promise((resolve) => {
    let sentMB = 0;
    let status = 0;
    const headers = { 'Content-Length': megabytes * piece.length, 'Content-Type': 'application/x-www-form-urlencoded' };
    const asked = request({ hostname, port, path, method: 'POST', headers }, (answer) => {
      status = answer.statusCode ?? 0;
      answer.resume();
    });
    asked.on('error', () => {});
    asked.on('close', () => resolve({ status, sentMB }));
    const more = (): void => {
      if (asked.destroyed || sentMB >= megabytes) return;
      sentMB += 1;
      if (asked.write(piece)) setImmediate(more);
      else asked.once('drain', more);
    };
    more();
  });
}

function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(sidecar.url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk;
      socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

function residentMB(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sidecar.pid}/status`, 'utf8'))?.[1]) / 1024;
}
