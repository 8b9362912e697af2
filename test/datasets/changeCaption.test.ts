import { expect, test } from 'vitest';
import { type CaptionChange, changeCaption, tagsOf } from '../../sidecar/datasets/changeCaption.js';

const add: CaptionChange = { do: 'add', word: 'gngrcat' };
const remove: CaptionChange = { do: 'remove', word: 'gngrcat' };

test.each<[string, CaptionChange, string, string]>([
  ['put in front', add, 'a cat, asleep\r\n', 'gngrcat, a cat, asleep\r\n'],
  ['not put in twice', add, 'a photo of gngrcat, asleep', 'a photo of gngrcat, asleep'],
  ['put in beside a longer word', add, 'gngrcats, asleep', 'gngrcat, gngrcats, asleep'],
  ['put behind the mark of the byte order', add, '\ufeffa cat', '\ufeffgngrcat, a cat'],
  ['put in before a second line', add, 'a cat\nof gngrcat', 'gngrcat, a cat\nof gngrcat'],
  ['taken from the front', remove, 'gngrcat, a cat', 'a cat'],
  ['taken from the middle', remove, 'a cat,  gngrcat,asleep', 'a cat,  asleep'],
  ['taken from the end, with the line break kept', remove, 'a cat, gngrcat\r\n', 'a cat\r\n'],
  ['taken from a sentence', remove, 'a photo of gngrcat on a sofa', 'a photo of on a sofa'],
  ['taken from the end of a sentence', remove, 'a photo of gngrcat', 'a photo of'],
  ['taken everywhere', remove, 'gngrcat, a cat, gngrcat', 'a cat'],
  ['taken, and nothing is left', remove, 'gngrcat', ''],
  ['left in longer words', remove, 'gngrcats, xgngrcat, gngrcat_2', 'gngrcats, xgngrcat, gngrcat_2'],
  ['taken although it is no letter', { do: 'remove', word: '<3' }, 'a cat, <3, b', 'a cat, b'],
  ['of another script', { do: 'remove', word: '猫' }, '黒猫, 猫, 犬', '黒猫, 犬'],
  ['replaced literally', { do: 'replace', find: 'a.c', with: '$&' }, 'a.c abc a.c', '$& abc $&'],
  ['replaced by nothing', { do: 'replace', find: ', blurry', with: '' }, 'a, blurry, b, blurry', 'a, b'],
])('a word is %s', (_, change, before, after) => {
  expect(changeCaption(before, change)).toBe(after);
});

test('tags are what stands between commas on the first line, each once', () => {
  expect(tagsOf('\ufeff a cat,asleep , ,a cat\nsecond, line')).toEqual(['a cat', 'asleep']);
});
