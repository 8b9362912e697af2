import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podOf } from '../../sidecar/pod.js';
import { isLoopback, nameOf, ownNames } from '../../sidecar/security/hosts.js';
import { ownPath } from '../../sidecar/security/ownPath.js';
import { createWrongTokens } from '../../sidecar/security/wrongTokens.js';
import { makeTestSidecars, projectRoot, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';

const run = promisify(execFile);
const GIVEN = 'given-8Kp2vQz7LmXw';
const page = { Accept: 'text/html' };
let place: TestSidecars;
let sidecar: Sidecar;
beforeAll(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve({ TRACKSIDE_NO_LOGIN: '', TRACKSIDE_TOKEN: GIVEN });
});
afterAll(() => place.leave());

/** A request to the sidecar that holds the given token; redirects are shown, not followed. */
function ask(path: string, headers: Record<string, string> = {}, form?: Record<string, string>, url = sidecar.url) {
  const body = form && { method: 'POST', body: new URLSearchParams(form) };
  return fetch(new URL(path, url), { redirect: 'manual', headers, ...body });
}

const cookieOf = (answer: Response) => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';

async function logIn(headers: Record<string, string> = {}, form: Record<string, string> = {}) {
  const answer = await ask('login', { ...page, ...headers }, { token: GIVEN, ...form });
  expect(answer.status).toBe(303);
  return answer;
}

