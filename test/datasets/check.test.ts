import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { checkDataset } from '../../sidecar/datasets/check.js';
import { fingerprintDataset } from '../../sidecar/datasets/fingerprint.js';
import { listDatasets } from '../../sidecar/datasets/list.js';
import { datasetNameFrom, isDatasetName } from '../../sidecar/datasets/names.js';
import { readDataset } from '../../sidecar/datasets/read.js';
import { seedExample } from '../../sidecar/datasets/seed.js';
import { slug } from '../../sidecar/slug.js';
import { BUSY } from '../busy.js';
import { appInProcess } from '../inProcess.js';
import { bmp, facts, picture, testDatasets } from './testDatasets.js';

test.each([
  ['My Cat!', 'my-cat'],
  ["Téo's  LoRA_2", 'téo-s-lora_2'],
  ['猫', '猫'],
  ['--a--', 'a'],
  ['ＡＢＣ', 'abc'],
  ['🐱', ''],
  ['../x', 'x'],
  ['𓀀'.repeat(60), '𓀀'.repeat(37)],
  ['猫'.repeat(80), '猫'.repeat(50)],
])('%s is kept in the folder %s', (typed, folder) => {
  expect(slug(typed)).toBe(folder);
});

test('whatever is typed becomes a good name or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (typed) => {
      const name = slug(typed);
      if (name !== '') expect(isDatasetName(name)).toBe(true);
      try {
        expect(isDatasetName(datasetNameFrom(typed))).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad_name', field: 'name' });
      }
    }),
    { numRuns: 2000 },
  );
  for (const name of ['..', '.', '', '.trash', 'a/b', 'a..b', '../x', 'a\0', 'a\n', ' a', 'x'.repeat(65)])
    expect(isDatasetName(name), name).toBe(false);
});

test('everything that would spoil a training is said before it starts, with the remedy', async () => {
  const { datasets } = await testDatasets();
  const folder = join(datasets, 'x');
  await mkdir(folder, { recursive: true });
  expect(checkDataset(await readDataset(datasets, 'x')).errors).toEqual([
    `x has no pictures. Upload some (.png, .jpg, .jpeg or .webp), or copy them to ${folder}.`,
  ]);
  await writeFile(join(folder, 'good.png'), await picture());
  await writeFile(join(folder, 'good.txt'), 'a cat');
  await writeFile(join(folder, 'notes.md'), 'mine');
  expect(checkDataset(await readDataset(datasets, 'x'))).toEqual({
    errors: [],
    warnings: ['There is only one picture. A LoRA learns more from several.'],
  });
  await writeFile(join(folder, 'broken.jpg'), 'no picture');
  await writeFile(join(folder, 'mixed.Png'), await picture());
  await writeFile(join(folder, 'plain.bmp'), bmp());
  await writeFile(join(folder, 'latin.webp'), await picture('webp'));
  await writeFile(join(folder, 'latin.txt'), Buffer.from('té', 'latin1'));
  await writeFile(join(folder, 'void.png'), await picture());
  await writeFile(join(folder, 'void.txt'), '');
  await writeFile(join(folder, 'lost.txt'), 'no picture of this name');
  const { errors, warnings } = checkDataset(await readDataset(datasets, 'x'));
  expect(errors).toEqual([
    expect.stringMatching(/^broken\.jpg can't be used: It is not a PNG, JPEG, WebP or HEIC picture/),
    expect.stringMatching(/^mixed\.Png can't be used: .*mixed case/),
    expect.stringMatching(/^latin\.txt can't be used as a caption: It is not UTF-8/),
    expect.stringMatching(/^void\.txt is empty/),
  ]);
  expect(warnings).toEqual([
    'broken.jpg, mixed.Png, plain.bmp have no caption: the trigger word is used instead.',
    "plain.bmp is a BMP, which Trackside can't check. The trainer may be able to read it; to be sure, save it as PNG or JPEG.",
    expect.stringMatching(/^lost\.txt has no picture of the same name/),
  ]);
});

test('a BMP that was put into a dataset by hand stops no start; one that is broken does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trackside-pillow-'));
  const python = join(folder, 'python');
  await writeFile(python, '#!/bin/sh\ncase "$2" in "import PIL") exit;; esac\nexec python3 "$@"\n', { mode: 0o755 });
  const { ask, draft, settings, leave } = appInProcess({ TRACKSIDE_PYTHON: python });
  onTestFinished(async () => {
    leave();
    await rm(folder, { recursive: true });
  });
  const path = join(settings.datasets, 'example', 'by-hand.bmp');
  const findings = async () => facts(await ask('/sessions/cat/preflight'));
  const page = async (path: string) => (await ask(path, { headers: { Accept: 'text/html' } })).text();
  await draft({ lora_name: 'cat' });
  await writeFile(path, bmp());
  expect(await findings()).toMatchObject({
    ready: true,
    warnings: expect.arrayContaining([expect.objectContaining({ message: expect.stringMatching(/^by-hand\.bmp is/) })]),
  });
  expect(await page('/datasets/example')).toMatch(/BMP, not checked/);
  await draft({ lora_name: 'dog' });
  await writeFile(path, 'no picture');
  expect(await findings()).toMatchObject({ ready: false, errors: [{ code: 'bad_dataset' }] });
});

