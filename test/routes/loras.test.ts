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

test('A form that deletes a session goes on to a page that says where it lies, and puts it back', async () => {
  await house.draft({ lora_name: 'cat' });
  const form = await house.ask('/sessions/cat?_method=DELETE', { method: 'POST', headers: page });
  expect(form.status).toBe(303);
  const home = new URL(form.headers.get('location') ?? '', 'http://x/sessions/cat');
  const [, put] =
    /action="(trash\/cat\/[^"]+)"[\s\S]*?<b>cat V1<\/b> is in the/.exec(await html(`/${home.search}`)) ?? [];
  expect((await house.ask(`/${put}`, { method: 'POST', headers: page })).status).toBe(303);
  expect((await house.ask('/sessions/cat')).status).toBe(200);
  expect(await html(`/${home.search}`)).not.toContain('is in the');
});

test('A deleted version whose name was given again is put back as the next one', async () => {
  await house.draft({ lora_name: 'cat', description: 'the first' });
  await send('DELETE', '/sessions/cat');
  await house.draft({ lora_name: 'cat', description: 'the second' });
  const [{ entry } = { entry: '' }] = await facts<Entry[]>(house.ask('/trash'));
  const form = await house.ask(`/trash/cat/${entry}`, { method: 'POST', headers: page });
  expect(form.headers.get('location')).toBe('../../sessions/cat-v2');
  const back = await (await house.ask('/sessions/cat-v2')).json();
  expect(back).toMatchObject({ name: 'cat-v2', version: 2, description: 'the first' });
  expect(await (await house.ask('/sessions/cat')).json()).toMatchObject({ description: 'the second' });
});

test.each(['safetensors', 'gguf'])('Weights (.%s) leave the trash only with a second word', async (ending) => {
  await house.draft({ lora_name: 'cat' });
  writeFileSync(join(house.settings.outputs, 'cat', `cat.${ending}`), 'weights');
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

const file = '/loras/cat/training_versions.json';
const told = {
  versions: [
    {
      id: 'a1',
      name: 'V1',
      timestamp: '2026-05-01T10:00:00.000Z',
      parameters: {
        network_dim: 16,
        network_alpha: 8,
        learning_rate: 0.0001,
        max_train_steps: 1200,
        lr_scheduler: 'cosine',
        lr_warmup_steps: 100,
        optimizer_type: 'AdamW8bit',
        batch_size: 2,
        num_repeats: 10,
        gradient_dtype: 'bf16',
        save_every_n_steps: 200,
        class_tokens: 'c4tsy cat',
      },
      status: 'completed',
      loraUrl: 'https://example.com/cat.safetensors',
      completedAt: '2026-05-01T12:00:00.000Z',
      selectionSetId: 'set-1',
      imageCount: 24,
      description: 'the first',
    },
    { id: 'a2', name: 'lr_0001', status: 'failed' },
  ],
};

test('training_versions.json of another tool becomes versions, and is told again byte for byte', async () => {
  const imported = await send('POST', file, told);
  expect(imported.status).toBe(201);
  expect(await imported.json()).toEqual({ created: ['cat', 'cat-v2'], skipped: [], left_out: [] });
  const first = await (await house.ask('/sessions/cat')).json();
  expect(first).toMatchObject({
    version: 1,
    status: 'completed',
    description: 'the first',
    attempts: [],
    settings: { network_dim: 16, num_repeats: 10, learning_rate: '0.0001', concept_sentence: 'c4tsy cat' },
  });
  expect(await (await house.ask('/sessions/cat-v2')).json()).toMatchObject({
    version_name: 'lr_0001',
    status: 'failed',
  });

  const out = await (await house.ask(file)).text();
  expect(JSON.parse(out).versions[0]).toEqual(told.versions[0]);
  const other = appInProcess();
  try {
    await other.ask(file, { method: 'POST', headers: json, body: out });
    expect(await (await other.ask(file)).text()).toBe(out);
  } finally {
    other.leave();
  }
  // Once is enough.
  expect(await (await send('POST', file, JSON.parse(out))).json()).toMatchObject({ created: [] });
});

test('Versions that were trained here are told in the other tools’ words', async () => {
  await house.draft({ lora_name: 'cat', network_dim: 4, concept_sentence: 'c4tsy' });
  const [only] = JSON.parse(await (await house.ask(file)).text()).versions;
  expect(only).toMatchObject({ id: 'cat', name: 'V1', status: 'draft', imageCount: 10, selectionSetId: 'example' });
  expect(Object.keys(only)).toEqual(Object.keys(told.versions[0] ?? {}));
  expect(only.parameters).toMatchObject({ network_dim: 4, class_tokens: 'c4tsy', num_repeats: 1 });
});

test('No path, flag or secret comes in with imported versions', async () => {
  const hostile = {
    id: 'x',
    name: 'V1\u202e',
    output_dir: '/etc',
    loraUrl: '../../../etc/passwd',
    parameters: {
      optimizer_type: '--output_dir=/etc',
      lr_scheduler: '/tmp/evil.py',
      network_module: 'os',
      network_dim: 4,
    },
  };
  const imported = await send('POST', file, { versions: [hostile] });
  expect(await imported.json()).toMatchObject({
    created: ['cat'],
    left_out: expect.arrayContaining(['V1: output_dir']),
  });
  expect(JSON.stringify(recordOf('cat'))).not.toMatch(/etc|evil|network_module|\u202e/);
  const secret = { ...hostile, description: `hf_${'A'.repeat(34)}` };
  expect((await send('POST', file, { versions: [secret] })).status).toBe(422);
  for (const body of [{}, { versions: 'x' }, { versions: [{ name: '' }] }, { versions: [null] }])
    expect((await send('POST', file, body)).status).toBe(422);
});

test('A record that still waits though its weights are there is healed', async () => {
  const folder = join(house.settings.outputs, 'waits');
  mkdirSync(folder);
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: 'waits', status: 'pending' }));
  writeFileSync(
    join(folder, 'waits.safetensors'),
    Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}  ')]),
  );
  expect(await (await house.ask('/sessions/waits')).json()).toMatchObject({ status: 'completed' });
  expect(recordOf('waits').status).toBe('completed');

  // A broken file is none.
  mkdirSync(join(house.settings.outputs, 'broken'));
  writeFileSync(join(house.settings.outputs, 'broken', 'ui_state.json'), JSON.stringify({ status: 'pending' }));
  writeFileSync(join(house.settings.outputs, 'broken', 'broken.safetensors'), 'half');
  expect(await (await house.ask('/sessions/broken')).json()).not.toMatchObject({ status: 'completed' });
});
