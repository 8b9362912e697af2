import { expect, test } from 'vitest';
import { createShown } from '../../../sidecar/sessions/outputs/shown.js';
import type { Session } from '../../../sidecar/sessions/status/session.js';

const session = { name: 'cat' } as Session;

test('a page is drawn from the reading that found a change, and from no older one', async () => {
  const shown = createShown();
  const end = shown.open('cat');
  const told = performance.now();
  shown.keep(session);
  expect(shown.take('cat', told)).toBe(session);
  // The next change is read anew.
  expect(shown.take('cat', told)).toBeNull();
  shown.keep(session);
  expect(shown.take('cat', performance.now() + 1)).toBeNull();
  end();
});

test('a session is read for its pages as long as one of them is open', () => {
  const shown = createShown();
  const ends = [shown.open('cat'), shown.open('cat')];
  ends[0]?.();
  expect(shown.has('cat')).toBe(true);
  ends[1]?.();
  expect(shown.has('cat')).toBe(false);
  shown.keep(session);
  expect(shown.take('cat', 0)).toBeNull();
});
