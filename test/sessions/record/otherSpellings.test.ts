import { expect, test } from 'vitest';
import { parseUiState } from '../../../sidecar/sessions/record/parseUiState.js';

const read = (record: Record<string, unknown>) => parseUiState(JSON.stringify(record)).state;
const AT = 1_770_112_800;

test.each<[unknown, number | undefined]>([
  [AT, AT],
  [AT * 1e3, AT],
  [AT * 1e6, AT],
  [String(AT * 1e9), AT],
  [`${AT}`, AT],
  ['2026-02-03T10:00:00Z', AT],
  ['2026-02-03T11:00:00+01:00', AT],
  ['Tue, 03 Feb 2026 10:00:00 GMT', AT],
  [-5, undefined],
  [0, undefined],
  [12_345, undefined],
  [1e300, undefined],
  ['yesterday', undefined],
  [[2026, 2, 3], undefined],
  [true, undefined],
])('a time written as %j is read as what it is', (written, told) => {
  const { timestamp, completed_at } = read({ timestamp: written, completed_at: written });
  expect(timestamp).toBe(told);
  expect(completed_at).toBe(told && new Date(told * 1000).toISOString());
});

test.each(['20260203100000', 20_260_203_100_000, '20260203-100000', '20260203_100000', '2026-02-03 10:00:00'])(
  'a time without a zone, %j, is that of the machine',
  (written) => {
    expect(read({ timestamp: written }).timestamp).toBe(new Date(2026, 1, 3, 10).getTime() / 1000);
  },
);

test.each<[unknown, string | undefined]>([
  ['a\nb', 'a\nb'],
  [['a', 'b'], 'a\nb'],
  [['a\nof two lines', 'b'], 'a of two lines\nb'],
  [['a', null, 3, ['b']], 'a\n3\nb'],
  [
    [
      { prompt: 'a', width: 512, height: 768, seed: 1, sample_steps: 20, scale: 7.5, negative_prompt: 'bad' },
      { prompt: 'b' },
    ],
    'a --w 512 --h 768 --d 1 --s 20 --l 7.5 --n bad\nb',
  ],
  [{ prompts: ['a', 'b'] }, 'a\nb'],
  [{ prompt: 'a', subset: 3 }, 'a'],
  [[[[[['too deep']]]]], ''],
  [{ other: 1 }, undefined],
])('prompts written as %j are lines', (written, lines) => {
  expect(read({ sample_prompts: written }).sample_prompts).toBe(lines);
});

test.each<[string, unknown, unknown]>([
  ['resolution', '512,512', 512],
  ['resolution', '768x768', 768],
  ['resolution', [1024, 1024], 1024],
  ['resolution', [512, 768], undefined],
  ['enable_monitoring', 1, true],
  ['enable_monitoring', 0, false],
  ['enable_monitoring', 'on', true],
  ['trainer', 'flux', 'sd-scripts/flux'],
  ['trainer', ' sd-scripts/flux ', 'sd-scripts/flux'],
  ['trainer', 'flux_train_network.py', 'sd-scripts/flux'],
  ['trainer', '/w/sd-scripts/sdxl_train_network.py', 'sd-scripts/sdxl'],
  ['trainer', 'kohya', 'kohya'],
  ['trainer', '', undefined],
])('%s written as %j is read as %j', (name, written, told) => {
  expect((read({ [name]: written }) as Record<string, unknown>)[name]).toBe(told);
});