describe('the token', () => {
  test('is made with 256 bits, printed once in the address, and kept for our own user alone, outside the outputs', async () => {
    const other = makeTestSidecars();
    try {
      const first = await other.serve({ TRACKSIDE_NO_LOGIN: '' });
      const file = join(other.folder, 'private', 'token');
      const token = readFileSync(file, 'utf8').trim();
      expect(Buffer.from(token, 'base64url')).toHaveLength(32);
      expect(first.printed()).toBe(`Trackside is at ${first.url}?token=${token}\n`);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(other.folder, 'private')).mode & 0o777).toBe(0o700);
      await first.kill();
      const second = await other.serve({ TRACKSIDE_NO_LOGIN: '' });
      expect(second.printed()).toContain(token);
    } finally {
      await other.leave();
    }
  });

  test('that was given is not printed; a weak one is refused and not printed either; nor may it lie in the outputs', async () => {
    expect(sidecar.printed()).toBe(`Trackside is at ${sidecar.url}\n`);
    for (const weak of ['short-8Kp2v', 'aaaaaaaabbbbbbbb', 'passwordpassword', 'with a space in it 123']) {
      const { code, stderr } = await serveFails({ TRACKSIDE_TOKEN: weak });
      expect([weak, code]).toEqual([weak, 1]);
      expect(stderr).toMatch(/^trackside: the token in TRACKSIDE_TOKEN .+openssl rand.+\n$/);
      expect(stderr).not.toContain(weak);
    }
    const inside = await serveFails({ TRACKSIDE_PRIVATE: join(place.outputs, 'cat') });
    expect(inside.stderr).toMatch(
      /^trackside: TRACKSIDE_PRIVATE is .+ inside .+outputs, whose files the pages show.+\n$/,
    );
    expect(existsSync(join(place.outputs, 'cat', 'token'))).toBe(false);
  });

  test('reaches neither the trainer, nor any process list, page, log or file of a session', async () => {
    const bearer = { Authorization: `Bearer ${GIVEN}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ ...quick, lora_name: 'cat', start: true });
    const made = await fetch(new URL('sessions', sidecar.url), { method: 'POST', headers: bearer, body });
    const { attempts } = (await made.json()) as { attempts: { pid: number }[] };
    const family = [sidecar.pid, attempts[0]?.pid ?? 0, ...children(attempts[0]?.pid ?? 0)];
    expect(family.length).toBeGreaterThan(2);
    for (const pid of family) expect(told(pid, 'cmdline')).not.toContain(GIVEN);
    for (const pid of family.slice(1)) expect(told(pid, 'environ')).not.toContain(GIVEN);
    await until(
      async () => ((await (await ask('sessions/cat', bearer)).json()) as { status: string }).status,
      (status) => status === 'completed',
    );
    for (const path of ['', 'sessions/cat', 'sessions/cat/log', 'new', 'trainers/practice', 'healthz', 'login']) {
      expect(await (await ask(path, { ...bearer, ...page })).text(), path).not.toContain(GIVEN);
    }
    const files = readdirSync(place.folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    for (const { parentPath, name } of files) {
      expect(readFileSync(join(parentPath, name)).includes(GIVEN), join(parentPath, name)).toBe(false);
    }
    expect(sidecar.printed()).not.toContain(GIVEN);
  });
});

describe('logging in', () => {
  test('works with the form and leads to the page that was asked for', async () => {
    const closed = await ask('sessions/cat?tail=5', page);
    expect(closed.status).toBe(401);
    const form = await closed.text();
    expect(form).toMatch(/<form method="post" action="\.\.\/login"/);
    const back = /name="back" value="([^"]*)"/.exec(form)?.[1] ?? '';
    expect(back).toBe('sessions/cat?tail=5');
    const answer = await logIn({}, { back });
    expect(answer.headers.get('location')).toBe('./sessions/cat?tail=5');
    expect((await ask('sessions/cat', { ...page, Cookie: cookieOf(answer) })).status).toBe(200);
  });

  test('works with the token in the address, which is taken out of it; and with a bearer', async () => {
    const answer = await ask(`sessions/cat?tail=5&token=${GIVEN}`, page);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('../sessions/cat?tail=5');
    expect((await ask('sessions/cat', { Cookie: cookieOf(answer) })).status).toBe(200);
    expect((await ask(`?token=${GIVEN}`, page)).headers.get('location')).toBe('./');
    expect((await ask('sessions', { Authorization: `bearer ${GIVEN}` })).status).toBe(200);
  });

  test('gives a cookie that scripts cannot read and other sites cannot send; on https one for this host and https alone', async () => {
    const plain = (await logIn()).headers.getSetCookie();
    expect(plain).toEqual([
      expect.stringMatching(/^trackside-[0-9a-f]{8}=[\w.-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/),
    ]);
    const secure = expect.stringMatching(
      /^__Host-trackside-[0-9a-f]{8}=[\w.-]+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await logIn({ 'X-Forwarded-Proto': 'https' })).headers.getSetCookie()).toEqual([secure]);
    expect((await logIn({ 'X-Forwarded-Proto': 'https,http' })).headers.getSetCookie()).toEqual([secure]);
  });

  test('leads nowhere but to our own pages', async () => {
    for (const evil of EVIL) {
      const location = (await logIn({}, { back: evil })).headers.get('location') ?? '';
      expect(location, evil).toMatch(/^\.\/(?![/\\])/);
      expect(new URL(location, 'https://pod.example/proxy/7860/login').href, evil).toMatch(
        /^https:\/\/pod\.example\/proxy\/7860\//,
      );
    }
    for (const path of ['//evil.example/', '/%2Fevil.example/%2e%2e', '/a:b', '/sessions//evil.example']) {
      const answer = await fetch(`${sidecar.url.slice(0, -1)}${path}?token=${GIVEN}`, {
        redirect: 'manual',
        headers: page,
      });
      const { href } = new URL(answer.headers.get('location') ?? '', `https://pod.example${path}`);
      expect(href, path).toMatch(/^https:\/\/pod\.example\//);
    }
  });

  test('ends with the button: for this browser, for who copied the cookie, and for an open stream', async () => {
    const Cookie = cookieOf(await logIn());
    const other = cookieOf(await logIn());
    const stream = await ask('events', { Cookie, Accept: 'text/event-stream' });
    expect(stream.headers.get('cache-control')).toBe('no-store, no-transform');
    const out = await ask('logout', { ...page, Cookie, Origin: new URL(sidecar.url).origin }, {});
    expect([out.status, out.headers.get('location')]).toEqual([303, './login?out']);
    expect(out.headers.getSetCookie().sort()).toEqual([
      expect.stringMatching(/^__Host-trackside-[0-9a-f]{8}=; Path=\/; Max-Age=0;.*; Secure$/),
      expect.stringMatching(/^trackside-[0-9a-f]{8}=; Path=\/; Max-Age=0;/),
    ]);
    expect((await ask('sessions', { Cookie })).status).toBe(401);
    expect((await ask('sessions', { Cookie: other })).status).toBe(200);
    await stream.text();
  });

  test('ends for every login that the browser has with us, that of https and that of plain http', async () => {
    const plain = cookieOf(await logIn());
    const secure = cookieOf(await logIn({ 'X-Forwarded-Proto': 'https' }));
    const Origin = new URL(sidecar.url).origin;
    await ask('logout', { ...page, Cookie: `${plain}; ${secure}`, Origin }, {});
    for (const Cookie of [plain, secure]) expect((await ask('sessions', { Cookie })).status).toBe(401);
    // One that has ended does not stand before another that lasts.
    const lasts = cookieOf(await logIn());
    expect((await ask('sessions', { Cookie: `${secure}; ${lasts}` })).status).toBe(200);
  });

  test('lasts over kill -9 and start; a new token ends it', async () => {
    const other = makeTestSidecars();
    try {
      let Cookie = '';
      for (let start = 0; start < 4; start += 1) {
        const server = await other.serve({ TRACKSIDE_NO_LOGIN: '' });
        const token = readFileSync(join(other.folder, 'private', 'token'), 'utf8').trim();
        Cookie ||= cookieOf(await ask(`?token=${token}`, page, undefined, server.url));
        expect((await ask('sessions', { Cookie }, undefined, server.url)).status).toBe(200);
        await server.kill();
      }
      writeFileSync(join(other.folder, 'private', 'token'), `${GIVEN}-new\n`);
      const { url } = await other.serve({ TRACKSIDE_NO_LOGIN: '' });
      expect((await ask('sessions', { Cookie }, undefined, url)).status).toBe(401);
      expect((await ask('sessions', { Authorization: `Bearer ${GIVEN}-new` }, undefined, url)).status).toBe(200);
    } finally {
      await other.leave();
    }
  });
});

