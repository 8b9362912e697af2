import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../sidecar/app.js';
import { createTrackside } from '../../sidecar/trackside.js';
import { appInProcess, type InProcess } from '../inProcess.js';
import { exampleDataset } from '../sidecar.js';

const TOKEN = 'the-owners-token-0123456789';
const SECRET = 'canary5d1e';
let house: InProcess;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  house = appInProcess();
  const mine = { lora_name: 'My cat', description: 'shown', notes: SECRET };
  await house.draft(mine);
  await house.draft(mine);
  await house.draft({ lora_name: 'Other', description: SECRET });
  const samples = join(house.settings.outputs, 'my-cat', 'sample');
  mkdirSync(samples);
  const picture = readFileSync(join(exampleDataset, '01-morning.png'));
  writeFileSync(join(samples, 'my-cat_e000001_00_20261122015435_42.png'), picture);
  const trackside = createTrackside({ ...house.settings, login: true, token: TOKEN });
  app = createApp(trackside);
  await trackside.outputs.open();
  await trackside.outputs.close();
});
afterAll(() => house.leave());

const owner = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };

async function ask(method: string, path: string, headers: Record<string, string> = {}, body?: unknown) {
  const asked = { method, headers: { Host: 'localhost', Accept: 'application/json', ...headers } };
  const answer = await app.request(path, body === undefined ? asked : { ...asked, body: JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, text, json: () => JSON.parse(text) };
}

async function linkTo(about: object): Promise<{ id: string; path: string }> {
  const made = await ask('POST', '/shares', owner, about);
  expect(made.status).toBe(201);
  return made.json();
}

test('a link shows one session, as a page and as facts, without a login', async () => {
  const { path } = await linkTo({ session: 'my-cat' });
  expect((await ask('GET', `/${path}`)).json().sessions).toMatchObject([{ name: 'my-cat', description: 'shown' }]);
  const facts = (await ask('GET', `/${path}/my-cat`)).json();
  expect(facts).toMatchObject({ status: 'draft', samples: [{ name: expect.stringMatching(/png$/) }] });
  const page = await ask('GET', `/${path}/my-cat`, { Accept: 'text/html' });
  expect(page.text).toContain('<h1>My cat V1</h1>');
  const [href = ''] = /my-cat\/samples\/[^"?]+\?size=thumb/.exec(page.text) ?? [];
  expect((await ask('GET', `/${path}/${href}`)).status).toBe(200);
});

test('a link to a LoRA shows all of its versions, and no other one', async () => {
  const { path } = await linkTo({ lora: 'My cat' });
  const names = (await ask('GET', `/${path}`)).json().sessions.map(({ name }: { name: string }) => name);
  expect(names.toSorted()).toEqual(['my-cat', 'my-cat-v2']);
  expect((await ask('GET', `/${path}/my-cat-v2`)).status).toBe(200);
  expect((await ask('GET', `/${path}/other`)).status).toBe(404);
});

test('nothing else can be read through a link: no other session, no notes, no paths, no page of the owner', async () => {
  const { path } = await linkTo({ session: 'my-cat' });
  const key = path.slice('shared/'.length);
  const said: string[] = [];
  for (const Accept of ['application/json', 'text/html'])
    for (const each of [`/${path}`, `/${path}/my-cat`]) said.push((await ask('GET', each, { Accept })).text);
  for (const text of said) {
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(house.settings.outputs);
    expect(text).not.toMatch(/other/i);
  }
  for (const each of ['my-cat-v2', 'other', 'nobody', '..%2Fother', 'my-cat%2F..%2Fother', '.', '%2e%2e'])
    expect([401, 404], each).toContain((await ask('GET', `/${path}/${each}`)).status);
  for (const file of ['ui_state.json', '..%2Fui_state.json', '..%2F..%2Fother%2Fui_state.json'])
    expect((await ask('GET', `/${path}/my-cat/samples/${file}`)).status, file).toBe(404);
  // The key is no token, and no login.
  const keys: Record<string, string>[] = [{ Authorization: `Bearer ${key}` }, { Cookie: `trackside=${key}` }];
  const routes = app.routes.filter((route) => route.method !== 'ALL');
  const closed = routes.filter((route) => !/^\/(shared|assets|login|healthz|pod\/cancel)/.test(route.path));
  expect(closed.length).toBeGreaterThan(70);
  for (const { method, path: route } of closed) {
    const address = route.replace(/:\w+(\{[^{}]+\})?/g, 'my-cat');
    for (const headers of keys) {
      const { status } = await ask(method, `${address}?token=${key}`, headers);
      expect([401, 429], `${method} ${address}`).toContain(status);
    }
  }
});

test('nothing can be changed through a link', async () => {
  const { path } = await linkTo({ session: 'my-cat' });
  const before = readFileSync(join(house.settings.outputs, 'my-cat', 'ui_state.json'), 'utf8');
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    for (const each of [`/${path}`, `/${path}/my-cat`, `/${path}/my-cat/attempts`, `/${path}?_method=${method}`])
      expect((await ask(method, each, { 'Content-Type': 'application/json' }, { notes: 'x' })).status).toBeGreaterThan(
        400,
      );
  expect(readFileSync(join(house.settings.outputs, 'my-cat', 'ui_state.json'), 'utf8')).toBe(before);
});

test('a link that was revoked, has expired or was changed opens nothing, and all three say the same', async () => {
  const [revoked, expired] = [await linkTo({ session: 'my-cat' }), await linkTo({ session: 'my-cat', hours: 1 })];
  expect((await ask('DELETE', `/shares/${revoked.id}`, owner)).status).toBe(200);
  expect((await ask('DELETE', `/shares/${revoked.id}`, owner)).status).toBe(404);
  const file = join(house.settings.private, 'shares.json');
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { id: string; expires_at: string }[];
  const past = new Date(Date.now() - 1000).toISOString();
  writeFileSync(
    file,
    JSON.stringify(kept.map((each) => (each.id === expired.id ? { ...each, expires_at: past } : each))),
  );
  const whole = await linkTo({ session: 'my-cat' });
  const changed = `${whole.path.slice(0, -2)}${whole.path.endsWith('A') ? 'BB' : 'AA'}`;
  const answers = [];
  for (const path of [revoked.path, expired.path, changed, `shared/${whole.id}`, `shared/${whole.id}.`, 'shared/x.y'])
    for (const rest of ['', '/my-cat', '/my-cat/samples/my-cat_e000001_00_20261122015435_42.png'])
      answers.push(await ask('GET', `/${path}${rest}`));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 404, text: expect.stringContaining('no_share') });
  expect((await ask('GET', `/${whole.path}`)).status).toBe(200);
});

test('a link is of one thing that is there, for some hours; without a login there is none', async () => {
  for (const body of [{}, { session: 'my-cat', lora: 'My cat' }, { lora: 'nobody' }, { session: 'my-cat', hours: 1e9 }])
    expect((await ask('POST', '/shares', owner, body)).json().error.code).toBe('bad_share');
  expect((await ask('POST', '/shares', owner, { session: 'nobody' })).status).toBe(404);
  const headers = { 'Content-Type': 'application/json' };
  const open = await house.ask('/shares', { method: 'POST', headers, body: '{"session":"my-cat"}' });
  expect(await open.json()).toMatchObject({ error: { code: 'no_login' } });
});
