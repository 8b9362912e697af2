import { expect, test } from 'vitest';
import { presetForGpus } from '../../sidecar/trainers/gpuPreset.js';
import { findFamily } from '../../sidecar/trainers/sdScripts/families.js';
import type { Family } from '../../sidecar/trainers/sdScripts/family.js';
import { presetsOf } from '../../sidecar/trainers/sdScripts/layers.js';

const flux = presetsOf(findFamily('sd-scripts/flux') as Family);
const gpu = (name: string, mebibytes: number) => ({ name, memoryTotal: mebibytes * 1024 * 1024 });

test.each([
  ['H100', 81_559, '48G'],
  ['RTX 4090', 24_564, '24G'],
  ['L4', 23_034, '24G'],
  ['RTX 4000 Ada', 20_475, '20G'],
  ['RTX 4080', 16_376, '16G'],
  ['T4', 15_360, '16G'],
  ['RTX 3060', 12_288, '12G'],
  ['RTX 3080', 10_240, '8G'],
])('%s with %d MiB begins with the preset %s', (name, mebibytes, vram) => {
  expect(presetForGpus(flux, [gpu(name, mebibytes)])?.vram).toBe(vram);
});

test('of several GPUs the smallest decides, for any of them may be the next free one', () => {
  const found = presetForGpus(flux, [gpu('RTX 4090', 24_564), gpu('RTX 3060', 12_288)]);
  expect(found).toEqual({ vram: '12G', found: 'This machine’s RTX 3060 has 12 GB.' });
});

test('one that is too small is said to be, and without any it trains on the processor', () => {
  expect(presetForGpus(flux, [gpu('GTX 1050', 4096)])).toMatchObject({
    vram: '8G',
    found: expect.stringMatching(/less than/),
  });
  expect(presetForGpus(flux, [])).toEqual({ vram: 'CPU', found: 'No GPU was found on this machine.' });
});

test('one that does not tell its memory is not called too small', () => {
  const found = presetForGpus(flux, [gpu('RTX 4090', 24_564), { name: 'Thor', memoryTotal: null }])?.found;
  expect(found).toMatch(/Thor does not tell its memory: choose a preset/);
  expect(found).not.toContain('less than');
});
