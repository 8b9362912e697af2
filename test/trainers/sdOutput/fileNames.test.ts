import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SavedAt } from '../../../sidecar/trainers/dialect.js';
import {
  checkpointName,
  outputNameBehind,
  readCheckpointName,
  readSampleName,
  readStateName,
} from '../../../sidecar/trainers/sdOutput/fileNames.js';

test.each<[SavedAt, string, string]>([
  [{ kind: 'epoch', number: 4 }, 'cat-000004.safetensors', 'cat-000004-state'],
  [{ kind: 'step', number: 500 }, 'cat-step00000500.safetensors', 'cat-step00000500-state'],
  [{ kind: 'final', number: null }, 'cat.safetensors', 'cat-state'],
])('%o is written and read as sd-scripts names it', (at, checkpoint, state) => {
  expect(checkpointName('cat', at)).toBe(checkpoint);
  expect(readCheckpointName(checkpoint, 'cat')).toEqual(at);
  expect(readStateName(state, 'cat')).toEqual(at);
  expect(outputNameBehind(checkpoint)).toBe('cat');
  expect(outputNameBehind(state)).toBe('cat');
});

test('files of another LoRA are left alone', () => {
  for (const file of [
    'cat2.safetensors',
    'cat-v2-000004.safetensors',
    'cat-00004.safetensors',
    'cat.ckpt',
    '.safetensors',
  ]) {
    expect(readCheckpointName(file, 'cat')).toBeNull();
  }
  expect(readStateName('cat-000004.safetensors', 'cat')).toBeNull();
  expect(outputNameBehind('training.log')).toBeNull();
});

test('a name may hold any character', () => {
  const at = fc.oneof(
    fc.record({ kind: fc.constant('epoch' as const), number: fc.integer({ min: 0, max: 10_000_000 }) }),
    fc.record({ kind: fc.constant('step' as const), number: fc.integer({ min: 0, max: 1_000_000_000 }) }),
    fc.constant({ kind: 'final' as const, number: null }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), at, (name, saved) => {
      expect(readCheckpointName(checkpointName(name, saved), name)).toEqual(saved);
      expect(readStateName(checkpointName(name, saved).replace(/\.safetensors$/, '-state'), name)).toEqual(saved);
    }),
  );
  expect(readCheckpointName('a.c-000001.safetensors', 'abc')).toBeNull();
  expect(readCheckpointName('(a+)$-000001.safetensors', '(a+)$')).toEqual({ kind: 'epoch', number: 1 });
});

test.each([
  ['mylora_e000001_00_20261122012415_42.png', { outputName: 'mylora', epoch: 1, step: null, prompt: 0, seed: '42' }],
  ['mylora_e000003_01_20261122015446.png', { outputName: 'mylora', epoch: 3, step: null, prompt: 1, seed: null }],
  ['my_lora_000250_11_20261122015446.png', { outputName: 'my_lora', epoch: null, step: 250, prompt: 11, seed: null }],
  ['e000000_00_20261122015446_9007199254740993.png', { outputName: '', epoch: 0, seed: '9007199254740993' }],
])('sample %s', (file, expected) => {
  expect(readSampleName(file)).toMatchObject(expected);
});

test('other pictures are no samples', () => {
  for (const file of ['cat.png', 'mylora_e1_00_20261122012415.png', 'mylora_e000001_00_20261122012415.jpg']) {
    expect(readSampleName(file)).toBeNull();
  }
});
