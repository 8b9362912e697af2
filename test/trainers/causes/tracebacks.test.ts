import { describe, expect, test } from 'vitest';
import { logLines } from '../../../sidecar/trainers/causes/logLines.js';
import { chainOf, readTracebacks } from '../../../sidecar/trainers/causes/tracebacks.js';
import {
  box,
  boxedLauncher,
  CAUSED,
  DURING,
  ignored,
  interleaved,
  inWorker,
  launcher,
  prefixed,
  TRAINING,
  traceback,
} from './logs.js';

const read = (log: string) => readTracebacks(logLines(log));
/** Each traceback as `type: message`, with what is behind it. */
const told = (log: string) =>
  read(log).map((raised) => chainOf(raised).map(({ type, message }) => `${type}: ${message}`));
const key = traceback("KeyError: 'latents'");

describe('an exception is read', () => {
  test.each([
    ['of Python 3.8', traceback("KeyError: 'latents'", undefined, 8)],
    ['of Python 3.11', traceback("KeyError: 'latents'", undefined, 11)],
    ['of Python 3.13', traceback("KeyError: 'latents'", undefined, 13)],
    ['behind a bar', `${TRAINING}${key}`],
    ['with line ends of Windows', key.replace(/\n/g, '\r\n')],
    ['in colours', key.replace('KeyError', '\u001b[1;35mKeyError\u001b[0m')],
    ['with a time before each line', key.trimEnd().replace(/^/gm, '2026-02-03 10:11:12,345 - ERROR - ')],
    ['as FluxGym writes it', key.trimEnd().replace(/^ */gm, '').replace(/^/gm, '[2024-09-08 16:11:06] [INFO] ')],
    ['of a rank', prefixed(3, key.trimEnd())],
    [
      'twice, as two streams write it',
      'Traceback (most recent call last):\nTraceback (most recent call last):\n  File "/a.py", line 1, in f\n  File "/a.py", line 1, in f\nKeyErrorKeyError: : \'latents\'\'latents\'\n',
    ],
    ['in a box', box("KeyError: 'latents'")],
    ['with a shortened recursion', key.replace('KeyError', '  [Previous line repeated 975 more times]\nKeyError')],
  ])('%s', (_, log) => {
    expect(told(log)).toEqual([["KeyError: 'latents'"]]);
  });

  test('with all lines of its message, and its notes', () => {
    expect(
      told(traceback('ImportError: \nT5Converter requires the protobuf library\n\n  pip install protobuf')),
    ).toEqual([['ImportError: \nT5Converter requires the protobuf library\n\n  pip install protobuf']]);
  });

  test('whatever its name is', () => {
    for (const type of ['zlib.error', 'socket.gaierror', '_queue.Empty', 'a.b.<locals>.Own', 'MemoryError']) {
      expect(read(traceback(type))[0]?.type).toBe(type);
    }
  });

  test('that Python raises before the script runs', () => {
    const log = '  File "/pod/train.py", line 88\n    x = 1\nIndentationError: unexpected indent\n';
    expect(read(log)[0]).toMatchObject({ type: 'IndentationError', frames: ['/pod/train.py:'] });
  });
});

describe('exceptions that belong together', () => {
  test.each([
    ['raised from another', CAUSED],
    ['raised while another was handled', DURING],
  ])('%s: the outer one first', (_, between) => {
    expect(told(`${key}${between}${traceback('ValueError: two')}`)).toEqual([
      ['ValueError: two', "KeyError: 'latents'"],
    ]);
  });

  test("a worker's own is behind what the trainer raised", () => {
    const log = inWorker('OSError: image file is truncated');
    expect(told(log)).toEqual([
      ['OSError: Caught OSError in DataLoader worker process 0.', 'OSError: image file is truncated'],
    ]);
    expect(read(log)[0]?.from?.frames).toContain('/pod/sd-scripts/library/train_util.py:__getitem__');
  });

  test('a group has its members', () => {
    const log =
      '  + Exception Group Traceback (most recent call last):\n  |   File "/a.py", line 1, in <module>\n  | ExceptionGroup: two of two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "/a.py", line 12, in load\n    | ValueError: one\n    +---------------- 2 ----------------\n    | Traceback (most recent call last):\n    |   File "/a.py", line 14, in save\n    | KeyError: 2\n    +------------------------------------\n';
    expect(told(log)).toEqual([['ExceptionGroup: two of two (2 sub-exceptions)', 'ValueError: one', 'KeyError: 2']]);
  });

  test('of several processes, mixed line by line, each is read', () => {
    const log = interleaved(key, key, key, key);
    expect(read(log).map(({ type }) => type)).toEqual(Array(4).fill('KeyError'));
  });

  test('the launcher follows the trainer', () => {
    expect(read(`${key}${launcher()}`).map(({ type }) => type)).toEqual(['KeyError', 'subprocess.CalledProcessError']);
    expect(read(`${box('KeyError: 1')}${boxedLauncher()}`).map(({ type }) => type)).toEqual([
      'KeyError',
      'CalledProcessError',
    ]);
  });
});

describe('what ended nothing is aside', () => {
  test.each([
    ['ignored', ignored('<function x.__del__>', 'AssertionError: can only test a child process')],
    ['at exit', `Error in atexit._run_exitfuncs:\n${traceback('BrokenPipeError: [Errno 32] Broken pipe')}`],
    ['in a thread', `Exception in thread Thread-7:\n${key}`],
    ['while logging', `--- Logging error ---\n${key}`],
  ])('%s', (_, log) => {
    expect(read(log).map(({ aside }) => aside)).toEqual([true]);
  });
});

test('a traceback that is cut off is none', () => {
  expect(told('Traceback (most recent call last):\n  File "/a.py", line 1, in f\n    x()\n')).toEqual([]);
});
