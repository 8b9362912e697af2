import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertDataset } from '../../sidecar/datasets/convert.js';
import { readDataset } from '../../sidecar/datasets/read.js';
import { projectRoot } from '../sidecar.js';

let place: string;
let root: string;
let folder: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'trackside-convert-'));
  root = join(place, 'datasets');
  folder = join(root, 'photos');
  mkdirSync(folder, { recursive: true });
});
afterAll(() => rmSync(place, { recursive: true }));

/** Red on the left, blue on the right. */
function halves(width: number, height: number): Sharp {
  const half = { width: width / 2, height, channels: 3 } as const;
  const blue = { create: { ...half, background: '#0000ff' } };
  return sharp({ create: { ...half, width, background: '#ff0000' } }).composite([
    { input: blue, left: width / 2, top: 0 },
  ]);
}

/** As the practice trainer reads it, with the Python of this machine and no Pillow. */
function corners(path: string): { size: [number, number]; first: number[]; last: number[] } {
  const script = `
import json, sys
sys.modules["PIL"] = None
from pathlib import Path
from trackside._practice.pictures import picture_size, read_rgb
rows = read_rgb(Path(sys.argv[1]))
print(json.dumps({"size": picture_size(Path(sys.argv[1])), "first": list(rows[0][:3]), "last": list(rows[-1][-3:])}))`;
  const env = { ...process.env, PYTHONPATH: join(projectRoot, 'trainer-bridge') };
  return JSON.parse(execFileSync('python3', ['-c', script, path], { env, encoding: 'utf8' }));
}

const given: Record<string, () => Promise<Buffer>> = {
  // Turned by a quarter: the left side is on top.
  'turned.jpg': () => halves(400, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  'phone.jpg': () => halves(4032, 3024).jpeg().toBuffer(),
  'print.jpg': () => halves(400, 300).toColourspace('cmyk').jpeg().toBuffer(),
  'web.webp': () => halves(400, 300).webp({ lossless: true }).toBuffer(),
  'deep.png': () => halves(400, 300).toColourspace('rgb16').png().toBuffer(),
  'laced.png': () => halves(400, 300).png({ progressive: true }).toBuffer(),
  'huge.png': () => halves(2000, 1500).png().toBuffer(),
  'plain.png': () => halves(400, 300).png().toBuffer(),
};

/** Printed colours are duller. */
const strongest = (colour: number[]) => ['red', 'green', 'blue'][colour.indexOf(Math.max(...colour))];

test('pictures of phones, cameras and printers become what a trainer without Pillow reads, upright, and none is touched', async () => {
  for (const [file, make] of Object.entries(given)) writeFileSync(join(folder, file), await make());
  writeFileSync(join(folder, 'turned.txt'), 'a flag');
  const before = Object.keys(given).map((file) => readFileSync(join(folder, file)));
  const into = join(place, 'pictures');
  await convertDataset(root, await readDataset(root, 'photos'), into, 512);
  for (const file of Object.keys(given)) {
    const { size, first, last } = corners(join(into, file));
    expect([file, strongest(first), strongest(last)]).toEqual([file, 'red', 'blue']);
    const wanted =
      file === 'turned.jpg' ? [300, 400] : ['phone.jpg', 'huge.png'].includes(file) ? [683, 512] : [400, 300];
    expect([file, size]).toEqual([file, wanted]);
  }
  expect(readFileSync(join(into, 'turned.txt'), 'utf8')).toBe('a flag');
  expect(lstatSync(join(into, 'plain.png')).isSymbolicLink()).toBe(true);
  expect(
    Object.keys(given).map((file) => readFileSync(join(folder, file)).equals(before.shift() as Buffer)),
  ).not.toContain(false);
});

test('a second time only what changed is converted, and what is gone from the dataset is gone', async () => {
  const into = join(place, 'pictures');
  const written = () => statSync(join(into, 'web.webp')).ctimeMs;
  const before = written();
  rmSync(join(folder, 'phone.jpg'));
  writeFileSync(join(folder, 'print.jpg'), await halves(200, 100).jpeg().toBuffer());
  await convertDataset(root, await readDataset(root, 'photos'), into, 512);
  expect(written()).toBe(before);
  expect(existsSync(join(into, 'phone.jpg'))).toBe(false);
  expect(corners(join(into, 'print.jpg')).size).toEqual([200, 100]);
});
