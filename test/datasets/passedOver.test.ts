import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { facts, picture, testDatasets } from './testDatasets.js';

/** A dataset `x` of these files; empty text stands for a picture. */
async function dataset(files: Record<string, string | Buffer>) {
  const test = await testDatasets();
  const folder = join(test.datasets, 'x');
  await mkdir(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), content === '' ? await picture() : content);
  }
  return { ...test, folder };
}

test('pictures that lie in folders of a dataset are told with the folder and the remedy', async () => {
  const { detail, datasets, folder, ask } = await dataset({ 'img/20_my dog/a.jpg': '', 'img/20_my dog/b.PNG': '' });
  const { errors, passed_over } = await detail('x');
  expect(passed_over.folders).toEqual([{ folder: 'img/20_my dog', pictures: 2 }]);
  expect(errors).toEqual([
    expect.stringMatching(/^x has no pictures to train on\. 2 pictures in the folder img\/20_my dog inside x/),
  ]);
  expect(errors[0]).toContain(`or move the folder to ${datasets} to make it a dataset`);
  expect(errors[0]).not.toContain('Upload some');
  await writeFile(join(folder, 'top.png'), await picture());
  await symlink('/etc', join(folder, 'elsewhere'));
  await symlink('img/20_my dog', join(folder, 'linked'));
  const half = await detail('x');
  expect(half.errors).toEqual([]);
  expect(half.warnings.slice(0, 2)).toEqual([
    expect.stringContaining('in the folder linked inside x'),
    expect.stringContaining('in the folder img/20_my dog inside x'),
  ]);
  const page = await (await ask('GET', '/datasets/x', undefined, { accept: 'text/html' })).text();
  expect(page).toContain('20_my dog');
});

