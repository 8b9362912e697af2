import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Queue, QueueNode } from '../../sidecar/launchers/launcher.js';
import { gpusOfPlace, presetFor } from '../../sidecar/sessions/versions/preset.js';
import { memoryOfType, presetForGpus } from '../../sidecar/trainers/gpuPreset.js';
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

test('a driver that is broken is not called a machine without a GPU', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-preset-'));
  const says = '#!/bin/sh\necho "Failed to initialize NVML: Driver/library version mismatch"\nexit 18\n';
  writeFileSync(join(folder, 'nvidia-smi'), says, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
  const found = await presetFor({ launcher: 'local' }, { presets: flux }, {});
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  expect(found?.found).toMatch(/version mismatch/);
});

test('one that does not tell its memory is not called too small', () => {
  const found = presetForGpus(flux, [gpu('RTX 4090', 24_564), { name: 'Thor', memoryTotal: null }])?.found;
  expect(found).toMatch(/Thor does not report its memory\. Choose a preset/);
  expect(found).not.toContain('less than');
});

test.each([
  ['a100', 40],
  ['a100-sxm4-80gb', 80],
  ['a100_80g', 80],
  ['nvidia_h100_80gb_hbm3', 80],
  ['h200', 141],
  ['rtx4090', 24],
  ['v100', 16],
  ['l40s', 48],
  ['1g.10gb', 10],
  ['gpu', null],
  ['', null],
])('a cluster’s type of GPU, %s, tells its memory', (type, gib) => {
  expect(memoryOfType(type)).toBe(gib === null ? null : gib * 1024 ** 3);
});

test('the preset follows the partition and the type that are chosen on a cluster', () => {
  const node = (type: string | null) => ({ gpus: [{ type, total: 2, used: 0 }] }) as QueueNode;
  const queue = (name: string, nodes: QueueNode[], isDefault = false) => ({ name, isDefault, nodes }) as Queue;
  const queues = [queue('main', [node('v100'), node('h100')], true), queue('big', [node('h100')]), queue('cpu', [])];
  const chosen = (fields: object) => presetForGpus(flux, gpusOfPlace(queues, { ...fields }))?.vram;
  expect(chosen({})).toBe('16G');
  expect(chosen({ cluster_gpu_type: 'h100' })).toBe('48G');
  expect(chosen({ cluster_queue: 'big' })).toBe('48G');
  expect(chosen({ cluster_queue: 'cpu' })).toBe('CPU');
  expect(chosen({ cluster_gpus: '0' })).toBe('CPU');
  // Nothing is known of it: not the processor.
  expect(chosen({ cluster_queue: 'elsewhere' })).toBe('8G');
});
