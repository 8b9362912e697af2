import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyText, checkText } from '../sessions/fuzz.js';
import { measured } from './needs.js';

test('100,000 fuzzed state files: no crash, and no key of a person is lost', () => {
  const seen = { whole: 0, broken: 0, refused: 0 };
  fc.assert(
    fc.property(anyText, (text) => {
      seen[checkText(text)] += 1;
    }),
    { numRuns: 100_000 },
  );
  measured(13, `100,000 fuzzed state files, 0 crashes, 0 keys lost: ${JSON.stringify(seen)}`);
  expect(seen.whole).toBeGreaterThan(1000);
});
