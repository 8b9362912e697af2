import { link, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { bmp, facts, picture, testDatasets } from './testDatasets.js';
import { zip } from './zip.js';

const text = { 'content-type': 'text/plain' };

test('three pictures with captions are kept byte for byte, and read back as facts', async () => {
  const { ask, create, detail, content, datasets } = await testDatasets();
  const created = await create('My Cat!');
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe('datasets/my-cat');
  const pictures = {
    'a.png': await picture(),
    'b.JPG': await picture('jpeg'),
    'c.webp': await picture('webp'),
  };
  for (const [file, bytes] of Object.entries(pictures)) {
    expect((await ask('PUT', `/datasets/my-cat/images/${file}`, bytes)).status).toBe(201);
    expect((await ask('PUT', `/datasets/my-cat/captions/${file[0]}`, `a photo of ${file}\r\n`, text)).status).toBe(201);
    expect((await content(`my-cat/${file}`)).equals(bytes)).toBe(true);
  }
  expect(`${await content('my-cat/b.txt')}`).toBe('a photo of b.JPG\r\n');
  const read = await detail('my-cat');
  expect(read).toMatchObject({
    name: 'my-cat',
    path: join(datasets, 'my-cat'),
    images: 3,
    captions: 3,
    cover: 'a.png',
  });
  expect(read).toMatchObject({ errors: [], warnings: [], orphan_captions: [] });
  expect(read.files.map((f: { width: number; height: number }) => [f.width, f.height])).toEqual([
    [64, 48],
    [64, 48],
    [64, 48],
  ]);
  expect(await facts(ask('GET', '/datasets'))).toMatchObject([{ name: 'my-cat', images: 3, captions: 3 }]);
});

test('names with emoji, spaces, apostrophes, per cents and brackets work end to end', async () => {
  const { ask, create, detail, content } = await testDatasets();
  await create('Kočka 猫');
  const names = ["it's 🐱.png", '100%.png', '%2e%2e.png', 'a+b & c#d?.png', 'cat [1].png', 'cafe\u0301.png', '猫.png'];
  for (const file of names) {
    const bytes = await picture();
    const at = `/datasets/${encodeURIComponent('Kočka 猫')}`;
    expect((await ask('PUT', `${at}/images/${encodeURIComponent(file)}`, bytes)).status, file).toBe(201);
    const stem = encodeURIComponent(file.replace(/\.png$/, ''));
    expect((await ask('PUT', `${at}/captions/${stem}`, `caption of ${file}`, text)).status).toBe(201);
    const back = await ask('GET', `${at}/images/${encodeURIComponent(file)}`);
    expect(Buffer.from(await back.arrayBuffer()).equals(bytes)).toBe(true);
    expect((await content(`Kočka 猫/${file}`)).equals(bytes)).toBe(true);
  }
  const read = await detail('Kočka 猫');
  expect(read.files.map((f: { file: string }) => f.file).sort()).toEqual([...names].sort());
  for (const { file, caption } of read.files) expect(caption).toBe(`caption of ${file}`);
});

test.each(['png', 'jpeg', 'webp'] as const)(
  'a %s that is cut off anywhere is refused in words, and changes nothing',
  async (format) => {
    const { ask, create, files, content } = await testDatasets();
    await create('x');
    const [good, other] = [await picture(format, 1023, 769), await picture(format, 1023, 769)];
    await ask('PUT', `/datasets/x/images/cat.${format}`, good);
    for (const part of [0, 0.01, 0.5, 0.98, 0.9999]) {
      const answer = await ask(
        'PUT',
        `/datasets/x/images/cat.${format}`,
        other.subarray(0, Math.floor(other.length * part)),
      );
      expect(answer.status, `${part}`).toBe(422);
      expect((await facts(answer)).error).toMatchObject({
        code: 'not_decodable',
        message: expect.stringMatching(/was not saved/),
      });
    }
    expect(await files()).toEqual([`x/cat.${format}`]);
    expect((await content(`x/cat.${format}`)).equals(good)).toBe(true);
  },
);

test('a BMP, and other kinds of files under a picture’s name, are refused with what to do', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  const gif = await sharp(await picture())
    .gif()
    .toBuffer();
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>';
  for (const body of [bmp(), bmp().subarray(0, 20), gif, svg, 'BMW', 'hello', ''])
    expect((await ask('PUT', '/datasets/x/images/a.bmp', body)).status).toBe(422);
  for (const [body, words] of [
    [gif, /a GIF, whatever its name says/],
    [bmp(), /a BMP, which is not supported\. Save it as PNG or JPEG/],
  ] as const) {
    const answer = await ask('PUT', '/datasets/x/images/a.png', body);
    expect((await facts(answer)).error.message).toMatch(words);
  }
  expect(await files()).toEqual([]);
});