test('the 11th wrong token in a minute gets 429 wherever it is tried, and neither a login nor the right token is locked out', async () => {
  const Cookie = cookieOf(await logIn());
  const wrong = { Authorization: 'Bearer wrong-8Kp2vQz7LmXw' };
  const statuses = [];
  for (let at = 0; at < 4; at += 1) statuses.push((await ask('sessions', wrong)).status);
  for (let at = 0; at < 3; at += 1) statuses.push((await ask('login', page, { token: 'wrong' })).status);
  for (let at = 0; at < 3; at += 1) statuses.push((await ask('?token=wrong', page)).status);
  expect(statuses).toEqual(Array(10).fill(401));
  const open = [ask('login', { ...page, ...wrong }), ask('healthz', wrong)];
  for (const over of [
    ask('sessions', wrong),
    ask('login', page, { token: 'wrong' }),
    ask('?token=wrong', page),
    ...open,
  ]) {
    const answer = await over;
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  }
  expect((await ask('sessions', { Cookie })).status).toBe(200);
  expect((await ask('sessions', { Authorization: `Bearer ${GIVEN}` })).status).toBe(200);
  await logIn();
  expect((await ask('sessions')).status).toBe(401);
});

test('without login nobody is answered but this machine: not the pod’s proxy, nor what any other passed on', async () => {
  const other = makeTestSidecars();
  try {
    const { url } = await other.serve({ RUNPOD_POD_ID: 'abc123', TRACKSIDE_ALLOWED_HOSTS: 'gpu.example.org' });
    const asked = (headers: Record<string, string>, method = 'GET') => statusOf(url, method, headers);
    const { host } = new URL(url);
    expect(await asked({ host })).toBe(200);
    expect(await asked({ host: 'abc123-7861.proxy.runpod.net' })).toBe(403);
    for (const header of [
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'Forwarded',
      'Via',
      'X-Real-IP',
    ]) {
      expect(await asked({ host, [header]: '203.0.113.7' }), header).toBe(403);
      expect(await asked({ host, [header]: '203.0.113.7' }, 'POST'), header).toBe(403);
    }
    // Whoever names a host says that it asks for a login of its own.
    expect(await asked({ host: 'gpu.example.org', 'X-Forwarded-For': '203.0.113.7' })).toBe(200);
    expect(existsSync(join(other.datasets, 'from-afar'))).toBe(false);
  } finally {
    await other.leave();
  }
});

test('whoever breaks off in the middle of a form leaves nothing in the console', async () => {
  const before = sidecar.printed();
  const { hostname, port, host } = new URL(sidecar.url);
  for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json']) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(`POST /login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\nab`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
  }
  await logIn();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sidecar.printed()).toBe(before);
});

