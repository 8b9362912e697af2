import { expect, test } from 'vitest';
import {
  isWorthResuming,
  stalledSeconds,
  stalledWords,
  stallLimitSeconds,
  watchStillness,
} from '../../../sidecar/sessions/status/stall.js';
import { NO_PROGRESS, type Progress, type Stillness } from '../../../sidecar/telemetry/progress.js';
import type { Phase } from '../../../sidecar/trainers/phase.js';

const at = (changes: Partial<Progress>): Progress => ({ ...NO_PROGRESS, updated_at: 'then', ...changes });

/** What a watcher counts that looks once a second. */
function watched(seconds: number, progress: Progress, before: Stillness | null = null): Stillness {
  let still = before ?? watchStillness(null, progress, 0);
  for (let second = 0; second < seconds; second += 1) still = watchStillness(still, progress, 1);
  return still;
}

test.each<[Phase | null, number | null, number]>([
  ['starting', null, 30],
  ['loading', null, 60],
  ['caching latents', null, 60],
  ['hashing base model', null, 60],
  ['training', null, 30],
  ['training', 2, 10],
  ['training', 29, 10],
  ['training', 60, 20],
  ['training', 600, 200],
  ['sampling', 2, 30],
  ['saving', 2, 20],
  ['finishing', 2, 20],
  ['ended', 2, 10],
  [null, null, 60],
])('%s, with %s s a step: stalled after %i minutes, and not a second before', (phase, seconds_per_step, minutes) => {
  expect(stallLimitSeconds(phase, seconds_per_step)).toBe(minutes * 60);
  const progress = at({ phase, seconds_per_step });
  const still = watched(minutes * 60 - 1, progress);
  expect(stalledSeconds(still, progress)).toBeNull();
  expect(stalledSeconds(watched(1, progress, still), progress)).toBe(minutes * 60);
});

test.each<Phase>(['starting', 'loading', 'caching latents', 'hashing base model', 'sampling'])(
  'twenty idle minutes of %s are no standstill',
  (phase) => {
    const progress = at({ phase, seconds_per_step: 1 });
    expect(stalledSeconds(watched(20 * 60, progress), progress)).toBeNull();
  },
);

test('in training only steps count, however much is printed; elsewhere whatever is printed', () => {
  const training = at({ phase: 'training', step: 7, epoch: 1, seconds_per_step: 1 });
  const still = watched(300, training);
  expect(watchStillness(still, { ...training, updated_at: 'now' }, 1).seconds).toBe(301);
  expect(watchStillness(still, { ...training, step: 8 }, 1).seconds).toBe(0);
  expect(watchStillness(still, { ...training, phase: 'saving' }, 1).seconds).toBe(0);
  const caching = at({ phase: 'caching latents' });
  expect(watchStillness(watched(300, caching), { ...caching, updated_at: 'now' }, 1).seconds).toBe(0);
});

test('it is told in whole minutes, and what is all but done is not begun again for it', () => {
  const progress = at({ phase: 'training', seconds_per_step: 1 });
  expect(stalledSeconds({ mark: '', seconds: 779 }, progress)).toBe(720);
  expect(stalledWords('training', 720)).toBe('no progress for 12 min while training');
  expect(stalledWords(null, 720)).toBe('no progress for 12 min');
  expect([isWorthResuming('training'), isWorthResuming('finishing'), isWorthResuming('ended')]).toEqual([
    true,
    false,
    false,
  ]);
});
