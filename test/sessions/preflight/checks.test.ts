import { describe, expect, test } from 'vitest';
import { checkGpuMemory, checkSharedMemory } from '../../../sidecar/sessions/preflight/memory.js';
import { checkSaves } from '../../../sidecar/sessions/preflight/saves.js';
import { checkSpace, loraParameters, saveSizes, spaceNeeded } from '../../../sidecar/sessions/preflight/space.js';
import { savesKept } from '../../../sidecar/trainers/expectedSaves.js';
import { cpuPreset } from '../../../sidecar/trainers/sdScripts/presets.js';

const GiB = 2 ** 30;
const codes = (found: { code: string }[]) => found.map(({ code }) => code);

describe('what could not be resumed is said', () => {
  const settings = { enable_checkpointing: true, max_train_epochs: 10, save_every_n_epochs: 2 };
  test.each([
    ['saves in time', {}, {}, []],
    ['no states', { enable_checkpointing: false }, {}, ['cannot_be_resumed']],
    ['a state without an interval', { save_every_n_epochs: 10 }, {}, ['saves_too_late']],
    ['saves by steps', { save_every_n_epochs: 10 }, { save_every_n_steps: 100 }, []],
    ['by more steps than there are', { save_every_n_epochs: 10 }, { save_every_n_steps: 1000 }, ['saves_too_late']],
  ])('%s', (_, change, flags, expected) => {
    expect(codes(checkSaves({ ...settings, ...change }, flags, 100))).toEqual(expected);
  });

  test.each([
    // The last epoch gets no file of its own, and the final one always comes.
    ['every second of ten epochs', {}, { from: 1 }, 5],
    ['resumed in the middle', {}, { from: 7 }, 2],
    ['the last two only', { save_last_n_epochs: 2 }, { from: 1 }, 3],
    ['every fifty steps of a thousand', { save_every_n_steps: 50 }, { from: 1 }, 25],
    ['those of the last hundred steps', { save_every_n_steps: 50, save_last_n_steps: 100 }, { from: 1 }, 8],
  ])('saves kept: %s', (_, flags, run, expected) => {
    expect(savesKept(settings, flags, { stepsPerEpoch: 100, ...run })).toBe(expected);
  });
});

describe('room on the disk', () => {
  test('one save more than are kept, for the old one goes only after the new one', () => {
    expect(spaceNeeded({ checkpoint: 40e6, state: 240e6 }, 3, 10e6)).toBe(4 * 280e6 + 10e6);
  });

  test('weights as they are saved, and a state of three times the weights in 32 bits', () => {
    const known = { parameters: 10e6, bytesPerValue: 2, savesStates: true, seen: {} };
    expect(saveSizes(known)).toEqual({ checkpoint: 20e6, state: 120e6 });
    expect(saveSizes({ ...known, savesStates: false })).toEqual({ checkpoint: 20e6, state: 0 });
    expect(saveSizes({ ...known, seen: { checkpoint: 7, state: 9 } })).toEqual({ checkpoint: 7, state: 9 });
    expect(saveSizes({ ...known, parameters: null })).toBeNull();
  });

  test('too little is an error with its remedy', () => {
    expect(checkSpace(5e9, 6e9, '/outputs')).toEqual([]);
    expect(checkSpace(6e9, 5e9, '/outputs')[0]).toMatchObject({ severity: 'error', code: 'disk_space' });
    expect(checkSpace(6e9, 5e9, '/outputs')[0]?.message).toContain(
      'has 5.0 GB free, but this training writes up to 6.0 GB',
    );
  });

  test('a LoRA of rank 4 on two layers: 4 × (inputs + outputs) of each', () => {
    const places = [
      { name: 'attn.to_k.weight', shape: [320, 768] },
      { name: 'proj_in.weight', shape: [320, 320, 1, 1] },
      { name: 'conv.weight', shape: [320, 4, 3, 3] },
      { name: 'token_embedding.weight', shape: [49408, 768] },
      { name: 'norm.weight', shape: [320] },
    ];
    expect(loraParameters(places, 4)).toBe(4 * (320 + 768) + 4 * (320 + 320));
  });
});

describe('memory', () => {
  const gpu = { index: 0, name: 'L4', driver: '550', memoryTotal: 24 * GiB, memoryFree: 23.5 * GiB };
  const preset = (gib: number) => ({ vram: `${gib}G`, gib, label: `${gib} GB`, why: '' });
  test.each([
    ['it fits', [gpu], [0], preset(24), []],
    ['a larger preset than the GPU', [gpu], [0], preset(48), ['gpu_too_small']],
    ['another program on it', [{ ...gpu, memoryFree: 2 * GiB }], [0], preset(24), ['gpu_in_use']],
    ['on another GPU', [gpu, { ...gpu, index: 1, memoryFree: 0 }], [0], preset(24), []],
    ['no GPU', [], [], preset(24), ['no_gpu']],
    ['no GPU asked for', [], [], preset(0), []],
  ])('of the GPU: %s', (_, gpus, chosen, wanted, expected) => {
    expect(codes(checkGpuMemory({ gpus, missing: null }, chosen, wanted))).toEqual(expected);
  });

  test('without a GPU, the choice that trains without one is called as on the form', () => {
    const [finding] = checkGpuMemory({ gpus: [], missing: null }, [], preset(24));
    expect(finding?.message).toContain(`“${cpuPreset.label}”`);
  });

  test('64 MB of /dev/shm are too little for workers with large pictures, and enough for none', () => {
    const loading = { workers: 4, batchSize: 1, resolution: 1024 };
    expect(codes(checkSharedMemory(64e6, loading))).toEqual(['small_shm']);
    expect(checkSharedMemory(64e6, { ...loading, workers: 0 })).toEqual([]);
    expect(checkSharedMemory(8e9, loading)).toEqual([]);
    expect(checkSharedMemory(null, loading)).toEqual([]);
  });
});
