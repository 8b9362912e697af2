import { describe, expect, test } from 'vitest';
import { lineageSources, writerByPlace, writerByTime } from '../../../sidecar/sessions/lineage/writer.js';
import type { AttemptEntry } from '../../../sidecar/sessions/record/uiState.js';

const hour = (n: number) => new Date(Date.UTC(2026, 10, 22) + n * 3_600_000).toISOString();
const at = (n: number) => Date.parse(hour(n));

function attempt(number: number, more: Partial<AttemptEntry> = {}): AttemptEntry {
  const kind = number === 1 ? 'start' : 'resume';
  return { number, kind, started_at: hour(number), ended_at: hour(number + 1), ...more } as AttemptEntry;
}

describe('who wrote a file is told by its place, whatever the clock did', () => {
  const attempts = [attempt(1), attempt(2, { started_at: hour(-24) }), attempt(3, { started_at: hour(24) })];

  test.each([
    ['cat-step00000015-state', 3],
    ['earlier/attempt-1/cat-step00000015-state', 1],
    ['earlier/attempt-2-3/cat.safetensors', 2],
    ['earlier/attempt-9/cat.safetensors', undefined],
  ])('%s', (path, number) => {
    expect(writerByPlace(attempts, path)?.number).toBe(number);
  });
});

describe('who took a sample is told by its time, also where the clock was set', () => {
  test.each([
    ['in order', [attempt(1), attempt(2)], 1.5, 1],
    ['after the last start', [attempt(1), attempt(2, { ended_at: null })], 9, 2],
    [
      'set back a day between the two',
      [attempt(1), attempt(2, { started_at: hour(-24), ended_at: hour(-23) })],
      1.5,
      1,
    ],
    ['set back a day, the new ones', [attempt(1), attempt(2, { started_at: hour(-24), ended_at: null })], -23.9, 2],
    [
      'set back during the first, before that',
      [attempt(1, { ended_at: hour(-22) }), attempt(2, { started_at: hour(-21), ended_at: hour(-20) })],
      1.5,
      1,
    ],
    ['set forward during the first', [attempt(1, { ended_at: hour(26) }), attempt(2, { started_at: hour(27) })], 25, 1],
  ] as const)('%s', (_, attempts, when, number) => {
    expect(writerByTime(attempts, at(when))?.number).toBe(number);
  });
});

test('a return to an earlier state leaves the branch behind it', () => {
  const first = attempt(1, { resumed_from: null, step_offset: 0 });
  const second = attempt(2, { resumed_from: '/o/earlier/attempt-1/cat-step00000025-state', step_offset: 20 });
  const third = attempt(3, { resumed_from: '/o/cat-000001-state', step_offset: 10 });
  expect(lineageSources([first, second])).toEqual([second.resumed_from]);
  expect(lineageSources([first, second, third])).toEqual([third.resumed_from]);
  expect(lineageSources([first, second, { ...third, kind: 'relaunch', resumed_from: null }])).toEqual([]);
});