test('files of other kinds are counted and named, and their captions are not called lonely', async () => {
  const { detail } = await dataset({
    'ok.png': '',
    'ok.txt': 'a dog',
    'sun.heic': 'x',
    'sun.txt': 'the sun',
    'sea.avif': 'x',
    'scan.tif': 'x',
    'walk.mp4': 'x',
    'pack.zip': 'x',
    'notes.md': 'mine',
    'ok_0064x0048_flux.npz': 'x',
    LICENSE: 'x',
  });
  const { warnings, orphan_captions, passed_over } = await detail('x');
  expect(passed_over.other_kinds).toEqual(['pack.zip', 'scan.tif', 'sea.avif', 'sun.heic', 'walk.mp4']);
  expect(orphan_captions).toEqual([]);
  expect(warnings[0]).toMatch(/^pack\.zip is an archive, which trainers don't open\. Unpack it here/);
  expect(warnings[1]).toMatch(/^4 files can't be trained on: scan\.tif, sea\.avif, sun\.heic and 1 more\./);
  expect(warnings[1]).toMatch(/Convert pictures to PNG or JPEG\. sd-scripts reads \.avif and \.jxl only with/);
});

test('folders of pictures are told however deep and of whatever kind, and those that systems make are not', async () => {
  const { detail } = await dataset({
    'ok.png': '',
    'a/b/c/d/deep.png': '',
    'phone/sun.heic': 'x',
    'phone/sea.avif': 'x',
    '@eaDir/ok.png/SYNOPHOTO_THUMB_M.jpg': '',
    '__MACOSX/a/._deep.png': 'x',
    '.ipynb_checkpoints/ok-checkpoint.png': '',
    '#recycle/old.png': '',
  });
  const { passed_over } = await detail('x');
  expect(passed_over.folders).toEqual([
    { folder: 'phone', pictures: 2 },
    { folder: 'a/b/c/d', pictures: 1 },
  ]);
});

test('a picture whose ending is in mixed case only needs another name', async () => {
  const { detail } = await dataset({ 'a.Png': '' });
  expect((await detail('x')).errors[0]).toMatch(/mixed case, which trainers skip\. Rename it/);
});

test('captions of other endings are named with the remedy', async () => {
  const { detail } = await dataset({
    'a.png': '',
    'a.caption': 'a dog',
    'b.JPG': '',
    'b.Txt': 'a dog',
    'c.png': '',
    'c.png.txt': 'a dog',
    'd.png': '',
    'd.json': '{"tags": "a dog"}',
    'e.png': '',
    'e.txt': 'a dog',
    'e.json': '{}',
    'e.tags': 'dog',
    'f.txt': 'no picture at all',
  });
  const { warnings, orphan_captions, passed_over } = await detail('x');
  expect(passed_over.other_captions).toEqual(['a.caption', 'b.Txt', 'c.png.txt', 'd.json', 'e.tags']);
  expect(passed_over.other_kinds).toEqual([]);
  expect(orphan_captions).toEqual(['f.txt']);
  expect(warnings[0]).toMatch(/^5 captions are not used: a\.caption, b\.Txt, c\.png\.txt and 2 more\..* ends in \.txt/);
});

test('pictures that differ in their ending only share a caption, and of one size a cache too', async () => {
  const { detail } = await dataset({
    'a.png': '',
    'a.jpg': await picture('jpeg'),
    'b.png': '',
    'b.webp': await picture('webp', 32, 32),
    'c.png': '',
  });
  const { warnings } = await detail('x');
  expect(warnings).toContainEqual(expect.stringMatching(/^a\.jpg and a\.png share the caption a\.txt.*trained twice/));
  expect(warnings).toContainEqual('b.png and b.webp share the caption b.txt. Delete or rename one of them.');
});

test('datasets of any visible name are listed and can be opened; folders that cannot be are named', async () => {
  const { datasets, detail, ask } = await testDatasets();
  const good = [
    '10_ohwx man (v2)',
    '[cats]',
    '_cats',
    "cat's",
    'a, b & c+d',
    'cat@home~1',
    'x'.repeat(150),
    '#1',
    'a..b',
  ];
  for (const name of good) {
    await mkdir(join(datasets, name), { recursive: true });
    await writeFile(join(datasets, name, 'a.png'), await picture());
  }
  for (const name of ['.hidden', '-rf', 'a\nb', 'tail ', 'y'.repeat(240)]) await mkdir(join(datasets, name));
  await mkdir(Buffer.concat([Buffer.from(`${datasets}/caf`), Buffer.from([0xe9])]));
  await symlink('/etc', join(datasets, 'outside'));
  const list: { name: string }[] = await facts(ask('GET', '/datasets'));
  expect(list.map(({ name }) => name).sort()).toEqual([...good].sort());
  for (const name of good) expect((await detail(name)).images, name).toBe(1);
  const page = await (await ask('GET', '/datasets', undefined, { accept: 'text/html' })).text();
  const skipped: string[] = JSON.parse(page.slice(page.indexOf('{'))).skipped;
  expect(skipped).toHaveLength(6);
  expect(skipped).toContainEqual(
    expect.stringMatching(/^The folder caf\ufffd is not listed, because its name is not UTF-8/),
  );
  expect(skipped).toContainEqual(expect.stringMatching(/^outside is a link that leads out of /));
  expect((await ask('GET', `/datasets/${encodeURIComponent('../x')}`)).status).toBe(404);
});

test('pictures whose names are not UTF-8 are to be renamed, not uploaded again', async () => {
  const { detail, folder } = await dataset({ 'a.png': '' });
  const name = (ending: string) =>
    Buffer.concat([Buffer.from(`${folder}/na`), Buffer.from([0xef]), Buffer.from(ending)]);
  await writeFile(name('ve.png'), await picture());
  await writeFile(name('ve.txt'), 'a cat');
  expect((await detail('x')).errors).toEqual([
    "na\ufffdve.png can't be used: Its name is not UTF-8. Rename it, and its caption with it.",
  ]);
});
