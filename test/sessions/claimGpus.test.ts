import { describe, expect, test } from 'vitest';
import type { Gpus } from '../../sidecar/processes/gpus.js';
import { gpuHolders, pickGpus } from '../../sidecar/sessions/claimGpus.js';
import type { SessionFacts } from '../../sidecar/sessions/facts.js';

const two: Gpus = {
  missing: null,
  gpus: [0, 1].map((index) => ({ index, name: 'L4', driver: '550', memoryTotal: 24e9, memoryFree: 23e9 })),
};
const none: Gpus = { gpus: [], missing: 'No GPU was found: nvidia-smi is not installed.' };
const free = new Map<number, string>();

describe('which GPUs a session gets', () => {
  test.each([
    ['', two, free, [0]],
    ['', two, new Map([[0, 'cat']]), [1]],
    ['1', two, new Map([[0, 'cat']]), [1]],
    ['1, 0', two, free, [0, 1]],
    ['all', two, free, [0, 1]],
    ['', none, free, []],
    ['all', none, free, []],
  ])('asked for “%s”', (asked, found, holders, expected) => {
    expect(pickGpus(asked, found, holders)).toEqual(expected);
  });

  test('one that another session has is refused, with the way to that session', () => {
    const holders = new Map([[1, 'my cat']]);
    const taken = { code: 'gpu_busy', about: { session: 'my cat' } };
    expect(() => pickGpus('1', two, holders)).toThrow(expect.objectContaining(taken));
    expect(() => pickGpus('all', two, holders)).toThrow(expect.objectContaining(taken));
    const all = new Map([...holders, [0, 'dog'] as const]);
    expect(() => pickGpus('', two, all)).toThrow('GPU 0 is in use by dog.');
  });

  test('one that is not there is refused, and those that are there are named', () => {
    expect(() => pickGpus('3', two, free)).toThrow('This machine has no GPU 3. It has 0 (L4), 1 (L4).');
    expect(() => pickGpus('0', none, free)).toThrow('This machine has no GPU 0. No GPU was found');
    expect(() => pickGpus('first', two, free)).toThrow('is not a list of GPUs');
  });
});

test('a session has its GPUs as long as its newest attempt lives', () => {
  const session = (name: string, ...attempts: { alive: boolean; gpus: number[]; host?: string }[]) =>
    ({ name, attempts: attempts.map((each) => ({ host: null, ...each })) }) as unknown as SessionFacts;
  const sessions = [
    session('cat', { alive: false, gpus: [0] }, { alive: true, gpus: [1] }),
    session('dog', { alive: false, gpus: [0] }),
    session('draft'),
    session('on another host', { alive: true, gpus: [0], host: 'pod-b' }),
  ];
  expect(gpuHolders(sessions)).toEqual(new Map([[1, 'cat']]));
});
