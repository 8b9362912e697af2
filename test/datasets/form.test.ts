import { expect, test } from 'vitest';
import { facts, picture, testDatasets } from './testDatasets.js';

async function form(name: string | null, files: [string, Buffer | string][]): Promise<FormData> {
  const data = new FormData();
  if (name !== null) data.append('name', name);
  for (const [file, content] of files) data.append('files', new Blob([content]), file);
  return data;
}

test('a form with good and bad files keeps the good ones and says what was refused and why', async () => {
  const { ask, files, content } = await testDatasets();
  const [cat, dog] = [await picture(), await picture('jpeg')];
  const data = await form("Téo's cat", [
    ["it's 🐱.png", cat],
    ["it's 🐱.txt", 'a cat\r\n'],
    ['broken.png', cat.subarray(0, 900)],
    ['../out.png', cat],
    ['notes.pdf', 'x'],
    ['latin.txt', Buffer.from('té', 'latin1')],
    ['empty.txt', ''],
    ['dog.jpg', dog],
  ]);
  const answer = await ask('POST', '/datasets', data);
  expect(answer.status).toBe(201);
  const read = await facts(answer);
  expect(read.accepted).toEqual(expect.arrayContaining(["it's 🐱.png", "it's 🐱.txt", 'dog.jpg']));
  const reasons = Object.fromEntries(read.refused.map((r: { file: string; code: string }) => [r.file, r.code]));
  expect(reasons).toEqual({
    'broken.png': 'not_decodable',
    '../out.png': 'bad_file_name',
    'notes.pdf': 'not_a_picture',
    'latin.txt': 'not_utf8',
  });
  // A list that shows the names goes on in these words.
  for (const { file, reason, after_name: words } of read.refused)
    if (words !== undefined) expect(reason).toBe(`${file} ${words}`);
  expect(read.refused.filter((each: object) => 'after_name' in each)).toHaveLength(3);
  expect(await files()).toEqual(['téo-s-cat/dog.jpg', "téo-s-cat/it's 🐱.png", "téo-s-cat/it's 🐱.txt"]);
  expect((await content("téo-s-cat/it's 🐱.png")).equals(cat)).toBe(true);
  expect(`${await content("téo-s-cat/it's 🐱.txt")}`).toBe('a cat\r\n');
});

test('without JavaScript: all good leads to the dataset, something refused shows it on the page', async () => {
  const { ask } = await testDatasets();
  const html = { accept: 'text/html' };
  const good = await ask('POST', '/datasets', await form('cats', [['a.png', await picture()]]), html);
  expect([good.status, good.headers.get('location')]).toEqual([303, 'datasets/cats']);
  const mixed = await ask(
    'POST',
    '/datasets',
    await form('cats', [
      ['b.png', await picture()],
      ['c.gif', 'GIF89a'],
    ]),
    html,
  );
  expect(mixed.status).toBe(422);
  expect(await mixed.text()).toMatch(/<h1>Dataset<.*1 file was saved in cats.*c\.gif is not a picture or caption/);
  const unnamed = await ask('POST', '/datasets', await form('../x', [['b.png', await picture()]]), html);
  expect(unnamed.status).toBe(422);
  expect(await unnamed.text()).toMatch(/<h1>Datasets<.*"values":{"name":"\.\.\/x"}.*can't be a folder name/);
  const nothing = await ask('POST', '/datasets', await form('dogs', [['', '']]), html);
  expect([nothing.status, nothing.headers.get('location')]).toEqual([303, 'datasets/dogs']);
});

test('a form that adds to a dataset loses nothing that was there', async () => {
  const { ask, content } = await testDatasets();
  const [first, second] = [await picture(), await picture()];
  await ask(
    'POST',
    '/datasets',
    await form('cats', [
      ['a.png', first],
      ['a.txt', 'one'],
    ]),
  );
  const again = await form('cats', [
    ['a.png', second],
    ['a.txt', 'two'],
  ]);
  const read = await facts(ask('POST', '/datasets', again));
  expect(read).toMatchObject({ created: false, accepted: ['a.png', 'a.txt'], refused: [] });
  const kept = read.notes.map((note: string) => /\.trash\/cats\/[^ /]+[^ ./]/.exec(note)?.[0]).filter(Boolean);
  expect((await content(`${kept[0]}/a.png`)).equals(first)).toBe(true);
  expect(`${await content(`${kept[1]}/a.txt`)}`).toBe('one');
});

test('files before the name, or a body that is no form, are answered in words', async () => {
  const { ask, files } = await testDatasets();
  const data = await form(null, [['a.png', await picture()]]);
  data.append('name', 'late');
  const late = await facts(ask('POST', '/datasets', data));
  expect(late.refused[0].reason).toMatch(/send the field “name” first/);
  expect(late.refused[0]).not.toHaveProperty('after_name');
  for (const [type, body] of [
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\ncut'],
  ])
    expect((await ask('POST', '/datasets', body, { 'content-type': `${type}` })).status).toBe(400);
  expect(await files()).toEqual([]);
});
