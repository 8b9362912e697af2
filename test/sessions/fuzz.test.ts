import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyText, checkText } from './fuzz.js';

test('any text is read or refused in words, and what is read keeps every key that is not ours', () => {
  const seen = { whole: 0, broken: 0, refused: 0 };
  fc.assert(
    fc.property(anyText, (text) => {
      seen[checkText(text)] += 1;
    }),
    { numRuns: 4000 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});
