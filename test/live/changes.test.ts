import { expect, test } from 'vitest';
import { changesSince, type Drawing, type Region, wholeRegion } from '../../sidecar/live/changes.js';

const nothing: Drawing = { title: null, regions: {} };
const plain = (html: string): Region => ({ html, lists: new Map() });
const row = (name: string, text = name) => `<li id="row-${name}">${text}</li>`;
const list = (...rows: string[]) => {
  const html = `<h2>${rows.length}</h2>\n<ul class="files" id="file-rows"></ul>\n<p>end</p>`;
  const named = new Map(rows.map((each) => [/id="(.*?)"/.exec(each)?.[1] ?? '', each]));
  return { title: null, regions: { files: { html, lists: new Map([['file-rows', named]]) }, head: plain('cat') } };
};
const frame = (count: number) =>
  `<hx-partial hx-target="#files" hx-swap="innerMorph"><h2>${count}</h2>\n<ul class="files" id="file-rows" data-kept></ul>\n<p>end</p></hx-partial>`;
const partial = (target: string, swap: string, html: string) =>
  `<hx-partial hx-target="#${target}" hx-swap="${swap}">${html}</hx-partial>`;

test('a page that shows nothing yet is sent everything', () => {
  const now = list(row('a'));
  expect(changesSince(nothing, now)).toBe(
    [
      partial('files', 'innerMorph', `<h2>1</h2>\n<ul class="files" id="file-rows">\n${row('a')}\n</ul>\n<p>end</p>`),
      partial('head', 'innerMorph', 'cat'),
    ].join('\n'),
  );
});

test.each([
  ['nothing new', ['a', 'b'], ['a', 'b'], []],
  ['a new row at the beginning', ['a'], ['b', 'a'], [frame(2), partial('file-rows', 'afterbegin', row('b'))]],
  [
    'new rows behind one that stays',
    ['a', 'd'],
    ['a', 'b', 'c', 'd'],
    [frame(4), partial('row-a', 'afterend', `${row('b')}\n${row('c')}`)],
  ],
  ['a row that went', ['a', 'b'], ['b'], [frame(1), partial('row-a', 'delete', '')]],
  ['another order', ['a', 'b'], ['b', 'a'], [partial('file-rows', 'innerMorph', `${row('b')}\n${row('a')}`)]],
  ['all others', ['a'], ['b'], [partial('file-rows', 'innerMorph', row('b'))]],
])('%s: no more is sent than that', (_, before, now, sent) => {
  const drawn = (names: string[]) => list(...names.map((name) => row(name)));
  expect(changesSince(drawn(before), drawn(now))).toBe(sent.join('\n'));
});

test('of a row that changed, this row is sent', () => {
  expect(changesSince(list(row('a'), row('b')), list(row('a'), row('b', 'saved')))).toBe(
    partial('row-b', 'outerMorph', row('b', 'saved')),
  );
});

test('a list that was not there comes with its region', () => {
  const before = { title: null, regions: { files: plain('<p>None yet.</p>'), head: plain('cat') } };
  const now = list(row('a'));
  expect(changesSince(before, now)).toBe(partial('files', 'innerMorph', wholeRegion(now.regions.files)));
});
