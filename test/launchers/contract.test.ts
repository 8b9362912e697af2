import { expect, test } from 'vitest';
import { contract } from '../../sidecar/bridge.js';
import { attemptSchema } from '../../sidecar/launchers/attemptFile.js';

const values: [type: string, value: unknown][] = [
  ['text', 'a'],
  ['texts', ['a', '']],
  ['integer', 2],
  ['boolean', true],
  ['null', null],
];

test('the fields that are read of attempt.json are those of the contract', () => {
  expect(Object.keys(attemptSchema.shape).sort()).toEqual(Object.keys(contract.attempt).sort());
});

test.each(Object.entries(contract.attempt))('%s is read as the contract says: %j', (name, type) => {
  const field = attemptSchema.shape[name as keyof typeof attemptSchema.shape];
  const reads = (value: unknown) => field.safeParse(value).success;
  if (typeof type !== 'string') {
    expect([...type, 'another', 2].map(reads)).toEqual([...type.map(() => true), false, false]);
    return;
  }
  const read = values.flatMap(([of, value]) => (reads(value) ? of : []));
  const kind = type.replace('?', '').replace('number', 'integer');
  expect(read).toEqual(type.endsWith('?') ? [kind, 'null'] : [kind]);
});
