import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';

let house: InProcess;
beforeEach(() => {
  house = appInProcess();
});
afterEach(() => house.leave());

const json = { 'Content-Type': 'application/json' };
const page = { Accept: 'text/html' };
const send = (method: string, path: string, body: unknown = {}) =>
  house.ask(path, { method, headers: json, body: JSON.stringify(body) });
const facts = async <T>(asked: Promise<Response>) => (await (await asked).json()) as T;
type Lora = { versions: { name: string; version: number }[] };
type Entry = { entry: string; removed_at: string | null };
const html = async (path: string) => (await house.ask(path, { headers: page })).text();
const recordOf = (name: string) =>
  JSON.parse(readFileSync(join(house.settings.outputs, name, 'ui_state.json'), 'utf8'));

test('A LoRA has a page with all of its versions, and the chosen one’s settings, dataset and notes', async () => {
  await house.draft({ lora_name: 'My Cat', concept_sentence: 'c4tsy', seed: 1 });
  await house.draft({ lora_name: 'my cat', seed: 2, description: 'other seed', notes: 'look at the ears' });
  const lora = await facts<Lora>(house.ask('/loras/my-cat'));
  expect(lora).toMatchObject({ key: 'my-cat', name: 'my cat', chosen: 'my-cat-v2' });
  expect(lora.versions.map(({ version }) => version)).toEqual([2, 1]);

  const newest = await html('/loras/My%20Cat');
  expect(newest).toContain('look at the ears');
  expect(newest).toContain('example · 10 pictures');
  expect(newest).toMatch(/new\?lora_name=my\+cat&amp;concept_sentence=/);
  const first = await html('/loras/my-cat?version=V1');
  expect(first).toMatch(/aria-current="true">V1</);
  expect(first).toMatch(/<dt>Seed[^<]*<\/dt>\s*<dd>1<\/dd>/);

  const all = await (await house.ask('/loras')).json();
  expect(all).toMatchObject([{ key: 'my-cat', versions: ['my-cat-v2', 'my-cat'] }]);
});

test('New clears to defaults, and keeps the name and the trigger word', async () => {
  await house.draft({ lora_name: 'cat', concept_sentence: 'c4tsy', seed: 7 });
  const form = await html('/new?lora_name=cat&concept_sentence=c4tsy');
  expect(form).toMatch(/name="lora_name" value="cat"/);
  expect(form).toMatch(/name="concept_sentence" value="c4tsy"/);
  expect(form).not.toMatch(/name="seed" value="7"/);
});

test('A version gets a name, a rating, tags and a pin; one of a LoRA is the best', async () => {
  await house.draft({ lora_name: 'cat' });
  await house.draft({ lora_name: 'cat' });
  const marked = { version_name: 'lr_0001', rating: '4', tags: 'final, portrait', pinned: true, marked_best: true };
  const changed = await (await send('PATCH', '/sessions/cat', marked)).json();
  expect(changed).toMatchObject({ version_name: 'lr_0001', rating: 4, tags: ['final', 'portrait'], pinned: true });
  expect(await html('/loras/cat?version=lr_0001')).toContain('best · pinned · 4 of 5');

  const taken = await send('PATCH', '/sessions/cat-v2', { version_name: 'LR_0001' });
  expect(taken.status).toBe(409);
  expect(await taken.json()).toMatchObject({ error: { code: 'name_taken', field: 'version_name' } });
  expect((await send('PATCH', '/sessions/cat-v2', { rating: 9 })).status).toBe(422);

  await send('PATCH', '/sessions/cat-v2', { marked_best: true });
  expect(recordOf('cat-v2').marked_best).toBe(true);
  expect(recordOf('cat').marked_best).toBeFalsy();
  // A form sends what is empty, too: nothing of it stays in the record.
  await send('PATCH', '/sessions/cat', { version_name: '', rating: '', tags: '', pinned: 'false' });
  expect(Object.keys(recordOf('cat'))).not.toContain('version_name');
});

