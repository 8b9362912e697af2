import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../sidecar/files/safetensors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Tensor = [dtype: string, shape: number[], from: number, to: number];

async function read(tensors: Tensor[], bytes = Math.max(0, ...tensors.map((tensor) => tensor[3]))) {
  const header = Object.fromEntries(
    tensors.map(([dtype, shape, from, to], index) => [`${index}`, { dtype, shape, data_offsets: [from, to] }]),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, 'w.safetensors');
  writeFileSync(path, Buffer.concat([length, text, Buffer.alloc(bytes, 1)]));
  const found = await readSafetensors(path);
  return typeof found === 'string' ? found : 'whole';
}

// As safetensors 0.8 takes or refuses them.
test.each<[string, Tensor[], string]>([
  ['one number', [['F32', [], 0, 4]], 'whole'],
  [
    'two beside each other',
    [
      ['F32', [2, 2], 0, 16],
      ['BF16', [4], 16, 24],
    ],
    'whole',
  ],
  [
    'two in another order',
    [
      ['BF16', [4], 16, 24],
      ['F32', [2, 2], 0, 16],
    ],
    'whole',
  ],
  [
    'an empty one among them',
    [
      ['F32', [0], 16, 16],
      ['F32', [4], 0, 16],
      ['F32', [1], 16, 20],
    ],
    'whole',
  ],
  [
    'eight bits',
    [
      ['F8_E4M3', [16], 0, 16],
      ['F8_E8M0', [2], 16, 18],
      ['BOOL', [2], 18, 20],
    ],
    'whole',
  ],
  ['half bytes', [['F4', [32], 0, 16]], 'whole'],
  ['complex numbers', [['C64', [2], 0, 16]], 'whole'],
  ['a type of tomorrow', [['F2_E1M0', [16], 0, 4]], 'whole'],
  ['no type at all', [['f32', [4], 0, 16]], 'has a broken header'],
  [
    'overlap',
    [
      ['F32', [4], 0, 16],
      ['F32', [4], 8, 24],
    ],
    'has a broken header',
  ],
  [
    'a gap',
    [
      ['F32', [4], 0, 16],
      ['F32', [4], 24, 40],
    ],
    'has a broken header',
  ],
  ['a gap at the beginning', [['F32', [4], 8, 24]], 'has a broken header'],
  ['more numbers than bytes', [['F32', [5], 0, 16]], 'has a broken header'],
  ['fewer numbers than bytes', [['F16', [4], 0, 16]], 'has a broken header'],
  ['an end before its beginning', [['F32', [4], 16, 0]], 'has a broken header'],
])('weights with %s are told as what they are', async (_, tensors, told) => {
  expect(await read(tensors)).toBe(told);
});
