import fc from 'fast-check';
import { changesBetween } from '../../sidecar/sessions/record/differences.js';
import { mergeEdits } from '../../sidecar/sessions/record/merge.js';
import { parseUiState, StateTextError } from '../../sidecar/sessions/record/parseUiState.js';
import { become } from '../../sidecar/sessions/record/stateFile.js';
import type { RawState } from '../../sidecar/sessions/record/uiState.js';
import { deriveStatus } from '../../sidecar/sessions/status/status.js';

/** Whatever may be found in a file: JSON of any shape, cut, spoiled, or no JSON at all. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.json({ maxDepth: 6, noUnicodeString: false } as fc.JsonSharedConstraints),
  stateText(),
  fc.tuple(stateText(), fc.nat(400)).map(([text, at]) => text.slice(0, at)),
  fc
    .tuple(stateText(), fc.nat(400), fc.string({ maxLength: 3 }))
    .map(([text, at, by]) => text.slice(0, at) + by + text.slice(at + by.length)),
  stateText().map((text) => `\ufeff${text}`),
  fc.tuple(stateText(), fc.nat(200)).map(([text, zeros]) => text.slice(0, -zeros || undefined) + '\0'.repeat(zeros)),
  fc.nat(5000).map((depth) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  fc.nat(2000).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  number().map((token) => `{"lora_name":"x","mine":{"deep":[${token}]}}`),
);

/** A record with known keys of any type, a person's own keys at every depth, and names that mean something to JavaScript. */
function stateText(): fc.Arbitrary<string> {
  const odd = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', '', 'a.b', '\ud800');
  const value = fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('42', '', 'yes', '\ud83d', '\udc00', 'x'.repeat(3000), 1e300, 5e-324, -0, [[[[]]]], [null]),
  );
  const known = fc.constantFrom(
    ...['lora_name', 'seed', 'max_train_epochs', 'status', 'attempts', 'arguments', 'dataset', 'outputs', 'timestamp'],
    ...['enable_checkpointing', 'notes', 'version', 'sample_prompts', 'error', 'completed_at', 'trainer', 'form_id'],
  );
  const own = fc.dictionary(fc.oneof(odd, fc.string({ maxLength: 5 })), value, { noNullPrototype: true, maxKeys: 4 });
  const attempt = fc.tuple(own, fc.integer({ min: 1, max: 9 })).map(([keys, number]) => ({
    ...keys,
    ...{ number, kind: 'start', id: `id-${number}`, started_at: '2026-11-22T03:12:00.000Z', argv: ['python'] },
  }));
  return fc
    .tuple(
      fc.dictionary(fc.oneof(known, odd), value, { noNullPrototype: true, maxKeys: 8 }),
      own,
      fc.option(fc.uniqueArray(attempt, { selector: ({ number }) => number, maxLength: 3 }), { freq: 2 }),
    )
    .map(([record, keys, attempts]) =>
      JSON.stringify({ ...record, ...(attempts && { attempts }), mine: keys }, null, 2),
    );
}

function number(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.bigInt().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.tuple(fc.integer(), fc.integer({ min: -500, max: 500 })).map(([a, b]) => `${a}e${b}`),
    fc.constantFrom(
      '9007199254740993',
      '1e20',
      '1e999',
      '-1e-999',
      '0.0',
      '-0',
      '1E400',
      '123456789012345678901234567890',
    ),
  );
}

/**
 * What every text has to stand: it is read, or refused with words; and what is read keeps every key that is not ours
 * at every depth through a write of ours and a merge. Throws where it does not.
 */
export function checkText(text: string): 'whole' | 'broken' | 'refused' {
  let parsed: ReturnType<typeof parseUiState>;
  try {
    parsed = parseUiState(text);
  } catch (error) {
    if (!(error instanceof StateTextError) || !error.message) throw error;
    return error.kind;
  }
  const { raw, state } = parsed;
  deriveStatus({
    state,
    latest: state.attempts.at(-1) ?? null,
    liveness: { alive: 'no' } as never,
    stepSeen: false,
    checkpoints: 0,
  });
  const written = structuredClone(raw);
  written.status = 'stopped';
  if (Array.isArray(written.attempts)) written.attempts = written.attempts.map((each) => ({ ...each, exit_code: 1 }));
  const again = parseUiState(`${JSON.stringify(written, null, 2)}\n`).raw;
  expectKept(raw, again);
  const merged: RawState = {};
  become(merged, mergeEdits(raw, { ...raw, theirs: 1 }, written) as RawState);
  expectKept(raw, merged);
  if (merged.theirs !== 1 || merged.status !== 'stopped') throw new Error('an edit was lost in a merge');
  changesBetween(raw, merged);
  return 'whole';
}

function expectKept(before: RawState, after: RawState): void {
  const strip = (raw: RawState) => {
    const { status: _status, theirs: _theirs, attempts, ...rest } = raw;
    const plain = Array.isArray(attempts)
      ? attempts.map((each) => ({ ...(each as object), exit_code: undefined }))
      : attempts;
    return JSON.stringify([sorted(rest), sorted(plain)]);
  };
  if (strip(before) !== strip(after)) throw new Error(`changed: ${strip(before)} → ${strip(after)}`);
}

/** In one order of keys, for a merge may arrange them anew. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each)]);
}
