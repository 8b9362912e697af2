import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainEnd } from '../../../sidecar/trainers/causes/explainEnd.js';
import { CORPUS } from './corpus.js';
import {
  bars,
  box,
  CAUSED,
  DURING,
  elastic,
  failed,
  ignored,
  inWorker,
  launched,
  launcher,
  type Row,
  TRAINING,
  traceback,
} from './logs.js';

/** An end that nobody knows has the code of its words, or none. */
const known = (code: string | null) => (code === null || /^(?:exception|exit):/.test(code) ? null : code);

describe.each(Object.entries(CORPUS))('why it ended: %s', (_, rows) => {
  test.each(rows.map((row): [string, Row] => [row.name, row]))(
    '%s',
    (_name, { log, exit = failed, argv = [], ...expected }) => {
      const { code, words, again } = explainEnd(log, exit, { argv });
      expect([expected.code].flat(), words ?? '').toContain(known(code));
      if (expected.says) expect(words).toMatch(expected.says);
      if (expected.not) expect(words ?? '').not.toMatch(expected.not);
      if (expected.again !== undefined) expect(again).toBe(expected.again);
    },
  );
});

const PIECES = [
  TRAINING,
  '\n',
  '\r',
  ' ',
  "'",
  '"',
  '| ',
  '  + ',
  'Traceback (most recent call last):\n',
  'Original Traceback (most recent call last):\n',
  '  + Exception Group Traceback (most recent call last):\n',
  '  File "/a.py", line 1, in f\n',
  '    | ValueError: x\n',
  'KeyError: 1\n',
  DURING,
  CAUSED,
  launcher(-9),
  elastic(),
  box('KeyError: 1'),
  inWorker('KeyError: 1'),
  ignored('x', 'KeyError: 1'),
  bars(1, 3),
  'usage: x.py\nx.py: error: no\n',
  "terminate called after throwing an instance of 'x'\n  what():  y\n",
  '[rank7]: ',
  '[2024-09-08 16:11:06] [INFO] ',
  '2026-02-03 10:11:12 INFO     ',
  '\u0000\ufffd\u001b[31m',
];

test('any text has an explanation, and quickly', () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary' })), { maxLength: 60 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 255 }), (pieces, code) => {
      const { words, again } = explainEnd(pieces.join(''), { ...failed, code });
      expect((words ?? '').length).toBeLessThan(3000);
      expect([null, 'repeats', 'by hand']).toContain(again);
    }),
    { numRuns: 300 },
  );
});

/** Of the processor: other tests may be busy beside it. */
function milliseconds(log: string): number {
  const began = process.cpuUsage();
  explainEnd(log, failed);
  return process.cpuUsage(began).user / 1000;
}

const filled = (piece: string, bytes = 4 << 20) => piece.repeat(Math.ceil(bytes / piece.length));
const numbered = (line: string) =>
  Array.from({ length: (4 << 20) / (line.length + 4) }, (_, at) => line.replaceAll('%', String(at % 10_000))).join('');

describe('no log holds it up', () => {
  test('a usual one of 256 KB takes at most 50 ms', () => {
    const log = `${filled(bars(1, 100), 256 << 10)}\n${launched('torch.OutOfMemoryError: CUDA out of memory.')}`;
    milliseconds(log);
    expect(milliseconds(log)).toBeLessThan(50);
  });

  test.each([
    '\n',
    'a.',
    "' ",
    TRAINING,
    bars(1, 3),
    'loading from /a ',
    `                    INFO     ${'  a.a'.repeat(600)}\n`,
    'Traceback (most recent call last):\n    x\n',
    'Traceback (most recent call last):\nx y\n',
    'Traceback (most recent call last):\nE: x\nOriginal ',
    `${traceback('KeyError: 1')}${DURING}`,
    `  ${box('E: 1')}`,
    '  + Exception Group Traceback (most recent call last):\n    | ValueError: x\n',
    'terminate called without an active exception\n',
  ])('4 MB of %j take at most 1 s', (piece) => {
    expect(milliseconds(`${filled(piece)}\n${launched(`ValueError: ${filled(piece, 1 << 20)}`)}`)).toBeLessThan(1000);
  });

  test.each(['[rank%]: x\n', 'a%/% [\n', 'steps: 1%| | %/9 [\n'])('4 MB of lines that differ, as %j', (line) => {
    expect(milliseconds(numbered(line))).toBeLessThan(1000);
  });
});
