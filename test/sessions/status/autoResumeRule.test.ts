import { expect, test } from 'vitest';
import type { AttemptEntry } from '../../../sidecar/sessions/record/uiState.js';
import { decideAutoResume, recentOf } from '../../../sidecar/sessions/status/autoResumeRule.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const MINUTE = 60_000;

/** An attempt that began `begun` minutes after noon with a state of that step, and ended a minute later. */
function attempt(begun: number, step: number, changes: Partial<AttemptEntry> = {}): AttemptEntry {
  return {
    number: 0,
    kind: 'resume',
    id: `${begun}`,
    started_at: new Date(NOON + begun * MINUTE).toISOString(),
    ended_at: new Date(NOON + (begun + 1) * MINUTE).toISOString(),
    argv: [],
    cwd: null,
    resumed_from: null,
    first_epoch: 1,
    step_offset: 0,
    steps_added: null,
    pause_requested_at: null,
    made_of: null,
    log_start: 0,
    log_end: null,
    peak_gpu_memory: null,
    exit_code: 1,
    signal: null,
    reason_code: null,
    reason: `it ended at ${begun}, in a way of its own: ${'ABCDEFGH'[begun % 8]}`,
    all_trained: false,
    outcome: 'failed',
    stop_requested_at: null,
    stop_when: null,
    final_before: null,
    output: null,
    output_inode: null,
    job: null,
    gpus: [],
    steps_per_epoch: null,
    automatic: true,
    begun_step: step,
    repeated_steps: 0,
    no_retry: null,
    survivors: [],
    job_end: null,
    stalled: null,
    ...changes,
  };
}
const byHand = { automatic: false };
const interrupted = { outcome: 'interrupted', exit_code: null, reason: 'The pod went away.' } as const;
const decide = (attempts: AttemptEntry[], step: number | null, on = true) =>
  decideAutoResume({ on, attempts, resume: step === null ? null : { step, doubt: null }, most: 3 });

