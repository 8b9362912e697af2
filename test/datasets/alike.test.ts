import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { likeness, NEAR } from '../../sidecar/datasets/alike.js';
import { miniature } from '../../sidecar/datasets/picture.js';
import { exampleDataset } from '../sidecar.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-alike-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const pictures = readdirSync(exampleDataset).filter((file) => file.endsWith('.png'));

const copies: Record<string, (picture: Sharp) => Sharp> = {
  half: (picture) => picture.resize(128).png(),
  larger: (picture) => picture.resize(900).png(),
  packed: (picture) => picture.jpeg({ quality: 40 }),
  web: (picture) => picture.webp({ quality: 50 }),
  darker: (picture) => picture.modulate({ brightness: 0.85 }).png(),
  grey: (picture) => picture.greyscale().png(),
};

test('pictures of one style, each of another place, do not look alike, and copies of one do', async () => {
  const looks = await Promise.all(pictures.map((file) => miniature(join(exampleDataset, file))));
  const between = looks.flatMap((one, at) => looks.slice(at + 1).map((other) => likeness(one, other)));
  const within: number[] = [];
  for (const [at, file] of pictures.entries())
    for (const [name, copy] of Object.entries(copies)) {
      const path = join(folder, `${name}-${file}`);
      writeFileSync(path, await copy(sharp(join(exampleDataset, file))).toBuffer());
      within.push(likeness(looks[at] as Float32Array, await miniature(path)));
    }
  expect(Math.min(...within)).toBeGreaterThan(NEAR);
  expect(Math.max(...between)).toBeLessThan(NEAR);
});
