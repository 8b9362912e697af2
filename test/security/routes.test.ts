import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CANARY, everyRoute, type LockedSidecar, openLockedSidecar } from './lockedSidecar.js';

let house: LockedSidecar;
let routes: { method: string; path: string }[];
beforeAll(async () => {
  house = await openLockedSidecar();
  routes = everyRoute(house.place);
});
afterAll(() => house.place.leave());

/** The address in a notice is a secret by itself, for whoever got that notice; this one is of no countdown. */
const TICKET = '/pod/cancel/cat';
const OPEN = [
  'GET /healthz',
  'GET /assets/x.js',
  'GET /login',
  'POST /login',
  'GET /pod/cancel/cat',
  `POST ${TICKET}`,
  // What a read-only link opens: its key is in the address (shares.test.ts).
  'GET /shared/cat',
  'GET /shared/:key/cat',
  'GET /shared/:key/:name/samples/cat',
];
const ACCEPTS = ['application/json', 'text/html', 'text/event-stream'];

/** Everything that somebody without the token may try, as headers of a request to any route. */
function headerSets(): Record<string, Record<string, string>> {
  const { token } = house;
  return {
    none: {},
    'a wrong token': { Authorization: `Bearer ${randomBytes(32).toString('base64url')}` },
    'the token under another scheme or name': {
      Authorization: `Basic ${btoa(`trackside:${token}`)}`,
      'X-Token': token,
      'X-Api-Key': token,
      'Proxy-Authorization': `Bearer ${token}`,
    },
    'the token as a cookie': { Cookie: `token=${token}; ${house.cookie().split('=')[0]}=${token}` },
    'a cookie signed by another key': { Cookie: house.cookie({ key: randomBytes(32) }) },
    'a login of 40 days ago, and one that was changed': {
      Cookie: `${house.cookie({ ageDays: 40 })}; ${house.cookie().replace(/\.\d+\./, '.1.')}`,
    },
    'another method than it says': { 'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'PUT' },
    'from this very machine, it says': {
      ...{ 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1', Forwarded: 'for=127.0.0.1;host=localhost' },
      ...{ 'X-Forwarded-Host': 'localhost', 'X-Forwarded-User': 'root', 'X-Forwarded-Proto': 'https' },
      ...{ 'X-Original-URL': '/healthz', 'X-Rewrite-URL': '/healthz', Host: 'localhost' },
    },
  };
}

test('with the token every route answers, and the canary is where the tests look for it', async () => {
  const Authorization = `Bearer ${house.token}`;
  let sang = 0;
  for (const { method, path } of routes.filter((each) => each.method === 'GET')) {
    const { status, text } = await house.ask('GET', path, { Authorization, Accept: 'application/json' });
    expect([401, 403, 500], `${method} ${path}`).not.toContain(status);
    if (text.includes(CANARY)) sang += 1;
  }
  expect(sang).toBeGreaterThanOrEqual(8);
});

test('no route gives data or does anything without login, whatever the headers', async () => {
  const before = house.print();
  // A link of `/shared` is a secret by itself, too (shares.test.ts).
  const closed = routes.filter(
    ({ method, path }) => !OPEN.includes(`${method} ${path}`) && !path.startsWith('/shared/'),
  );
  let asked = 0;
  for (const [what, headers] of Object.entries(headerSets())) {
    for (const { method, path } of closed) {
      const methods = what.startsWith('another method') ? [method, 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'] : [method];
      const all = ACCEPTS.flatMap((Accept) => methods.map((each) => [each, Accept] as const));
      asked += all.length;
      await Promise.all(all.map(([each, Accept]) => refused(what, each, path, { Accept, ...headers })));
    }
  }
  expect(house.print()).toEqual(before);
  expect(asked).toBeGreaterThan(1000);
  console.log(`${routes.length} routes × 8 header sets × ${ACCEPTS.length} kinds of answer: ${asked} requests`);
}, 180_000);

async function refused(what: string, method: string, path: string, headers: Record<string, string>): Promise<void> {
  const body = ['GET', 'HEAD', 'TRACE'].includes(method) ? undefined : '{"start":true,"kind":"start"}';
  const sent = body ? { ...headers, 'Content-Type': 'application/json' } : headers;
  const answer = await house.ask(method, path, sent, body);
  const context = [what, method, path, headers.Accept, answer.status].join(' ');
  expect([401, 429], context).toContain(answer.status);
  expect(answer.text, context).not.toContain(CANARY);
  for (const name of ['set-cookie', 'location', 'access-control-allow-origin']) {
    expect(answer.headers[name], `${context} ${name}`).toBeUndefined();
  }
}

test('a stream that is open ends with the thirty days of its login', async () => {
  const nearly = house.cookie({ ageDays: 30 - 2 / 86_400 });
  const headers = { Cookie: nearly, Accept: 'text/event-stream' };
  const stream = await fetch(new URL('events', house.sidecar.url), { headers });
  expect(stream.status).toBe(200);
  await stream.text();
  expect((await fetch(new URL('events', house.sidecar.url), { headers })).status).toBe(401);
}, 20_000);

test('no other spelling of a path leads around the guard', async () => {
  const before = house.print();
  const spellings = (path: string) => [
    ...[`/${path}`, `${path}/`, `${path}//`, `/.${path}`, `/healthz/..${path}`, `/healthz/%2e%2e${path}`],
    ...[`/healthz%2f..${path}`, `/assets/..${path}`, `/login/..${path}`, `/login;${path}`, `${path}%00`, `${path}.js`],
    ...[path.toUpperCase(), path.replaceAll('s', '%73'), `${path}?_method=DELETE`, `${path}?token=${house.token}`],
    ...[`http://localhost${path}`, `${path}?token=${house.token}&login=again`, `/healthz?${path}`, `/healthz#${path}`],
  ];
  for (const path of ['/sessions', '/sessions/cat', '/sessions/cat/log', '/datasets/example/images/01-morning.png']) {
    for (const spelling of spellings(path)) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { status, text } = await house.ask(method, spelling, { Accept: 'application/json' });
        expect(text, `${method} ${spelling} ${status}`).not.toContain(CANARY);
        if (!spelling.includes('healthz')) expect(status, `${method} ${spelling}`).toBeGreaterThanOrEqual(400);
      }
    }
  }
  expect(house.print()).toEqual(before);
});

/** What the owner's browser, which is logged in, sends when another page makes it, in each case that browsers know. */
function foreignPages(): Record<string, Record<string, string>> {
  const ours = new URL(house.sidecar.url).host;
  return {
    'another site': { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
    'a neighbour under the same domain': {
      'Sec-Fetch-Site': 'same-site',
      Origin: 'https://other-7860.proxy.runpod.net',
    },
    'a sandboxed frame': { 'Sec-Fetch-Site': 'cross-site', Origin: 'null' },
    'a sandboxed frame, on plain http': { Origin: 'null' },
    'another site, on plain http': { Origin: 'http://evil.example' },
    'another port of the same address, on plain http': { Origin: 'http://127.0.0.1:1' },
    'our port under another name': { Origin: `http://localhost:${new URL(house.sidecar.url).port}` },
    'a name that looks like ours': { Origin: `http://${ours}.evil.example` },
    'an origin that is none': { Origin: `http://${ours}@evil.example` },
    'https, which we say we are on': { Origin: `http://${ours}`, 'X-Forwarded-Proto': 'https' },
    'a rebound name': { Host: 'evil.example', Origin: 'http://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    'a rebound name that names ours': { Host: 'evil.example', Origin: 'http://evil.example', 'X-Forwarded-Host': ours },
    'a browser that hides who asks': {},
  };
}

const BODIES: Record<string, string> = {
  'application/json': '{"start":true,"kind":"start","lora_name":"evil","name":"evil","notes":"evil"}',
  'application/x-www-form-urlencoded': 'start=true&kind=start&lora_name=evil&name=evil&notes=evil&text=evil',
  'multipart/form-data; boundary=x': '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nevil\r\n--x--\r\n',
  'text/plain': '{"start":true,"kind":"start","lora_name":"evil","name":"evil"}',
  '': 'evil',
};

test('no page of another site makes the owner’s browser change anything, on any route, with any content type', async () => {
  const Cookie = house.cookie();
  const before = house.print();
  const changing = routes.filter(({ method, path }) => method !== 'GET' && path !== '/login' && path !== TICKET);
  const asks = changing.flatMap(({ method, path }) =>
    method === 'POST'
      ? [{ method, path }]
      : [
          { method, path },
          { method: 'POST', path: `${path}?_method=${method}` },
        ],
  );
  let asked = 0;
  for (const [what, headers] of Object.entries(foreignPages())) {
    for (const { method, path } of asks) {
      asked += Object.keys(BODIES).length;
      await Promise.all(
        Object.entries(BODIES).map(async ([type, body]) => {
          const sent = { Accept: 'text/html', Cookie, ...headers, ...(type ? { 'Content-Type': type } : {}) };
          const answer = await house.ask(method, path, sent, body);
          expect(answer.status, [what, method, path, type].join(' ')).toBe(403);
          expect(answer.headers['set-cookie']).toBeUndefined();
        }),
      );
    }
  }
  expect(house.print()).toEqual(before);
  console.log(
    `${changing.length} changing routes × ${Object.keys(foreignPages()).length} foreign pages: ${asked} requests`,
  );
}, 180_000);

test('another site may link here, but not load a picture, a fact or a frame of ours', async () => {
  const Cookie = house.cookie();
  for (const { path } of routes.filter(({ method, path }) => method === 'GET' && path !== '/login')) {
    const load = { Cookie, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', Accept: '*/*' };
    const { status, text } = await house.ask('GET', path, load);
    expect([path, status]).toEqual([path, 403]);
    expect(text).not.toContain(CANARY);
  }
  const link = { Cookie, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' };
  const page = await house.ask('GET', '/sessions/cat', link);
  expect(page.status).toBe(200);
  expect(page.headers).toMatchObject({
    'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
});

test('no page has anything inline, so that the policy can forbid it', async () => {
  const Cookie = house.cookie();
  let pages = 0;
  for (const { path } of routes.filter(({ method }) => method === 'GET')) {
    const { text, headers } = await house.ask('GET', path, {
      Cookie,
      Accept: 'text/html',
      'Sec-Fetch-Site': 'same-origin',
    });
    // A report is a file to keep and to send, not a page.
    if (headers['content-disposition']?.startsWith('attachment')) continue;
    if (!headers['content-type']?.startsWith('text/html')) continue;
    pages += 1;
    const tags = text.match(/<[a-z][^>]*>/gi) ?? [];
    const inline = tags.filter((tag) => /\s(on\w+|style)\s*=|javascript:|^<style|^<script(?![^>]*\ssrc=)/i.test(tag));
    expect([path, inline]).toEqual([path, []]);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  }
  expect(pages).toBeGreaterThan(8);
});

test('a file that would run in a browser is sent as what it should be, or not at all, and may do nothing', async () => {
  const Cookie = house.cookie();
  const evil = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/><script>alert(1)</script>';
  const { datasets, outputs } = house.place;
  for (const name of ['evil.svg', 'evil.html', 'evil.png', 'evil.xhtml', 'evil.pdf', 'evil.js', 'evil.png.html']) {
    writeFileSync(join(datasets, 'example', name), evil);
    for (const folder of ['', 'sample']) writeFileSync(join(outputs, 'cat', folder, name), evil);
    writeFileSync(join(outputs, 'cat', 'sample', `cat_e000001_00_20261122015435_42.${name}`), evil);
  }
  writeFileSync(join(outputs, 'cat', 'training.log'), evil);
  const names = ['evil.svg', 'evil.html', 'evil.png', 'evil.xhtml', 'evil.pdf', 'evil.js', 'evil.png.html'];
  const paths = names.flatMap((name) => [
    `/datasets/example/images/${name}`,
    `/datasets/example/images/${name}?size=thumb`,
    `/sessions/cat/samples/${name}`,
    `/sessions/cat/samples/cat_e000001_00_20261122015435_42.${name}`,
    `/sessions/cat/checkpoints/${name}`,
  ]);
  for (const path of [
    ...paths,
    '/sessions/cat/log',
    '/sessions/cat/log?tail=5',
    '/sessions/cat/checkpoints/cat.safetensors',
  ]) {
    const { status, headers } = await house.ask('GET', path, { Cookie, Accept: '*/*' });
    const type = headers['content-type'] ?? '';
    expect([path, status, type], path).toEqual([
      path,
      expect.any(Number),
      expect.stringMatching(/^(image\/(png|webp|jpeg)|text\/plain|application\/(json|octet-stream))/),
    ]);
    if (type.startsWith('application/octet-stream')) expect(headers['content-disposition']).toMatch(/^attachment/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    });
  }
});

test('our own pages and a program with the token change things, through the very same requests', async () => {
  const { host } = new URL(house.sidecar.url);
  const Cookie = house.cookie();
  const type = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const allowed: Record<string, string>[] = [
    { Cookie, Origin: `http://${host}` },
    { Cookie, 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
    { Authorization: `Bearer ${house.token}` },
  ];
  for (const [index, headers] of allowed.entries()) {
    const body = JSON.stringify({ notes: `changed ${index}` });
    const { status } = await house.ask('PATCH', '/sessions/cat', { ...type, ...headers }, body);
    expect([headers, status]).toEqual([headers, 200]);
  }
});
