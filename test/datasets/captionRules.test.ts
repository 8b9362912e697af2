import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { captionText, notText } from '../../sidecar/datasets/caption.js';
import { facts, picture, testDatasets } from './testDatasets.js';

/** A dataset `x` of these captions, each with the pictures that are named after it or given. */
async function captioned(captions: Record<string, string | Buffer>, pictures = Object.keys(captions)) {
  const test = await testDatasets();
  const folder = join(test.datasets, 'x');
  await mkdir(folder, { recursive: true });
  for (const name of pictures) await writeFile(join(folder, `${name}.png`), await picture());
  for (const [name, text] of Object.entries(captions)) await writeFile(join(folder, `${name}.txt`), text);
  return test;
}

test('captions of which a trainer reads one line are named, with what it reads', async () => {
  const { detail } = await captioned({
    blank: '\r\n \r\na dog',
    ended: 'a dog\n\n \n',
    mac: 'a dog\ron a sofa',
    two: 'a dog\non a sofa\n',
    one: 'a dog',
  });
  const { errors, warnings } = await detail('x');
  expect(errors).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(/^Only the first line of mac\.txt, two\.txt is trained \(with enable_wildcard/),
    expect.stringMatching(/^blank\.txt begins with a blank line, .* as an empty caption/),
  ]);
});

test('UTF-16 is told with and without its mark, and so is other text with NUL bytes; neither can be uploaded', async () => {
  const swapped = Buffer.from('a cat on a sofa', 'utf16le').swap16();
  const texts = {
    big: swapped,
    little: Buffer.from('a cat on a sofa', 'utf16le'),
    marked: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('猫', 'utf16le')]),
    nul: 'a cat\0\0\0',
    good: 'a cat, 猫',
  };
  const { detail, ask } = await captioned(texts);
  const { errors } = await detail('x');
  expect(errors).toEqual([
    expect.stringContaining("big.txt can't be used as a caption: It is UTF-16"),
    expect.stringContaining("little.txt can't be used as a caption: It is UTF-16"),
    expect.stringContaining("marked.txt can't be used as a caption: It is UTF-16"),
    expect.stringContaining("nul.txt can't be used as a caption: It is not UTF-8 text: it holds NUL bytes"),
  ]);
  const refused = await ask('PUT', '/datasets/x/captions/good', swapped);
  expect(refused.status).toBe(422);
  expect((await facts(refused)).error.message).toMatch(/^good\.txt is UTF-16, not UTF-8 text/);
});

test('a crop of a face takes the caption of its photo, as sd-scripts does, unless it has its own', async () => {
  const pictures = ['cat_40_40_20_1', 'cat_40_40_20_2', 'my_very_best_photo_ever', 'a_b_c'];
  const captions = { cat: 'a cat', cat_40_40_20_2: 'its face', my: '', lonely: 'no picture', a: 'not a crop' };
  const { detail } = await captioned(captions, pictures);
  const { files, errors, orphan_captions, captions: count } = await detail('x');
  const read = files.map(({ stem, caption }: { stem: string; caption: string | null }) => [stem, caption]);
  expect(Object.fromEntries(read)).toEqual({
    a_b_c: null,
    cat_40_40_20_1: 'a cat',
    cat_40_40_20_2: 'its face',
    my_very_best_photo_ever: '',
  });
  expect(errors).toEqual([expect.stringMatching(/^my\.txt is empty/)]);
  expect(orphan_captions).toEqual(['a.txt', 'lonely.txt']);
  expect(count).toBe(3);
});

test.each<[Buffer, string]>([
  [Buffer.from('fffe00006100000062000000', 'hex'), 'UTF-32, not UTF-8 text'],
  [Buffer.from('0000feff00000061', 'hex'), 'UTF-32, not UTF-8 text'],
  [Buffer.from('cat\0'), 'not UTF-8 text: it holds NUL bytes'],
  [Buffer.from('cat', 'utf16le'), 'UTF-16, not UTF-8 text'],
  [Buffer.from('00630061', 'hex'), 'UTF-16, not UTF-8 text'],
  [Buffer.from('caf\xe9', 'latin1'), 'not UTF-8 text'],
])('a caption of the bytes %j is told as what it is', (bytes, words) => {
  expect(captionText(bytes)).toBeNull();
  expect(notText(bytes)).toBe(words);
});