test('A deleted version lies in the trash, and is put back as it was', async () => {
  await house.draft({ lora_name: 'cat', description: 'keep me' });
  await house.draft({ lora_name: 'cat' });
  const deleted = await facts<{ trash: string }>(send('DELETE', '/sessions/cat-v2'));
  expect(existsSync(join(house.settings.outputs, deleted.trash, 'ui_state.json'))).toBe(true);
  expect((await house.ask('/sessions/cat-v2')).status).toBe(404);

  const [entry] = await facts<Entry[]>(house.ask('/trash'));
  expect(entry).toMatchObject({ name: 'cat-v2', lora_name: 'cat', version: 2, weights_bytes: 0 });
  expect(await html('/trash')).toContain('cat V2');
  const back = await send('POST', `/trash/cat-v2/${entry?.entry}`);
  expect(await back.json()).toMatchObject({ name: 'cat-v2', version: 2 });
  expect(await (await house.ask('/trash')).json()).toEqual([]);
});

test('A deleted version whose name was given again is put back as the next one', async () => {
  await house.draft({ lora_name: 'cat', description: 'the first' });
  await send('DELETE', '/sessions/cat');
  await house.draft({ lora_name: 'cat', description: 'the second' });
  const [{ entry } = { entry: '' }] = await facts<Entry[]>(house.ask('/trash'));
  const back = await (await send('POST', `/trash/cat/${entry}`)).json();
  expect(back).toMatchObject({ name: 'cat-v2', version: 2, description: 'the first' });
  expect(await (await house.ask('/sessions/cat')).json()).toMatchObject({ description: 'the second' });
});

test('Weights leave the trash only with a second word', async () => {
  await house.draft({ lora_name: 'cat' });
  writeFileSync(join(house.settings.outputs, 'cat', 'cat.safetensors'), 'weights');
  await send('DELETE', '/sessions/cat');
  const [{ entry, removed_at } = { entry: '', removed_at: '' }] = await facts<Entry[]>(house.ask('/trash'));
  expect(removed_at).toBeNull();
  const refused = await send('DELETE', `/trash/cat/${entry}`);
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ error: { code: 'holds_weights', field: 'confirm' } });
  expect((await send('DELETE', `/trash/cat/${entry}`, { confirm: 'weights' })).status).toBe(200);
  expect(await (await house.ask('/trash')).json()).toEqual([]);
});

test('Nothing outside the trash can be named through it, and a trash that is a link is not used', async () => {
  await house.draft({ lora_name: 'cat' });
  for (const path of ['/trash/cat/cat', '/trash/..%2Fcat/20260101T000000Z-aaaaaa', '/trash/cat/..%2F..%2Fcat'])
    expect((await send('DELETE', path, { confirm: 'weights' })).status).toBe(404);
  expect((await house.ask('/sessions/cat')).status).toBe(200);
});

test('All failed versions of a LoRA are deleted at once, except a pinned one', async () => {
  for (const name of ['cat', 'cat-v2', 'cat-v3']) {
    mkdirSync(join(house.settings.outputs, name));
    const pinned = name === 'cat-v3';
    const record = { lora_name: 'cat', trainer: 'practice', status: name === 'cat' ? 'completed' : 'failed', pinned };
    writeFileSync(join(house.settings.outputs, name, 'ui_state.json'), JSON.stringify(record));
    await house.ask(`/sessions/${name}`);
  }
  expect(await html('/loras/cat')).toContain('Delete 1 failed version');
  const { deleted } = await facts<{ deleted: string[] }>(send('DELETE', '/loras/cat/versions/failed'));
  expect(deleted).toEqual(['cat-v2']);
  const { versions } = await facts<Lora>(house.ask('/loras/cat'));
  expect(versions.map(({ name }) => name)).toEqual(['cat-v3', 'cat']);
});

test('There is no page of a LoRA that does not exist, nor of a version', async () => {
  expect((await house.ask('/loras/dog')).status).toBe(404);
  await house.draft({ lora_name: 'cat' });
  const missing = await house.ask('/loras/cat?version=V9');
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ error: { link: 'loras/cat' } });
});
