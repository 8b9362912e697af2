import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';

let place: InProcess;
beforeEach(() => {
  place = appInProcess();
});
afterEach(() => place.leave());

type Draft = { lora: string; version: number; fields: Record<string, string>; others: Record<string, string> };

async function put(lora: string, body: object, headers: Record<string, string> = {}) {
  const answer = await place.ask(`/drafts/${encodeURIComponent(lora)}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Draft & { error?: { code: string } } };
}
const get = async (lora: string) => (await place.ask(`/drafts/${lora}`)).json() as Promise<Draft>;
const page = async (path: string) => (await place.ask(path, { headers: { Accept: 'text/html' } })).text();
const folder = () => join(place.settings.outputs, '.drafts');

test('what is typed is a file beside the outputs, and the form of another browser begins with it', async () => {
  const { status, body } = await put('My Cat', {
    fields: { lora_name: 'My Cat', max_train_epochs: '7', 'arguments.network_alpha': '2' },
  });
  expect([status, body.lora, body.version]).toEqual([200, 'my-cat', 1]);
  expect(JSON.parse(readFileSync(join(folder(), 'my-cat.json'), 'utf8')).fields.max_train_epochs).toBe('7');
  const html = await page('/new');
  expect(html).toContain('Restored what you typed for <b>My Cat</b>');
  expect(html).toMatch(/name="max_train_epochs"[^>]*value="7"/);
  expect(await page('/new?fresh=1')).toMatch(/name="max_train_epochs"[^>]*value="16"/);
  // It is no session.
  expect(await (await place.ask('/sessions')).json()).toEqual([]);
});

test('two people in one draft lose nothing, and both see where they typed different values', async () => {
  const base = { lora_name: 'Cat', learning_rate: '1e-4' };
  await put('cat', { fields: base });
  await put('cat', { version: 1, base, fields: { ...base, learning_rate: '2e-4', seed: '1' } });
  const second = await put('cat', { version: 1, base, fields: { ...base, learning_rate: '3e-4', network_dim: '8' } });
  expect(second.body.fields).toEqual({ lora_name: 'Cat', learning_rate: '3e-4', seed: '1', network_dim: '8' });
  expect(second.body.others).toEqual({ learning_rate: '2e-4' });
  const html = await page('/new?lora=cat');
  expect(html).toMatch(/Learning rate<\/b>: somebody else typed <b>2e-4<\/b>, here it is <b>3e-4/);
  const settled = await put('cat', { ...second.body, others: {} }, { 'If-Match': `"${second.body.version}"` });
  expect(settled.body.others).toEqual({});
});

test('saves that come at the same moment are all kept', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => put('cat', { base: {}, fields: { [`field${n}`]: String(n) } })),
  );
  expect(Object.keys((await get('cat')).fields)).toHaveLength(20);
});

test('a reset can be undone, unless something was typed since', async () => {
  await put('cat', { fields: { lora_name: 'Cat', seed: '5' } });
  expect((await place.ask('/drafts/cat', { method: 'DELETE' })).status).toBe(200);
  expect((await place.ask('/drafts/cat')).status).toBe(404);
  expect(await page('/new?fresh=1&reset=cat')).toContain('drafts/cat/undo');
  expect((await place.ask('/drafts/cat/undo', { method: 'POST' })).status).toBe(200);
  expect((await get('cat')).fields.seed).toBe('5');
  expect((await place.ask('/drafts/cat/undo', { method: 'POST' })).status).toBe(409);
  expect((await place.ask('/drafts/dog/undo', { method: 'POST' })).status).toBe(404);
});

test('a draft without a name moves to its LoRA, and never over another draft', async () => {
  await put('_0a1b2c3d', { fields: { seed: '1' } });
  expect((await put('_0a1b2c3d', { version: 1, fields: { seed: '1', lora_name: 'Cat' } })).body.lora).toBe('cat');
  expect(readdirSync(folder()).filter((file) => file.endsWith('.json'))).toEqual(['cat.json']);
  const other = await put('_11111111', { fields: { seed: '2', lora_name: 'Cat' } });
  expect(other.body).toMatchObject({ lora: '_11111111', taken: { lora: 'cat' } });
  expect((await get('cat')).fields.seed).toBe('1');
});

test('a form that was started leaves no draft, not even by a save that was still on its way', async () => {
  const fields = { lora_name: 'Cat', trainer: 'practice', dataset: 'example' };
  await put('cat', { fields, form_id: 'one' });
  const body = new URLSearchParams({ ...fields, form_id: 'one', kept_as: 'cat' });
  expect((await place.ask('/sessions', { method: 'POST', headers: { Accept: 'text/html' }, body })).status).toBe(303);
  expect((await put('cat', { version: 1, fields, form_id: 'one' })).body.error?.code).toBe('already_made');
  expect((await place.ask('/drafts/cat')).status).toBe(404);
});

test('a form that was started leaves no draft under the LoRA that it was moved to a moment before', async () => {
  const fields = { lora_name: 'Cat', trainer: 'practice', dataset: 'example' };
  await put('_00000001', { fields: { dataset: 'example' }, form_id: 'two' });
  await put('_00000001', { version: 1, fields, form_id: 'two' });
  // The form has not heard of the move yet.
  await put('_00000001', { version: 1, base: fields, fields: { ...fields, seed: '7' }, form_id: 'two' });
  expect((await get('cat')).fields).toMatchObject({ dataset: 'example', seed: '7' });
  expect((await place.ask('/drafts/_00000001')).status).toBe(404);
  const body = new URLSearchParams({ ...fields, form_id: 'two', kept_as: '_00000001' });
  expect((await place.ask('/sessions', { method: 'POST', headers: { Accept: 'text/html' }, body })).status).toBe(303);
  expect((await place.ask('/drafts/cat')).status).toBe(404);
});

test('a draft is cleared and put back under the LoRA that it was moved to', async () => {
  await put('_00000001', { fields: { lora_name: 'Cat', seed: '7' }, form_id: 'three' });
  const body = new URLSearchParams({ form_id: 'three' });
  const cleared = await place.ask('/drafts/_00000001', { method: 'DELETE', body });
  expect(await cleared.json()).toEqual({ lora: 'cat', cleared: true });
  expect((await place.ask('/drafts/cat/undo', { method: 'POST' })).status).toBe(200);
  expect((await get('cat')).fields.seed).toBe('7');
});

test('without JavaScript what was typed is kept by a button', async () => {
  const body = new URLSearchParams({
    lora_name: 'Cat',
    max_train_epochs: '9',
    keep: 'true',
    kept_as: '_00000001',
    kept_version: '0',
  });
  const kept = await place.ask('/new', { method: 'POST', headers: { Accept: 'text/html' }, body });
  expect(kept.headers.get('location')).toBe('new?lora=cat');
  expect(await page('/new')).toMatch(/name="max_train_epochs"[^>]*value="9"/);
});

test('what stood in the fields of another trainer is not taken along, what was typed is', async () => {
  const fields = { trainer: 'script/x', learning_rate: '4e-3', seed: '7' };
  const { body } = await put('cat', { fields, shown: 'practice' });
  expect(body.fields).toEqual({ trainer: 'script/x', seed: '7' });
});

test.each([
  ['no fields', {}, 422],
  ['a value that is no text', { fields: { seed: 5 } }, 422],
  ['a value that is too long', { fields: { notes: 'x'.repeat(100_001) } }, 422],
  ['too many fields', { fields: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [n, ''])) }, 422],
  ['a token', { fields: { notes: `hf_${'a1B2'.repeat(9)}` } }, 422],
])('a draft with %s is refused, and nothing is written', async (_, body, status) => {
  expect((await put('cat', body)).status).toBe(status);
  expect((await place.ask('/drafts/cat')).status).toBe(404);
});

test('no name leads out of the folder of drafts, and no link is followed', async () => {
  for (const name of ['_edit-../../x', '_edit-a\0b', '…', ' '])
    expect([400, 404, 422]).toContain((await put(name, { fields: { a: '1' } })).status);
  mkdirSync(folder());
  writeFileSync(join(place.settings.private, 'secret.json'), '{"fields":{"a":"secret"},"version":1}');
  symlinkSync(join(place.settings.private, 'secret.json'), join(folder(), 'cat.json'));
  expect((await place.ask('/drafts/cat')).status).toBe(404);
  expect((await put('cat', { fields: { a: '1' } })).status).toBe(200);
  expect(readFileSync(join(place.settings.private, 'secret.json'), 'utf8')).toContain('secret');
  // A file that holds no draft is kept beside.
  writeFileSync(join(folder(), 'dog.json'), '{broken');
  expect((await put('dog', { fields: { a: '1' } })).status).toBe(200);
  expect(readFileSync(join(folder(), 'dog.unreadable'), 'utf8')).toBe('{broken');
});