describe('tables', () => {
  test('wrong tokens: ten a minute are answered, and after the minute ten more', () => {
    let now = 0;
    const { another } = createWrongTokens(() => now);
    const tries = (count: number) => Array.from({ length: count }, another);
    expect(tries(10)).toEqual(Array(10).fill(null));
    expect(tries(2)).toEqual([60, 60]);
    now = 59_500;
    expect(tries(1)).toEqual([1]);
    now = 60_000;
    expect(tries(11)).toEqual([...Array(10).fill(null), 60]);
  });

  test('own paths stay own paths', () => {
    for (const own of ['', 'sessions/cat?tail=5', 'sessions/a%20b/log?q=%2F%2Fx', 'datasets/example']) {
      expect(ownPath(own)).toBe(own);
    }
    for (const evil of EVIL) expect(ownPath(evil), evil).not.toMatch(/^[/\\]|^\w+:|(^|\/)\.\.(\/|$)/);
    expect(ownPath(undefined)).toBe('');
  });

  test('names: loopback, what was allowed, and the pod’s own; numbers only where a login is asked for', () => {
    const ours = ownNames(
      ['0.0.0.0', 'Pod.example:8443'.toLowerCase(), '*.example.org', 'https://gpu.example.net/'],
      true,
    );
    for (const name of [
      'localhost',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      'pod.example',
      'a.b.example.org',
      'gpu.example.net',
      '203.0.113.7',
      '2001:db8::7',
    ])
      expect([name, ours(name)]).toEqual([name, true]);
    for (const name of [
      '',
      'evil.example',
      'example.org',
      'evilexample.org',
      'pod.example.evil',
      'localhost.evil',
      '127.0.0.1.evil.example',
      '0x7f000001',
      '2130706433',
      '127.1',
    ])
      expect([name, ours(name)]).toEqual([name, false]);
    expect(ownNames([], false)('203.0.113.7')).toBe(false);
    for (const [host, loopback] of [
      ['::1', true],
      ['[::1]:7860', true],
      ['127.0.0.1:7860', true],
      ['::', false],
      ['::1:7860', false],
      ['0.0.0.0', false],
    ] as const)
      expect([host, isLoopback(nameOf(host))]).toEqual([host, loopback]);
    const pod = podOf({ RUNPOD_POD_ID: 'abc123' });
    expect(pod.address(7860)).toBe('https://abc123-7860.proxy.runpod.net/');
    for (const [name, own] of [
      ['abc123-7860.proxy.runpod.net', true],
      ['abc123-7861.proxy.runpod.net', true],
      ['abc1234-7860.proxy.runpod.net', false],
      ['evil-abc123-7860.proxy.runpod.net', false],
      ['abc123-7860.proxy.runpod.net.evil.example', false],
      ['abc123-.proxy.runpod.net', false],
    ] as const)
      expect([name, pod.owns(name)]).toEqual([name, own]);
    const vast = podOf({ PUBLIC_IPADDR: '203.0.113.7 ', VAST_TCP_PORT_7860: '40123' });
    expect(vast.address(7860)).toBe('http://203.0.113.7:40123/');
    expect(podOf({}).owns('-7860.proxy.runpod.net')).toBe(false);
  });
});

const EVIL = [
  ...[
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    'https://evil.example',
    'http:evil.example',
  ],
  ...[
    'javascript:alert(1)',
    'data:text/html,x',
    '\t//evil.example',
    '/\t/evil.example',
    '\r\nLocation: //evil.example',
  ],
  ...[
    './/evil.example',
    './/\\evil.example',
    '..//evil.example',
    '../../../other',
    '%2e%2e/%2e%2e/other',
    '%2f%2fevil.example',
  ],
  ...[
    '///evil.example',
    '////evil.example/x',
    'https:\\\\evil.example',
    '@evil.example',
    '//evil.example\\@pod.example',
  ],
];

async function serveFails(environment: NodeJS.ProcessEnv): Promise<{ code: number; stderr: string }> {
  const main = join(projectRoot, '.build', 'sidecar', 'main.js');
  const own = ['--port', '0', '--outputs', place.outputs, '--datasets', place.datasets];
  const env = { ...process.env, TRACKSIDE_PRIVATE: join(place.folder, 'private'), ...environment };
  return run(process.execPath, [main, 'serve', ...own], { env, timeout: 20_000 }).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }) => ({ code, stderr }),
  );
}

/** With a `Host` of its own, which fetch does not send. */
function statusOf(url: string, method: string, headers: Record<string, string>): Promise<number | undefined> {
  const body = JSON.stringify({ name: 'from-afar' });
  const more = method === 'GET' ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
  return new Promise((resolve, reject) => {
    const asked = request(new URL('datasets', url), { method, headers: { ...more, ...headers } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    asked.end(method === 'GET' ? undefined : body);
  });
}

/** What the system says about a process; '' for one that has just ended. */
function told(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8');
  } catch {
    return '';
  }
}

function children(pid: number): number[] {
  const own = told(pid, `task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return own.flatMap((each) => [each, ...children(each)]);
}
