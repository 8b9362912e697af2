import { expect, test } from 'vitest';
import { mergeFields } from '../../../sidecar/sessions/drafts/merge.js';

test.each([
  ['each changes another field', { a: '1', b: '1' }, { a: '2', b: '1' }, { a: '1', b: '3' }, { a: '2', b: '3' }, {}],
  ['both change one field', { a: '1' }, { a: '2' }, { a: '3' }, { a: '3' }, { a: '2' }],
  ['both type the same', { a: '1' }, { a: '2' }, { a: '2' }, { a: '2' }, {}],
  ['both begin with nothing', {}, { a: '2' }, { a: '3', b: '1' }, { a: '3', b: '1' }, { a: '2' }],
  ['one does not say it', { a: '1' }, { a: '2' }, {}, { a: '2' }, {}],
  ['one takes it away, the other left it', { a: '1' }, { a: '1' }, {}, {}, {}],
  ['the other takes it away, one left it', { a: '1' }, {}, { a: '1' }, {}, {}],
  ['a field of a strange name', {}, {}, JSON.parse('{"__proto__": "x"}'), JSON.parse('{"__proto__": "x"}'), {}],
])('what two people typed is merged: %s', (_, base, theirs, mine, fields, others) => {
  expect(mergeFields(base, theirs, mine)).toEqual({ fields, others });
});
