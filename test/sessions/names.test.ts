import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanJson } from '../../sidecar/files/exactJson.js';
import { Problem } from '../../sidecar/problem.js';
import { folderName, isSessionName, nextVersion } from '../../sidecar/sessions/names.js';
import { outputName } from '../../sidecar/sessions/status/outputName.js';
import { defaultDialect } from '../../sidecar/trainers/dialects.js';
import { flagValue } from '../../sidecar/trainers/trainingCommand.js';

test.each([
  ['My Cat!', 'my-cat'],
  ['../x', 'x'],
  ["Lotte's  Katze", 'lotte-s-katze'],
  ['Кошка 1', 'кошка-1'],
  ['猫', '猫'],
  ['a/b\\c', 'a-b-c'],
  ['.hidden', 'hidden'],
])('the folder of %s is %s', (typed, folder) => {
  expect(folderName(typed)).toBe(folder);
});

test.each(['', '  ', '...', '/', '🐈'])('a name of %j is refused for its field', (typed) => {
  expect(() => folderName(typed)).toThrow(Problem);
});

test.each(['_tmp', "cat's", 'cat+dog', '[cats] (2), & more @home~', 'n'.repeat(150), '猫'])(
  'an output folder %s that other tools made is served',
  (name) => expect(isSessionName(name)).toBe(true),
);

test.each(['-rf', 'a\nb', 'a\u202eb', 'caf\ufffd', 'x ', 'a\\b', 'n'.repeat(201)])(
  'an output folder %j is not',
  (name) => expect(isSessionName(name)).toBe(false),
);

test('whatever is typed, the folder is a name that is served, and stays inside the root', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
      try {
        expect(isSessionName(folderName(typed))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
  );
  for (const name of ['..', '.', '', 'a/b', 'a\0b', '.x', 'a..b', ' x', '../x'])
    expect(isSessionName(name)).toBe(false);
});

test.each(['Katarina (LoL) person', '[wip] cat', '_backup', "o'hara, v2 & co", 'नमस्ते', 'x'.repeat(150)])(
  'a folder called %s is found',
  (name) => expect(isSessionName(name)).toBe(true),
);

test.each([
  ['cat', [], 1],
  ['cat', ['cat'], 2],
  ['cat', ['cat', 'cat-v2', 'cat-v5'], 6],
  ['cat', ['cat-v3'], 4],
  ['cat', ['cats', 'cat-vx', 'bobcat'], 1],
])('the next version of %s beside %j is %i', (base, folders, version) => {
  expect(nextVersion(base, folders)).toBe(version);
});

test('the output name is what the last start was given, else what the files say', () => {
  expect(outputName(defaultDialect, 'folder', null, ['folder-000001.safetensors'])).toBe('folder');
  expect(
    outputName(defaultDialect, 'folder', null, ['lora-000001.safetensors', 'lora.safetensors', 'lora-000001-state']),
  ).toBe('lora');
  expect(outputName(defaultDialect, 'folder', null, ['x.png'])).toBe('folder');
  expect(flagValue(['a.py', '--output_name=x', '--output_name', 'y'], '--output_name')).toBe('y');
  expect(flagValue(['a.py', '--output_name_x=1'], '--output_name')).toBeNull();
});

test.each([
  ['{"seed": 9007199254740993}', '9007199254740993'],
  ['{"seed": 42, "text": "12345678901234567890"}', null],
  ['[-12345678901234567890]', '-12345678901234567890'],
  ['{"a": 1.12345678901234567890}', null],
  ['{"a\\"1": 9007199254740991}', null],
])('in %s the integer that cannot be held is %s', (json, found) => {
  expect(scanJson(json).number?.split(' ')[0] ?? null).toBe(found);
});