test('the fingerprint changes with names, pictures and captions, and with nothing else', async () => {
  const { datasets } = await testDatasets();
  const folder = join(datasets, 'x');
  await mkdir(folder, { recursive: true });
  const print = async (name = 'x') => fingerprintDataset(await readDataset(datasets, name));
  const seen = [await print()];
  await writeFile(join(folder, 'a.png'), await picture());
  seen.push(await print());
  await writeFile(join(folder, 'a.txt'), 'a cat');
  seen.push(await print());
  await rename(join(folder, 'a.png'), join(folder, 'b.png'));
  seen.push(await print());
  expect(new Set(seen).size).toBe(4);
  await rename(folder, join(datasets, 'y'));
  expect(await print('y')).toBe(seen[3]);
  expect(seen[3]).toMatch(/^[0-9a-f]{16}$/);
});

test('hundreds of datasets are listed quickly, the one changed last first; files and hidden folders are none', async () => {
  const { datasets } = await testDatasets();
  expect(await listDatasets(datasets)).toEqual([]);
  await mkdir(join(datasets, '.trash'), { recursive: true });
  await writeFile(join(datasets, 'readme.txt'), 'x');
  await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      await mkdir(join(datasets, `d${i}`));
      await Promise.all(['a.png', 'a.txt', 'b.png'].map((file) => writeFile(join(datasets, `d${i}`, file), 'x')));
    }),
  );
  await writeFile(join(datasets, 'd7', 'c.png'), 'x');
  await utimes(join(datasets, 'd7'), new Date(), new Date(Date.now() + 5000));
  const began = performance.now();
  const list = await listDatasets(datasets);
  expect(performance.now() - began).toBeLessThan(1000 * BUSY);
  expect(list).toHaveLength(300);
  expect(list[0]).toMatchObject({ name: 'd7', images: 3, captions: 1, cover: 'a.png' });
});

test('the example is there on the first start, in an empty folder too, and never beside anything else', async () => {
  const { home, datasets } = await testDatasets();
  const example = join(home, 'shipped');
  await mkdir(example);
  await writeFile(join(example, 'a.png'), await picture());
  expect(await seedExample(datasets, join(home, 'none'))).toBe(false);
  await expect(stat(datasets)).rejects.toThrow();
  expect((await Promise.all([1, 2, 3].map(() => seedExample(datasets, example)))).filter(Boolean)).toEqual([true]);
  expect(await readFile(join(datasets, 'example', 'a.png'))).toEqual(await readFile(join(example, 'a.png')));
  await rename(join(datasets, 'example'), join(datasets, 'mine'));
  expect(await seedExample(datasets, example)).toBe(false);
  expect(await readdir(datasets)).toEqual(['mine']);
  expect((await readdir(home)).sort()).toEqual(['datasets', 'shipped']);
  const volume = join(home, 'volume');
  await mkdir(join(volume, 'lost+found'), { recursive: true });
  expect(await seedExample(volume, example)).toBe(true);
  expect((await readdir(volume)).sort()).toEqual(['example', 'lost+found']);
  await rename(join(volume, 'example'), join(volume, '.trash'));
  expect(await seedExample(volume, example)).toBe(false);
});
