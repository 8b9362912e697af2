import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { bmp, facts, picture, testDatasets } from './testDatasets.js';
import { type ZipFileGiven, zip } from './zip.js';

const type = { 'content-type': 'application/zip' };
const put = (ask: Awaited<ReturnType<typeof testDatasets>>['ask'], archive: Buffer) =>
  ask('PUT', '/datasets/x/archives/x.zip', archive, type);

test('a zip of pictures and captions becomes a dataset, from the top or from one folder, by each way in', async () => {
  const [one, two] = [await picture(), await picture('jpeg')];
  for (const folder of ['', 'cats/', 'from/the/web/cats/']) {
    const archive = zip([
      ...(folder ? [{ name: folder, content: '' }] : []),
      { name: `${folder}1.png`, content: one },
      { name: `${folder}1.txt`, content: 'first\r\n', deflate: true },
      { name: `${folder}téo's 🐱.JPG`, content: two, deflate: true },
      { name: `${folder}README.md`, content: 'about' },
      { name: `${folder}.DS_Store`, content: 'x' },
      { name: `__MACOSX/${folder}._1.png`, content: 'x' },
    ]);
    const { ask, create, content, files } = await testDatasets();
    await create('x');
    const form = new FormData();
    form.append('name', 'form');
    form.append('files', new Blob([new Uint8Array(archive)]), 'cats.zip');
    const ways = {
      x: await put(ask, archive),
      form: await ask('POST', '/datasets', form),
      body: await ask('POST', '/datasets?name=body', archive, type),
    };
    for (const [name, answer] of Object.entries(ways)) {
      expect([200, 201]).toContain(answer.status);
      const read = await facts(answer);
      expect(read).toMatchObject({ accepted: ['1.png', '1.txt', "téo's 🐱.JPG"], refused: [] });
      expect(read.notes).toEqual(['Skipped, neither pictures nor captions: README.md.']);
      expect((await content(`${name}/1.png`)).equals(one)).toBe(true);
      expect(`${await content(`${name}/1.txt`)}`).toBe('first\r\n');
      expect((await content(`${name}/téo's 🐱.JPG`)).equals(two)).toBe(true);
    }
    expect(await files()).toHaveLength(9);
  }
});

test('in a good archive what is no picture is named, and the others are taken; what they replace is kept', async () => {
  const { ask, create, content, files } = await testDatasets();
  await create('x');
  const [before, after] = [await picture(), await picture()];
  await ask('PUT', '/datasets/x/images/a.png', before);
  const answer = await put(
    ask,
    zip([
      { name: 'a.png', content: after },
      { name: 'b.png', content: 'no picture' },
      { name: 'c.Png', content: after },
      { name: 'd.txt', content: Buffer.from('té', 'latin1') },
      { name: 'e.bmp', content: bmp(), deflate: true },
      { name: 'inner.zip', content: zip([{ name: 'f.png', content: after }]) },
      { name: `${'n'.repeat(210)}.png`, content: after },
    ]),
  );
  const read = await facts(answer);
  expect(read.accepted).toEqual(['a.png']);
  expect(read.refused.map(({ code }: { code: string }) => code)).toEqual([
    'not_decodable',
    'not_a_picture',
    'not_utf8',
    'not_decodable',
    'bad_file_name',
  ]);
  expect(read.notes.join(' ')).toMatch(/another picture.*inner\.zip/);
  expect((await content('x/a.png')).equals(after)).toBe(true);
  expect(await files()).toEqual([expect.stringMatching(/^\.trash\/x\/.*a\.png$/), 'x/a.png']);
});

