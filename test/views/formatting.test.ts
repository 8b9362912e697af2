import { describe, expect, test } from 'vitest';
import * as f from '../../sidecar/views/formatting.js';

const at = (text: string) => new Date(text);
const now = at('2026-11-22T12:00:00Z');

describe('Numbers read as a person says them', () => {
  test.each([
    [0, '0'],
    [612, '612'],
    [1204, '1\u202f204'],
    [1234567, '1\u202f234\u202f567'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('steps: %s is %s', (value, text) => expect(f.count(value)).toBe(text));

  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [1440, '1.4 kB'],
    [38_400_000, '38 MB'],
    [999_900_000, '1 GB'],
    [1_440_000_000, '1.4 GB'],
    [2e18, '2000 PB'],
    [null, '–'],
  ])('bytes: %s is %s', (value, text) => expect(f.bytes(value)).toBe(text));

  test.each([
    [0, '0 s'],
    [45.4, '45 s'],
    [59.6, '1 min'],
    [731, '12 min'],
    [3599, '1 h 00'],
    [4320, '1 h 12'],
    [86400, '1 d'],
    [97200, '1 d 3 h'],
    [-3, '–'],
    [null, '–'],
  ])('durations: %s seconds are %s', (value, text) => expect(f.duration(value)).toBe(text));

  test.each([
    [2.1, '2.1 s'],
    [2, '2 s'],
    [0.5, '0.5 s'],
    [0.083, '0.083 s'],
    [0.0271, '0.027 s'],
    [12.34, '12.3 s'],
    [200, '3 min'],
    [null, '–'],
  ])('pace: %s is %s', (value, text) => expect(f.pace(value)).toBe(text));

  test.each([
    [0.118, '0.118'],
    [1, '1.000'],
    [0, '0.000'],
    [0.0042, '0.0042'],
    [0.00042, '0.00042'],
    [0.0000012, '1.2e-6'],
    ['nan', 'not a number'],
    [Number.NaN, 'not a number'],
    [null, '–'],
  ] as const)('loss: %s is %s', (value, text) => expect(f.loss(value)).toBe(text));

  test.each([
    [0, '0 %'],
    [63.8, '64 %'],
    [99.9, '99 %'],
    [100, '100 %'],
    [null, '–'],
  ])('percent: %s is %s, and 100 only when it is done', (value, text) => expect(f.percent(value)).toBe(text));
});

describe('Times', () => {
  test.each([
    ['2026-11-22T11:59:30Z', 'just now'],
    ['2026-11-22T11:48:00Z', '12 min ago'],
    ['2026-11-22T11:00:00Z', '1 h ago'],
    ['2026-11-21T11:00:00Z', '1 day ago'],
    ['2026-11-17T12:00:00Z', '5 days ago'],
    ['2026-11-22T12:12:00Z', 'in 12 min'],
  ])('%s is %s', (then, text) => expect(f.relative(at(then), now)).toBe(text));

  test('are as short as a script writes them: today, in the week before, and earlier', () => {
    expect(f.day(at('2026-11-22T03:12:59Z'), now)).toBe('03:12');
    expect(f.day(at('2026-11-17T03:12:59Z'), now)).toBe('Tue 03:12');
    expect(f.day(at('2026-11-15T03:12:59Z'), now)).toBe('15 Nov');
    expect(f.day(at('2025-01-02T03:12:59Z'), now)).toBe('2 Jan 2025');
    expect(f.day(at('2026-11-23T03:12:59Z'), now)).toBe('23 Nov');
  });

  test('are shown in UTC where no script runs, with the year where it is another one', () => {
    expect(f.utc(at('2026-11-22T03:12:59Z'), now)).toBe('22 Nov 03:12 UTC');
    expect(f.utc(at('2025-01-02T03:12:59Z'), now)).toBe('2 Jan 2025 03:12 UTC');
    expect(f.utc(at('nonsense'), now)).toBe('–');
  });
});

test.each([
  ['out of GPU memory', 'Out of GPU memory.'],
  ['ui_state.json is cut short', 'ui_state.json is cut short.'],
  ['Stopped by you.', 'Stopped by you.'],
  ['', ''],
])('A reason becomes a sentence: %j is %j', (text, sentence) => expect(f.sentence(text)).toBe(sentence));
