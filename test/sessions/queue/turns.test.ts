import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastEnded } from '../../../sidecar/sessions/queue/enqueue.js';
import { moved } from '../../../sidecar/sessions/queue/order.js';
import { planTurns, type Taken, type Waiting } from '../../../sidecar/sessions/queue/turns.js';
import { parseUiState } from '../../../sidecar/sessions/record/parseUiState.js';
import { queueFacts } from '../../../sidecar/sessions/status/queued.js';
import { nextSmaller } from '../../../sidecar/sessions/watchers/retrySmaller.js';
import { fluxPresets } from '../../../sidecar/trainers/sdScripts/presets.js';

const taken = (gpus: number[], busy: number[] = [], more: Partial<Taken> = {}): Taken => {
  return {
    gpus,
    busy: new Map(busy.map((index) => [index, `GPU ${index} is in use.`])),
    withoutGpu: null,
    unknown: null,
    ...more,
  };
};
const waiting = (...wants: Waiting['wants'][]): Waiting[] => wants.map((each, at) => ({ name: `s${at}`, wants: each }));
const begun = (of: Waiting[], on: Taken) =>
  planTurns(of, on).flatMap((turn) => ('gpus' in turn ? [`${turn.name}:${turn.gpus}`] : []));

describe('whose turn it is', () => {
  test.each<[string, Waiting['wants'][], Taken, string[]]>([
    ['each GPU has a queue', [[0], [0], [1]], taken([0, 1]), ['s0:0', 's2:1']],
    ['who takes any gets the first free one', ['any', 'any', 'any'], taken([0, 1]), ['s0:0', 's1:1']],
    ['a busy one is passed by', ['any', 'any'], taken([0, 1], [0]), ['s0:1']],
    ['who needs both keeps the free one from those behind', [[0, 1], [1], 'any'], taken([0, 1], [0]), []],
    ['without a GPU one at a time', ['none', 'none'], taken([]), ['s0:']],
    ['without a GPU none while one runs', ['none'], taken([], [], { withoutGpu: 'a is training.' }), []],
    ['nothing while nvidia-smi does not answer', ['any', [0]], taken([], [], { unknown: 'It hangs.' }), []],
    ['what will be refused is refused at once', ['refused', [0]], taken([0], [0]), ['s0:']],
  ])('%s', (_, wants, on, expected) => {
    expect(begun(waiting(...wants), on)).toEqual(expected);
  });

  test('whatever waits, no GPU is given twice or while it is busy, and who is first for a free one gets it', () => {
    const gpu = fc.nat(3);
    const wants = fc.oneof(fc.constant<'any'>('any'), fc.uniqueArray(gpu, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(wants, { maxLength: 8 }), fc.uniqueArray(gpu), (all, busy) => {
        const turns = planTurns(waiting(...all), taken([0, 1, 2, 3], busy));
        const given = turns.flatMap((turn) => ('gpus' in turn ? turn.gpus.split(',').map(Number) : []));
        expect(new Set(given).size).toBe(given.length);
        expect(given.filter((index) => busy.includes(index))).toEqual([]);
        const [first] = all;
        const couldBegin = first && (first === 'any' ? busy.length < 4 : first.every((index) => !busy.includes(index)));
        if (first) expect('gpus' in (turns[0] ?? {})).toBe(couldBegin);
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  ['b', 'up', 'bac'],
  ['a', 'up', 'abc'],
  ['b', 'down', 'acb'],
  ['c', 'down', 'abc'],
  ['c', 'first', 'cab'],
  ['a', 'last', 'bca'],
] as const)('%s is moved %s', (name, move, expected) => {
  expect(moved(['a', 'b', 'c'], name, move).join('')).toBe(expected);
});

describe('a session waits', () => {
  const attempt = (number: number, reason_code: string | null) => {
    return { number, reason_code, kind: 'start', id: `a${number}`, started_at: '2026-11-22T12:00:00Z', argv: [] };
  };
  const facts = (raw: object) => {
    const { state } = parseUiState(JSON.stringify(raw));
    return queueFacts(state, state.attempts.at(-1) ?? null);
  };

  test.each<[string, object, boolean]>([
    ['as soon as its record says so', { queue: {} }, true],
    ['not without', { queue: null }, false],
    ['after attempts that were there before', { queue: { after: 2 }, attempts: [attempt(2, 'out_of_memory')] }, true],
    [
      'still, when its start died with Trackside',
      { queue: { after: 0 }, attempts: [attempt(1, 'sidecar_gone')] },
      true,
    ],
    ['no longer, once an attempt has begun', { queue: { after: 0 }, attempts: [attempt(1, null)] }, false],
  ])('%s', (_, raw, expected) => {
    expect(facts(raw) !== null).toBe(expected);
  });

  test('for a person, when its start has ended Trackside three times', () => {
    const attempts = [1, 2, 3].map((number) => attempt(number, 'sidecar_gone'));
    expect(facts({ queue: {}, attempts })).toMatchObject({ failed: 'Trackside ended 3 times while it started this.' });
  });
});

test.each([
  ['24G', '20G'],
  ['12G', '8G'],
  ['8G', null],
  ['CPU', null],
  [undefined, null],
])('after %s the next smaller preset is %s', (vram, expected) => {
  expect(
    nextSmaller(
      fluxPresets.map((each) => ({ ...each })),
      vram,
    ),
  ).toBe(expected);
});

test('a release that meets a start under way does not put its session back into the queue', () => {
  const begun = { number: 2, outcome: null };
  expect(lastEnded({ attempts: [{ number: 1, outcome: 'interrupted' }, begun] })).toBe(1);
  expect(lastEnded({ attempts: [begun] })).toBe(0);
  expect(lastEnded({})).toBe(0);
});