test('of an archive that holds anything dangerous, nothing is taken, and nothing stays', async () => {
  const { home, datasets, ask, create, files } = await testDatasets();
  await create('x');
  await mkdir(join(home, 'secret'));
  await writeFile(join(home, 'secret', 'canary.txt'), 'canary');
  const good = { name: 'good.png', content: await picture() };
  const black = Buffer.alloc(60_000_000);
  const unicodePath = (name: string, real: Buffer) => {
    // Info-ZIP's second name (0x7075), for readers that prefer it.
    const data = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), Buffer.from(name)]);
    data.writeUInt32LE(crcOf(real), 1);
    const head = Buffer.from([0x75, 0x70, 0, 0]);
    head.writeUInt16LE(data.length, 2);
    return Buffer.concat([head, data]);
  };
  const attacks: Record<string, [ZipFileGiven[], RegExp] | [ZipFileGiven[], RegExp, { count: number }]> = {
    ...Object.fromEntries(
      [
        '../a.png',
        '../../secret/canary.txt',
        'a/../../a.png',
        'a/./b.png',
        'a//b.png',
        '/etc/a.png',
        '//host/a.png',
        'C:/a.png',
        'c:a.png',
        'C:\\a.png',
        '..\\..\\a.png',
        'a\\b.png',
        '\\\\host\\share\\a.png',
        'a\0.png',
        'a.png\0.txt',
        'a\n.png',
        'a\u0085.png',
        '..',
        '../',
        './a.png',
      ].map((name) => [
        `path ${JSON.stringify(name)}`,
        [[good, { name, content: good.content }], /^archive_(path|damaged)$/],
      ]),
    ),
    link: [[good, { name: 'l.png', content: '/etc/passwd', mode: 0o120777 }], /^archive_link$/],
    'link to a folder': [
      [
        { name: 'd', content: '..', mode: 0o120777 },
        { name: 'd/a.png', content: good.content },
      ],
      /^archive_link$/,
    ],
    device: [[good, { name: 'n.png', content: '', mode: 0o020666 }], /^archive_link$/],
    fifo: [[good, { name: 'n.png', content: '', mode: 0o010666 }], /^archive_link$/],
    encrypted: [
      [good, { name: 'e.png', content: good.content, flags: 0x801, bytes: good.content.length - 12 }],
      /^archive_encrypted$/,
    ],
    'strongly encrypted': [
      [good, { name: 'e.png', content: good.content, flags: 0x841 }],
      /^archive_(encrypted|damaged)$/,
    ],
    'unknown method': [[good, { name: 'm.png', content: good.content, method: 93 }], /^archive_method$/],
    'twice the same name': [[good, good], /^archive_names$/],
    'names that clash on a Mac': [[good, { ...good, name: 'GOOD.png' }], /^archive_names$/],
    'names that look alike': [
      [
        { ...good, name: 'é.png' },
        { ...good, name: 'e\u0301.png' },
      ],
      /^archive_names$/,
    ],
    'several folders': [
      [
        { ...good, name: 'a/1.png' },
        { ...good, name: 'b/2.png' },
      ],
      /^archive_folders$/,
    ],
    'a bomb by ratio': [[good, { name: 'b.bmp', content: black, deflate: true }], /^archive_bomb$/],
    'many small bombs': [
      Array.from({ length: 40 }, (_, i) => ({
        name: `${i}.bmp`,
        content: black.subarray(0, 2_000_000),
        deflate: true,
      })),
      /^archive_bomb$/,
    ],
    'a picture of 4 GB, it says': [[{ ...good, bytes: 0xfffffff0, deflate: true }], /^archive_bomb$/],
    'a caption of 1 MB': [[{ name: 'c.txt', content: 'x'.repeat(1_000_000) }], /^archive_bomb$/],
    'more bytes than it says': [
      [good, { name: 'w.png', content: good.content, deflate: true, bytes: 100 }],
      /^archive_damaged$/,
    ],
    'fewer bytes than it says': [
      [good, { name: 'w.png', content: good.content, deflate: true, bytes: 90_000 }],
      /^archive_damaged$/,
    ],
    'stored, of another size': [[good, { name: 'w.png', content: good.content, bytes: 100 }], /^archive_damaged$/],
    'packed beyond its end': [
      [good, { name: 'w.png', content: good.content, packed: 9_000_000, bytes: 9_000_000 }],
      /^archive_(damaged|overlap)$/,
    ],
    'another checksum': [[good, { name: 'w.png', content: good.content, crc: 1 }], /^archive_damaged$/],
    'damaged inside': [[good, { name: 'w.png', content: Buffer.alloc(500, 7), method: 8 }], /^archive_damaged$/],
    'files that share their bytes': [[good, { name: 'again.png', content: good.content, at: 0 }], /^archive_overlap$/],
    'an entry in the directory': [
      [good, { name: 'far.png', content: good.content, at: 4_000_000_000 }],
      /^archive_damaged$/,
    ],
    'a second name that leads out': [
      [{ ...good, extra: unicodePath('../../out.png', Buffer.from('good.png')) }],
      /^archive_path$/,
    ],
    'more entries than there are': [[good], /^archive_damaged$/, { count: 9 }],
    'no name': [[good, { name: '', content: 'x' }], /^archive_path$/],
  };
  for (const [what, [given, code, more]] of Object.entries(attacks)) {
    const answer = await put(ask, zip(given, more));
    const { error } = await facts(answer);
    expect([what, error?.code]).toEqual([what, expect.stringMatching(code)]);
    expect([what, [413, 422].includes(answer.status), await files()]).toEqual([what, true, []]);
  }
  const nothing = [Buffer.alloc(0), Buffer.from('PK\x05\x06'), Buffer.from('no archive'), zip([good]).subarray(0, 900)];
  for (const archive of nothing) expect((await put(ask, archive)).status).toBe(422);
  const many = zip(Array.from({ length: 20_001 }, (_, i) => ({ name: `${i}.txt`, content: 'x' })));
  expect(await facts(put(ask, many))).toMatchObject({ error: { code: 'too_many_files' } });
  expect(await files()).toEqual([]);
  expect(datasets).toContain(home);
});