test('whoever still asks to strip metadata gets the picture saved as it is: raw, in a form, in parts and in an archive', async () => {
  const { ask, create, content, files } = await testDatasets();
  await create('x');
  const bytes = await sharp(await picture('jpeg'))
    .withExif({ IFD0: { Artist: 'Jane Roe' } })
    .toBuffer();
  const form = new FormData();
  form.append('name', 'x');
  form.append('strip', 'true');
  form.append('files', new Blob([new Uint8Array(bytes)]), 'form.jpg');
  const told = JSON.stringify({ file: 'parts.jpg', bytes: bytes.length, strip: true });
  const { id } = await facts(ask('POST', '/datasets/x/uploads', told, { 'content-type': 'application/json' }));
  const range = { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` };
  for (const answer of [
    ask('PUT', '/datasets/x/images/raw.jpg?strip=true', bytes),
    ask('POST', '/datasets', form),
    ask('PUT', `/datasets/x/uploads/${id}`, bytes, range),
    ask('PUT', '/datasets/x/archives/a.zip?strip=true', zip([{ name: 'zip.jpg', content: bytes }])),
  ])
    expect((await answer).ok).toBe(true);
  const kept = (await files()).filter((file) => file.endsWith('.jpg'));
  expect(kept).toHaveLength(4);
  for (const file of kept) expect((await content(file)).equals(bytes), file).toBe(true);
});

test('a name that is no picture’s is refused with 415', async () => {
  const { ask, create, files } = await testDatasets();
  await create('x');
  for (const file of ['a.gif', 'a', 'a.txt', 'a.png.exe', 'a.Png'])
    expect((await ask('PUT', `/datasets/x/images/${file}`, await picture())).status, file).toBe(415);
  expect(await files()).toEqual([]);
});

test('the same picture again changes nothing; another of its name takes its place and the old one is kept', async () => {
  const { ask, create, files, content } = await testDatasets();
  await create('x');
  const [first, second] = [await picture(), await picture()];
  const put = async (bytes: Buffer) => facts(ask('PUT', '/datasets/x/images/cat.png', bytes));
  expect(await put(first)).toMatchObject({ created: true, replaced: false });
  const before = await files();
  expect(await put(first)).toMatchObject({ created: false, replaced: false });
  expect(await files()).toEqual(before);
  const replaced = await put(second);
  expect(replaced).toMatchObject({ created: false, replaced: true, message: expect.stringContaining('.trash/x/') });
  expect((await content('x/cat.png')).equals(second)).toBe(true);
  expect((await content(`${replaced.kept}/cat.png`)).equals(first)).toBe(true);
});

test('a deleted picture and its caption go to the trash; a caption that another picture shares stays', async () => {
  const { ask, create, files, content } = await testDatasets();
  await create('x');
  for (const file of ['cat.png', 'cat.webp']) await ask('PUT', `/datasets/x/images/${file}`, await picture('png'));
  await ask('PUT', '/datasets/x/captions/cat', 'a cat', text);
  const first = await facts(ask('DELETE', '/datasets/x/images/cat.webp'));
  expect(first.files).toEqual(['cat.webp']);
  const second = await facts(ask('DELETE', '/datasets/x/images/cat.png'));
  expect(second.files).toEqual(['cat.png', 'cat.txt']);
  expect(`${await content(`${second.kept}/cat.txt`)}`).toBe('a cat');
  expect((await files()).filter((file) => file.startsWith('x/'))).toEqual([]);
  expect((await ask('DELETE', '/datasets/x/images/cat.png')).status).toBe(404);
});

test('an empty caption removes the file and says so; what was there is kept', async () => {
  const { ask, create, files, content } = await testDatasets();
  await create('x');
  await ask('PUT', '/datasets/x/images/cat.png', await picture());
  await ask('PUT', '/datasets/x/captions/cat', 'a cat', text);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const removed = await facts(ask('PUT', '/datasets/x/captions/cat', 'caption=+%0D%0A', form));
  expect(removed).toMatchObject({
    outcome: 'removed',
    caption: null,
    message: expect.stringContaining('trigger word'),
  });
  expect((await files()).filter((file) => file.startsWith('x/'))).toEqual(['x/cat.png']);
  expect(`${await content(`${removed.kept}/cat.txt`)}`).toBe('a cat');
});

test('saving while one types keeps the caption from before in the trash, once', async () => {
  const { ask, create, files, content, datasets } = await testDatasets();
  await create('x');
  await ask('PUT', '/datasets/x/captions/cat', 'from yesterday', text);
  await utimes(join(datasets, 'x', 'cat.txt'), new Date(), new Date(Date.now() - 86_400_000));
  const answers = [];
  for (const caption of ['a', 'a c', 'a cat'])
    answers.push(await facts(ask('PUT', '/datasets/x/captions/cat', caption, text)));
  expect(answers.map(({ outcome, kept }) => [outcome, kept !== null])).toEqual([
    ['replaced', true],
    ['replaced', false],
    ['replaced', false],
  ]);
  expect(await files()).toEqual([`${answers[0].kept}/cat.txt`, 'x/cat.txt']);
  expect(`${await content(`${answers[0].kept}/cat.txt`)}`).toBe('from yesterday');
});

test('a caption from a form has plain line ends; one that is not UTF-8 is refused with the remedy', async () => {
  const { ask, create, content } = await testDatasets();
  await create('x');
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const answer = await ask('PUT', '/datasets/x/captions/cat', 'caption=one%0D%0At%C3%A9o%27s+%F0%9F%90%B1', form);
  expect(answer.status).toBe(303);
  expect(new URL(answer.headers.get('location') ?? '', 'http://h/p/datasets/x/captions/cat').pathname).toBe(
    '/p/datasets/x',
  );
  expect(`${await content('x/cat.txt')}`).toBe("one\ntéo's 🐱");
  const latin = await ask('PUT', '/datasets/x/captions/cat', Buffer.from('téo', 'latin1'), text);
  expect(latin.status).toBe(422);
  expect((await facts(latin)).error.message).toMatch(/not UTF-8.*Save it as UTF-8/);
  expect(`${await content('x/cat.txt')}`).toBe("one\ntéo's 🐱");
  expect((await ask('PUT', '/datasets/x/captions/cat', 'x'.repeat(100_001), text)).status).toBe(413);
});

test('no path leads out of the datasets, however it is written', async () => {
  const { ask, create, files, home, datasets } = await testDatasets();
  await create('x');
  await writeFile(join(home, 'secret.png'), await picture());
  await mkdir(join(home, 'elsewhere'));
  await writeFile(join(home, 'elsewhere', 'a.png'), await picture());
  await symlink(join(home, 'elsewhere'), join(datasets, 'linked'));
  await symlink(join(home, 'secret.png'), join(datasets, 'x', 'linked.png'));
  const tries = [
    '../x',
    '..%2fx',
    '%2e%2e/x',
    '%2e%2e%2fx',
    '%252e%252e%252fx',
    '..%5cx',
    '.trash',
    '%00',
    '.%00./x',
    '....//x',
    '%c0%ae%c0%ae/x',
  ];
  for (const name of tries) {
    for (const path of [
      `/datasets/${name}`,
      `/datasets/${name}/images/secret.png`,
      `/datasets/x/images/${name}/secret.png`,
      `/datasets/x/images/..%2f..%2fsecret.png`,
    ])
      expect((await ask('GET', path)).status, path).toBeGreaterThanOrEqual(400);
    for (const path of [`/datasets/${name}/images/new.png`, `/datasets/x/images/${name}.png%2f..%2f..%2fnew.png`])
      expect((await ask('PUT', path, await picture())).status, path).toBeGreaterThanOrEqual(400);
    expect((await ask('PUT', `/datasets/x/captions/..%2f..%2f${name}`, 'x', text)).status).toBeGreaterThanOrEqual(400);
  }
  for (const path of ['/datasets/linked', '/datasets/linked/images/a.png', '/datasets/x/images/linked.png']) {
    const answer = await ask('GET', path);
    expect(answer.status, path).toBe(422);
    expect((await facts(answer)).error.message).toMatch(/leads out/);
  }
  expect((await ask('PUT', '/datasets/linked/images/new.png', await picture())).status).toBe(422);
  expect(await files()).toEqual(['linked', 'x/linked.png']);
  expect((await facts(ask('GET', '/datasets'))).map((d: { name: string }) => d.name)).toEqual(['x']);
  // A picture of the linked one's name replaces the link, never what it leads to.
  const secret = await readFile(join(home, 'secret.png'));
  expect((await ask('PUT', '/datasets/x/images/linked.png', await picture())).status).toBe(200);
  expect((await readFile(join(home, 'secret.png'))).equals(secret)).toBe(true);
});

test('a trash and an upload folder that are links out of the datasets are refused, and nothing is made where they lead', async () => {
  const { ask, create, home, datasets } = await testDatasets();
  await create('x');
  await ask('PUT', '/datasets/x/images/a.png', await picture());
  const outside = join(home, 'elsewhere');
  await mkdir(outside);
  for (const hidden of ['.trash', '.uploads']) await symlink(outside, join(datasets, hidden));
  const json = { 'content-type': 'application/json' };
  for (const [method, path, body] of [
    ['DELETE', '/datasets/x/images/a.png', undefined],
    ['PUT', '/datasets/x/images/a.png', await picture()],
    ['PUT', '/datasets/x/archives/a.zip', zip([{ name: 'b.png', content: await picture() }])],
    ['POST', '/datasets/x/uploads', '{"file":"b.png","bytes":9}'],
  ] as const) {
    const answer = await ask(method, path, body, typeof body === 'string' ? json : {});
    expect([path, answer.status]).toEqual([path, 422]);
    expect((await facts(answer)).error.message).toMatch(/leads out/);
    expect(await readdir(outside, { recursive: true })).toEqual([]);
  }
  expect((await ask('GET', '/datasets/x/images/a.png')).status).toBe(200);
});

test('a link from one dataset to another is followed', async () => {
  const { ask, create, detail, datasets } = await testDatasets();
  await create('x');
  await create('y');
  await ask('PUT', '/datasets/x/images/a.png', await picture());
  await symlink(join(datasets, 'x', 'a.png'), join(datasets, 'y', 'b.png'));
  await link(join(datasets, 'x', 'a.png'), join(datasets, 'y', 'c.png'));
  expect((await detail('y')).errors).toEqual([]);
  expect((await ask('GET', '/datasets/y/images/b.png')).status).toBe(200);
});

test('a name that is taken, empty or a path is refused for the field “name”, and nothing is made', async () => {
  const { ask, create, datasets, files } = await testDatasets();
  expect((await create('cat')).status).toBe(201);
  await writeFile(join(datasets, 'cat', 'a.txt'), 'x');
  for (const [name, status] of [
    ['cat', 409],
    ['Cat!', 409],
    ['', 422],
    ['  ', 422],
    ['../x', 422],
    ['🐱', 422],
    ['a/b', 422],
  ] as const) {
    const answer = await create(name);
    expect(answer.status, name).toBe(status);
    expect((await facts(answer)).error.field).toBe('name');
  }
  expect(await files()).toEqual(['cat/a.txt']);
  for (const body of ['', '{', '[]', '{"name":3}'])
    expect((await ask('POST', '/datasets', body, { 'content-type': 'application/json' })).status).toBe(400);
});