test.each<[string, AttemptEntry[], number | null, boolean, string | null]>([
  ['an interruption, with a new state', [attempt(0, 0, { ...byHand, ...interrupted })], 20, true, null],
  ['an interruption, with the state it began from', [attempt(0, 20, { ...byHand, ...interrupted })], 20, true, null],
  [
    'an interruption before any state',
    [attempt(0, 0, { ...byHand, ...interrupted })],
    null,
    false,
    'no complete state folder',
  ],
  ['a crash that left a new state', [attempt(0, 0, byHand)], 20, true, null],
  ['a crash that left none', [attempt(0, 20, byHand)], 20, false, 'no new state'],
  ['an error that would repeat', [attempt(0, 0, { ...byHand, no_retry: 'repeats' })], 20, false, 'same error'],
  ['kill by hand', [attempt(0, 0, { ...byHand, no_retry: 'by hand' })], 20, false, 'by hand'],
  [
    'an interruption before the save that it was to stop after',
    [attempt(0, 0, { ...byHand, ...interrupted, stop_requested_at: 'then', stop_when: 'after-save' })],
    20,
    false,
    'you had asked it to stop',
  ],
  ['success', [attempt(0, 0, { ...byHand, outcome: 'completed', exit_code: 0 })], 20, false, null],
  ["the user's stop", [attempt(0, 0, { ...byHand, outcome: 'stopped' })], 20, false, null],
  [
    "the user's stop of an automatic attempt",
    [attempt(0, 0, byHand), attempt(2, 20, { outcome: 'stopped' })],
    40,
    false,
    null,
  ],
  ['what is alive or not settled', [attempt(0, 0, { ...byHand, outcome: null })], 20, false, null],
  ['nothing begun yet', [], null, false, null],
  ['a crash of another kind right after', [attempt(0, 0, byHand), attempt(2, 20)], 20, true, null],
  [
    'the same crash twice, numbers aside',
    [
      attempt(0, 0, { ...byHand, reason: 'lost at 0x7f3a, step 12' }),
      attempt(2, 20, { reason: 'lost at 0x88b1, step 9' }),
    ],
    20,
    false,
    'twice in the same way',
  ],
  [
    'the same crash twice by its code, whatever its words',
    [
      attempt(0, 0, { ...byHand, reason: 'a.bin is missing.', reason_code: 'missing_file' }),
      attempt(2, 20, { reason: 'b.bin is missing.', reason_code: 'missing_file' }),
    ],
    20,
    false,
    'twice in the same way',
  ],
  [
    'two crashes with the same words and other codes',
    [
      attempt(0, 0, { ...byHand, reason: 'lost', reason_code: 'exception:KeyError' }),
      attempt(2, 20, { reason: 'lost', reason_code: 'exception:ValueError' }),
    ],
    20,
    true,
    null,
  ],
  [
    'the same crash twice, with a new state in between',
    [attempt(0, 0, { ...byHand, reason: 'lost' }), attempt(2, 20, { reason: 'lost' })],
    40,
    true,
    null,
  ],
  [
    'the same crash again after another one',
    [attempt(0, 0, { ...byHand, reason: 'a' }), attempt(2, 20, { reason: 'b' }), attempt(4, 20, { reason: 'a' })],
    20,
    false,
    'twice in the same way',
  ],
  [
    'the same standstill twice',
    [
      attempt(0, 0, { ...byHand, stalled: 'It made no progress for 12 min while training', exit_code: null }),
      attempt(2, 20, { stalled: 'It made no progress for 10 min while training', signal: 'SIGTERM' }),
    ],
    20,
    false,
    'twice in the same way',
  ],
  ['the third try', [attempt(0, 0, byHand), attempt(2, 20), attempt(4, 20)], 20, true, null],
  ['a fourth try', [attempt(0, 0, byHand), attempt(2, 20), attempt(4, 20), attempt(6, 20)], 20, false, '3 times'],
  [
    'a fourth try after a new state',
    [attempt(0, 0, byHand), attempt(2, 20), attempt(4, 20), attempt(6, 20)],
    40,
    true,
    null,
  ],
  [
    'three interruptions in ten minutes',
    [attempt(0, 0, byHand), ...[2, 4, 6].map((begun) => attempt(begun, 20, interrupted))],
    20,
    false,
    '3 times',
  ],
  [
    'three interruptions over an hour',
    [attempt(0, 0, byHand), ...[2, 22, 60].map((begun) => attempt(begun, 20, interrupted))],
    20,
    true,
    null,
  ],
  [
    'three interruptions while the clock went back a day',
    [attempt(0, 0, byHand), ...[2, 4, -1440].map((begun) => attempt(begun, 20, interrupted))],
    20,
    false,
    '3 times',
  ],
  [
    'three tries, then a resume by hand that brought nothing new',
    [attempt(0, 0, byHand), attempt(2, 20), attempt(4, 20), attempt(6, 20), attempt(8, 20, byHand)],
    20,
    false,
    'no new state',
  ],
])('%s', (_, attempts, step, will, reason) => {
  const verdict = decide(attempts, step);
  expect(verdict.will).toBe(will);
  if (reason === null) expect(verdict.reason).toBeNull();
  else expect(verdict.reason).toContain(reason);
  expect(decide(attempts, step, false)).toEqual({ will: false, tries: 0, reason: null });
});

test('each try without a new checkpoint counts, so that the next one waits the longer', () => {
  const attempts = [attempt(0, 0, byHand), attempt(2, 20), attempt(4, 20), attempt(6, 20)];
  expect([1, 2, 3, 4].map((count) => decide(attempts.slice(0, count), 20).tries)).toEqual([0, 1, 2, 3]);
  expect(decide(attempts, 40).tries).toBe(0);
});

test('of our own moments the last ten minutes count, by a clock that does not jump', () => {
  expect(recentOf([0, 100_000, 599_000], 600_000)).toBe(2);
});