function crcOf(bytes: Buffer): number {
  return zlib.crc32(bytes);
}

test('an archive without a picture or caption says what it holds instead, and leaves no dataset', async () => {
  const { ask, files } = await testDatasets();
  const none: [Buffer, RegExp][] = [
    [zip([]), /it holds no pictures and no captions\./],
    [zip([{ name: 'a/', content: '' }]), /it holds no pictures and no captions\./],
    [zip([{ name: 'inner.zip', content: 'PK' }]), /captions, only inner\.zip\./],
    [zip(['a.avif', 'b.gif', 'c.mp4', 'd.mov'].map((name) => ({ name, content: 'x' }))), /c\.mp4 and 1 more\./],
    [Buffer.alloc(0), /it is empty/],
    [Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), /a 7z archive and no zip/],
    [Buffer.from('Rar!\x1a\x07'), /a rar archive and no zip/],
    [zlib.gzipSync('x'), /a gz archive and no zip/],
    [Buffer.from(`${'a.png'.padEnd(257, '\0')}ustar`), /a tar archive and no zip/],
    [Buffer.from('\n<!DOCTYPE html>'), /a web page and no zip/],
    [zip([{ name: 'a.png', content: await picture() }]).subarray(0, -30), /its end is missing/],
    [Buffer.from('hello'), /it is no zip/],
  ];
  for (const [archive, words] of none) {
    const answer = await ask('POST', '/datasets?name=new', archive, type);
    expect([answer.status, (await facts(answer)).error.message]).toEqual([422, expect.stringMatching(words)]);
    expect((await ask('GET', '/datasets/new')).status).toBe(404);
  }
  expect(await files()).toEqual([]);
});

test.each<[string, Buffer, number, string]>([
  ['UTF-8 that says so', Buffer.from('猫.png'), 0x800, '猫.png'],
  ['UTF-8 that does not say so', Buffer.from('猫.png'), 0, '猫.png'],
  ['the letters of DOS', Buffer.from('caf\x82.png', 'latin1'), 0, 'café.png'],
])('a name in %s arrives as it is', async (_, name, flags, arrived) => {
  const { ask } = await testDatasets();
  const archive = zip([{ name, content: await picture(), flags }]);
  expect((await facts(ask('POST', '/datasets?name=new', archive, type))).accepted).toEqual([arrived]);
});

