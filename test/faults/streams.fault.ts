import { readFileSync } from 'node:fs';
import { get, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asStarted, makeTestSidecars, quick, type Sidecar, type TestSidecars } from '../sidecar.js';
import { measured } from './needs.js';

const STREAMS = 200;
const DEAF = 50;
const SECONDS = 20;

let place: TestSidecars;
let sidecar: Sidecar;
beforeEach(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.01', ...asStarted });
});
afterEach(() => place.leave());

test(`${STREAMS} streams of a session that writes, ${DEAF} of which never read: answers, memory and shutdown stay within bounds`, async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 5000, start: true });
  await sidecar.until('cat', (facts) => facts.status === 'running');
  const { hostname, port } = new URL(sidecar.url);
  const deaf: Socket[] = [];
  let heard = 0;
  for (let at = 0; at < STREAMS; at += 1) {
    if (at < DEAF) {
      const ask = `GET /sessions/cat/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`;
      // Without a listener a socket never reads.
      deaf.push(connect(Number(port), hostname, () => deaf[at]?.write(ask)).on('error', () => {}));
    } else {
      get(new URL('sessions/cat/events', sidecar.url), { agent: false }, (answer) => {
        answer.on('data', (chunk: Buffer) => (heard += chunk.length)).on('error', () => {});
      }).on('error', () => {});
    }
  }
  const times: number[] = [];
  let mostMB = 0;
  for (const began = performance.now(); performance.now() - began < SECONDS * 1000; ) {
    times.push(await answered());
    mostMB = Math.max(mostMB, residentMB());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const refused = await fetch(new URL('sessions/cat/events', sidecar.url));
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
  const p95 = times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0;
  const before = performance.now();
  expect(await sidecar.kill('SIGINT')).toBe(0);
  const shutdown = performance.now() - before;
  for (const socket of deaf) socket.destroy();
  measured(
    25,
    `${times.length} requests beside ${STREAMS} streams (${Math.round(heard / 2 ** 20)} MB heard), p95 ${Math.round(p95)} ms, at most ${Math.round(mostMB)} MB, shutdown ${Math.round(shutdown)} ms`,
  );
  expect(mostMB).toBeLessThan(300);
  expect(shutdown).toBeLessThan(2000);
  expect(p95).toBeLessThan(250);
});

/** Milliseconds to the whole answer, on a connection of its own. */
function answered(): Promise<number> {
  const before = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(new URL('sessions/cat', sidecar.url), { agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(performance.now() - before));
    });
    asked.on('error', reject).end();
  });
}

function residentMB(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sidecar.pid}/status`, 'utf8'))?.[1]) / 1024;
}
