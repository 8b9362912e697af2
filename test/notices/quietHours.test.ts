import { expect, test } from 'vitest';
import { isQuiet } from '../../sidecar/notices/quietHours.js';
import { filled } from '../../sidecar/notices/wording.js';

test.each([
  ['22:00', '07:00', 'UTC', '2026-11-22T21:59:00Z', false],
  ['22:00', '07:00', 'UTC', '2026-11-22T22:00:00Z', true],
  ['22:00', '07:00', 'UTC', '2026-11-22T06:59:00Z', true],
  ['22:00', '07:00', 'UTC', '2026-11-22T07:00:00Z', false],
  ['01:00', '02:00', 'UTC', '2026-11-22T01:30:00Z', true],
  ['01:00', '01:00', 'UTC', '2026-11-22T01:00:00Z', false],
  ['22:00', '07:00', 'Europe/Berlin', '2026-11-22T21:00:00Z', true],
  // Summer time.
  ['22:00', '07:00', 'Europe/Berlin', '2026-07-22T05:00:00Z', false],
  ['22:00', '07:00', 'Asia/Kolkata', '2026-11-22T16:30:00Z', true],
])('from %s to %s in %s it is quiet at %s: %s', (from, to, zone, at, quiet) => {
  expect(isQuiet(new Date(at), { from, to, zone })).toBe(quiet);
});

test('a wording takes the values that are known, and leaves out a line of which nothing is', () => {
  const words = '{session} is done\nLoss {loss} at {step}\nCost: {cost}\nBye';
  expect(filled(words, { session: 'cat', loss: '0.1' })).toBe('cat is done\nLoss 0.1 at –\nBye');
});
