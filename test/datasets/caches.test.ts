import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cachesAmong, clearCaches } from '../../sidecar/datasets/caches.js';

const caches = [
  'cat_0512x0768_flux.npz',
  'cat_flux_te.npz',
  'cat_te_outputs.npz',
  'cat.npz',
  'a cat_1024x1024_sdxl.npz',
  'cat_sd.npz',
  'cat_hi_te.npz',
];
const others = ['cat.png', 'cat.txt', 'a cat.webp', 'dog_flux.npz', 'measurements.npz', 'cat_notes.npz', 'cat.npz.txt'];

test('caches of a trainer are told from everything else beside the pictures', () => {
  expect(cachesAmong([...caches, ...others])).toEqual(caches);
});

test('clearing removes the caches alone', async () => {
  const root = mkdtempSync(join(tmpdir(), 'trackside-caches-'));
  const dataset = join(root, 'cats');
  mkdirSync(dataset);
  for (const file of [...caches, ...others]) writeFileSync(join(dataset, file), 'x');
  expect((await clearCaches(root, 'cats')).sort()).toEqual([...caches].sort());
  expect(readdirSync(dataset).sort()).toEqual([...others].sort());
  await expect(clearCaches(root, '../cats')).rejects.toThrow('There is no such dataset');
  expect(existsSync(dataset)).toBe(true);
  rmSync(root, { recursive: true });
});
