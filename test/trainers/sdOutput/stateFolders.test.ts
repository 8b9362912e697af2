import { chmod, copyFile, mkdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readStateFolders } from '../../../sidecar/trainers/sdOutput/stateFolders.js';
import { copyState, dateState, STATE_FILES, temporaryFolder } from '../fixtures.js';

const NOON = new Date('2026-11-22T12:00:00Z');
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let state: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  state = join(folder.path, 'cat-000001-state');
  await copyState(state, NOON);
});
afterEach(() => folder.remove());

async function only(options = {}) {
  const states = await readStateFolders(folder.path, 'cat', options);
  expect(states).toHaveLength(1);
  return states[0];
}

test('a state folder that sd-scripts wrote is complete', async () => {
  expect(await only()).toEqual({
    name: 'cat-000001-state',
    kind: 'epoch',
    number: 1,
    currentEpoch: 1,
    currentStep: 8,
    seenSteps: 8,
    exact: null,
    bytes: 1_852_684,
    savedAtMs: NOON.getTime(),
    complete: true,
    reason: null,
  });
});

describe('a save that was cut off', () => {
  test.each(STATE_FILES)('before %s: the folder is passed over', async (name) => {
    for (const later of STATE_FILES.slice(STATE_FILES.indexOf(name))) await rm(join(state, later));
    expect(await only()).toMatchObject({ complete: false, reason: `${name} is missing` });
  });

  test.each(STATE_FILES)('as %s was opened: the folder is passed over', async (name) => {
    await truncate(join(state, name));
    await dateState(state, NOON);
    expect(await only()).toMatchObject({ complete: false, reason: `${name} is empty` });
  });

  test.each([
    ['train_state.json', 20, 'train_state.json cannot be read'],
    ['model.safetensors', 5, 'model.safetensors is cut short'],
    ['model.safetensors', 1000, 'model.safetensors is cut short'],
    ['model.safetensors', 558_879, 'model.safetensors is cut short'],
    ['optimizer.bin', 1_277_802, 'optimizer.bin is cut short'],
    ['optimizer.bin', 10, 'optimizer.bin is cut short'],
    ['scheduler.bin', 1000, 'scheduler.bin is cut short'],
    ['random_states_0.pkl', 14_000, 'random_states_0.pkl is cut short'],
  ])('in %s after %i bytes: the folder is passed over', async (name, bytes, reason) => {
    await truncate(join(state, name), bytes);
    await dateState(state, NOON);
    expect(await only()).toMatchObject({ complete: false, reason });
  });

  test('over an older folder of the same name, it leaves whole files of two saves: passed over', async () => {
    const later = new Date(NOON.getTime() + 60_000);
    await utimes(join(state, 'train_state.json'), later, later);
    await utimes(join(state, 'model.safetensors'), later, later);
    const found = await only();
    expect(found?.complete).toBe(false);
    expect(found?.reason).toMatch(/^optimizer\.bin is older than model\.safetensors/);
  });

  test('leaves a stray temporary file, which harms nothing once the save is done', async () => {
    await writeFile(join(state, '.tmpA1b2C3'), 'x');
    expect(await only()).toMatchObject({ complete: true });
  });
});

test('the folder that is being written is not complete, whatever it holds', async () => {
  expect(await only({ writingNow: state })).toMatchObject({ complete: false, reason: 'it is being written now' });
  expect(await only({ writingNow: `${state}-other` })).toMatchObject({ complete: true });
});

test('a training in fp16 needs its gradient scaler', async () => {
  expect(await only({ argv: ['a.py', '--mixed_precision=fp16'] })).toMatchObject({
    complete: false,
    reason: 'scaler.pt is missing',
  });
  await copyFile(join(state, 'scheduler.bin'), join(state, 'scaler.pt'));
  await utimes(join(state, 'scaler.pt'), NOON, NOON);
  expect(await only({ argv: ['a.py', '--mixed_precision=fp16'] })).toMatchObject({ complete: true });
});

test('train_state.json with other things than whole numbers is not believed', async () => {
  await writeFile(join(state, 'train_state.json'), '{"current_epoch": "1", "current_step": 8}');
  await dateState(state, NOON);
  expect(await only()).toMatchObject({ complete: false, currentEpoch: null, currentStep: null });
});

test('newest first, by the end of the save and never by the number in the name', async () => {
  await copyState(join(folder.path, 'cat-step00000005-state'), new Date(NOON.getTime() + 60_000));
  await copyState(join(folder.path, 'cat-000009-state'), new Date(NOON.getTime() - 60_000));
  await copyState(join(folder.path, 'cat-state'), new Date(NOON.getTime() + 30_000));
  const names = (await readStateFolders(folder.path, 'cat')).map(({ name, kind, number }) => [name, kind, number]);
  expect(names).toEqual([
    ['cat-step00000005-state', 'step', 5],
    ['cat-state', 'final', null],
    ['cat-000001-state', 'epoch', 1],
    ['cat-000009-state', 'epoch', 9],
  ]);
});

test('folders of another LoRA, files and links to nowhere are no states', async () => {
  await mkdir(join(folder.path, 'dog-000001-state'));
  await writeFile(join(folder.path, 'cat-000002-state'), '');
  await only();
  expect(await readStateFolders(join(folder.path, 'nowhere'), 'cat')).toEqual([]);
});

test('an empty folder is named, not hidden', async () => {
  await rm(state, { recursive: true });
  await mkdir(state);
  expect(await only()).toMatchObject({ complete: false, reason: 'train_state.json is missing', bytes: 0 });
});

test.skipIf(process.getuid?.() === 0)('a folder that may not be read says so and hides no other', async () => {
  await copyState(join(folder.path, 'cat-000002-state'), NOON);
  await chmod(join(state, 'model.safetensors'), 0);
  const states = await readStateFolders(folder.path, 'cat');
  expect(states.map(({ complete }) => complete).sort()).toEqual([false, true]);
});

test('reading changes nothing', async () => {
  const before = await readFile(join(state, 'train_state.json'), 'utf8');
  await only();
  expect(await readFile(join(state, 'train_state.json'), 'utf8')).toBe(before);
});