// The bytes that Windows writes where its language is not English; each line is one archive.
test.each<[string, [hex: string, arrived: string][]]>([
  [
    'simplified Chinese',
    [
      ['d0a1c3a8.png', '小猫.png'],
      ['b9b7b9b7.jpg', '狗狗.jpg'],
      ['61c3a831.png', 'a猫1.png'],
    ],
  ],
  [
    'simplified Chinese beyond GB 2312',
    [
      ['b3c286b4.png', '陈喆.png'],
      ['81aa.png', '仾.png'],
    ],
  ],
  [
    'Japanese',
    [
      ['82cb82b1.png', 'ねこ.png'],
      ['834c8362836c.png', 'キッネ.png'],
      ['955c8ea6.png', '表示.png'],
    ],
  ],
  [
    'traditional Chinese',
    [
      ['bfdf.png', '貓.png'],
      ['a470a9d4.png', '小拉.png'],
      ['b7d3a4f9.png', '照片.png'],
    ],
  ],
  [
    'Russian',
    [
      ['aaaee2.png', 'кот.png'],
      ['84aeac.png', 'Дом.png'],
      ['e4aee2ae.png', 'фото.png'],
    ],
  ],
  [
    'the letters of DOS',
    [
      ['68827465.png', 'héte.png'],
      ['81626572.png', 'über.png'],
      ['e0e1.png', 'αß.png'],
      ['3435f8.png', '45°.png'],
    ],
  ],
  [
    'the letters of DOS, Spanish',
    [
      ['a3a36ea4.png', 'úúnñ.png'],
      ['a8717582.png', '¿qué.png'],
    ],
  ],
  [
    'letters of the West that DOS has elsewhere: one for each, as before',
    [
      ['b56c62756d.png', '╡lbum.png'],
      ['6187c66f.png', 'aç╞o.png'],
    ],
  ],
])('names in %s arrive as they were', async (_, given) => {
  const { ask } = await testDatasets();
  const content = await picture();
  const named = given.map(([hex]) => {
    const [stem = '', ending] = hex.split('.');
    return { name: Buffer.concat([Buffer.from(stem, 'hex'), Buffer.from(`.${ending}`)]), content, flags: 0, system: 0 };
  });
  const answer = await facts(ask('POST', '/datasets?name=new', zip([...named, { name: 'plain.png', content }]), type));
  expect(answer.accepted).toEqual([...given.map(([, arrived]) => arrived), 'plain.png']);
});

test('a zip of Windows has its folders between backslashes, and leads out no more than others', async () => {
  const { ask, files } = await testDatasets();
  const made = async (name: string, names: string[], system: number) => {
    const entries = names.map(async (each) => ({ name: each, content: await picture(), mode: 0, system }));
    return ask('POST', `/datasets?name=${name}`, zip(await Promise.all(entries)), type);
  };
  for (const system of [0, 3, 10, 14])
    expect((await made(`w${system}`, ['my cats\\a.png', 'my cats\\b.png'], system)).status).toBe(201);
  expect(await files()).toHaveLength(8);
  const ofUnix = zip([{ name: 'a\\b.png', content: await picture() }]);
  expect((await facts(ask('POST', '/datasets?name=unix', ofUnix, type))).error.message).toContain('backslash');
  for (const name of ['..\\a.png', 'x\\..\\..\\a.png', '\\a.png', 'C:\\a.png', 'x\\.\\a.png'])
    expect((await facts(made('out', [name], 0))).error.code, name).toBe('archive_path');
  expect((await facts(ask('GET', '/datasets'))).map(({ name }: { name: string }) => name).sort()).toEqual([
    'w0',
    'w10',
    'w14',
    'w3',
  ]);
});

test('nothing is left of a new dataset whose files were all refused; one that was there stays', async () => {
  const { ask, create, files } = await testDatasets();
  const html = { accept: 'text/html' };
  const bad = zip([{ name: 'a.png', content: 'no picture' }]);
  const folders = zip([
    { name: 'img/a.png', content: await picture() },
    { name: 'reg/b.png', content: await picture() },
  ]);
  const form = (content: string | Buffer, file: string) => {
    const data = new FormData();
    data.append('name', 'new');
    data.append('files', new Blob([new Uint8Array(Buffer.from(content))]), file);
    return data;
  };
  const names = async () => (await facts(ask('GET', '/datasets'))).map(({ name }: { name: string }) => name);
  const answers = [
    await ask('POST', '/datasets?name=new', bad, type),
    await ask('POST', '/datasets?name=new', folders, type),
    await ask('POST', '/datasets?name=new', Buffer.from('no zip'), type),
    await ask('POST', '/datasets', form(folders, 'x.zip')),
    await ask('POST', '/datasets', form('GIF89a', 'x.gif')),
    await ask('POST', '/datasets', form('GIF89a', 'x.gif'), html),
  ];
  expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 415]);
  expect((await facts(answers[5] as Response)).error.message).toMatch(/^Nothing was saved\. x\.gif is not a picture/);
  expect(await names()).toEqual([]);
  await create('new');
  await ask('POST', '/datasets?name=new', bad, type);
  expect(await names()).toEqual(['new']);
  expect(await files()).toEqual([]);
});
