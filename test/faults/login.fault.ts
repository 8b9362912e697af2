import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeTestSidecars, type Sidecar, type TestSidecars } from '../sidecar.js';
import { lacks, measured } from './needs.js';

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

const closed = { TRACKSIDE_NO_LOGIN: '' };
const RESTARTS = 100;

/** The `Cookie` header of a new login, had with the address that was printed. */
async function logIn(sidecar: Sidecar): Promise<{ Cookie: string }> {
  const token = readFileSync(join(place.folder, 'private', 'token'), 'utf8').trim();
  const address = new URL(`?token=${token}`, sidecar.url);
  const answer = await fetch(address, { headers: { Accept: 'text/html' }, redirect: 'manual' });
  return { Cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
}

const status = async (sidecar: Sidecar, headers: Record<string, string>) =>
  (await fetch(new URL('sessions', sidecar.url), { headers })).status;

test(`a login survives ${RESTARTS} of ${RESTARTS} restarts, by kill -9 and by Ctrl-C`, async () => {
  let headers: { Cookie: string } | null = null;
  let kept = 0;
  for (let start = 0; start < RESTARTS; start += 1) {
    const sidecar = await place.serve(closed);
    headers ??= await logIn(sidecar);
    if ((await status(sidecar, headers)) === 200) kept += 1;
    await sidecar.kill(start % 2 ? 'SIGKILL' : 'SIGINT');
  }
  expect(kept).toBe(RESTARTS);
  measured(22, `a login is kept over ${kept} of ${RESTARTS} restarts`);
}, 600_000);

const withoutCompiler = lacks('gcc');

describe.skipIf(withoutCompiler)('the clock jumps a day', () => {
  test('forward and back, while it runs and over a restart: 0 lost logins', async () => {
    const library = join(tmpdir(), `trackside-login-clock-${process.pid}.so`);
    const source = fileURLToPath(new URL('fixtures/clock.c', import.meta.url));
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', library, source]);
    try {
      const clock = join(place.folder, 'clock');
      const set = (seconds: number) => writeFileSync(clock, `${seconds}\n`);
      const faked = { ...closed, LD_PRELOAD: library, CLOCK_OFFSET: clock };
      set(0);
      let sidecar = await place.serve(faked);
      const logins = [await logIn(sidecar)];
      let looks = 0;
      for (const offset of [86_400, -86_400, 0, -86_400, 86_400, 0]) {
        set(offset);
        logins.push(await logIn(sidecar));
        for (const again of [false, true]) {
          if (again) {
            await sidecar.kill();
            sidecar = await place.serve(faked);
          }
          for (const login of logins)
            expect([offset, again, await status(sidecar, login)]).toEqual([offset, again, 200]);
          looks += logins.length;
        }
      }
      measured(21, `${looks} looks at ${logins.length} logins while the clock jumped ±24 h, 0 lost`);
    } finally {
      rmSync(library, { force: true });
    }
  }, 120_000);
});

test('500 connections that send their headers a byte at a time are closed within 30 s, and requests are answered meanwhile', async () => {
  const sidecar = await place.serve(closed);
  const { hostname, port } = new URL(sidecar.url);
  const sockets: Socket[] = [];
  let closedByUs = 0;
  const began = performance.now();
  for (let at = 0; at < 500; at += 1) {
    const socket = connect(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '));
    socket.on('error', () => {}).on('close', () => (closedByUs += 1));
    sockets.push(socket);
  }
  const drip = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x');
  }, 500);
  try {
    let slowest = 0;
    while (closedByUs < 500 && performance.now() - began < 30_000) {
      const before = performance.now();
      expect((await fetch(new URL('healthz', sidecar.url))).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - before);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(closedByUs).toBe(500);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(
      `Slow headers: 500 connections closed after ${seconds} s; others answered within ${Math.round(slowest)} ms`,
    );
  } finally {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
  }
}, 60_000);
