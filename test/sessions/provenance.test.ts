import { expect, test } from 'vitest';
import { type Comparable, differences } from '../../sidecar/sessions/provenance/differences.js';
import { pictureStatistics, spread, textStatistics } from '../../sidecar/sessions/provenance/pictures.js';

const picture = (file: string, width: number, height: number, caption: string | null) => ({
  ...{ file, stem: file, bytes: 100, width, height, caption },
  ...{ problem: null, revision: '' },
});

test('A spread has the mean, the median, the 95th percentile and the maximum', () => {
  expect(spread([])).toBeNull();
  expect(spread([7])).toEqual({ mean: 7, median: 7, p95: 7, max: 7 });
  const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
  expect(spread(hundred)).toEqual({ mean: 50.5, median: 50.5, p95: 95, max: 100 });
});

test('Pictures and captions are counted, with sizes, tokens and tags', () => {
  const files = [
    picture('a.png', 512, 768, "c4tsy, a cat's tail"),
    picture('b.png', 512, 768, 'c4tsy, red'),
    picture('c.png', 64, 64, null),
  ];
  expect(pictureStatistics(files)).toMatchObject({ count: 3, bytes: 300, sizes: { '512x768': 2, '64x64': 1 } });
  // c 4 tsy , a cat 's tail: as CLIP splits it.
  expect(textStatistics(files)).toMatchObject({
    captions: 2,
    without: 1,
    tokens: { max: 8 },
    tags: { c4tsy: 2, red: 1, "a cat's tail": 1 },
  });
});

const base: Comparable = {
  trackside: '1.0.0',
  command: {
    argv: ['python3', 'train_network.py', '--seed=1', '--output_dir=/o/cat', '--highvram'],
    cwd: '/',
    environment: {},
  },
  trainer: {
    id: 'sd-scripts/flux',
    script: null,
    folder: '/sd',
    commit: 'aaa',
    uncommitted: '',
    sha256: 'd'.repeat(64),
  },
  environment: { python: '3.11.2', torch: '2.6.0', gpu: null },
  packages: ['numpy==1.0', 'old==3', 'torch==2.6.0'],
  dataset: {
    ...{ name: 'cats', path: '/d/cats', fingerprint: 'f', repeats: 10 },
    files: [
      { file: 'a.png', bytes: 9, width: 1, height: 1, sha256: 'a'.repeat(64), caption: 'cat' },
      { file: 'b.png', bytes: 9, width: 1, height: 1, sha256: null, caption: null },
    ],
    pictures: { count: 2, bytes: 18, sizes: {}, width: null, height: null },
    text: { captions: 1, without: 1, characters: null, tokens: null, tags: {} },
  },
  models: [{ flag: 'vae', path: '/m/v', bytes: 5, modified_at: '2026-01-01T00:00:00.000Z', sha256: 'b'.repeat(64) }],
};
const own = { was: '/o/cat', now: '/o/cat-v2' };
const told = (now: Partial<Comparable>) => differences(base, { ...base, ...now }, own).map(({ what }) => what);

test('The same training differs in nothing, wherever its own folder and its model are', () => {
  const argv = base.command.argv.with(3, '--output_dir=/o/cat-v2');
  const moved = base.models.map((each) => ({ ...each, path: '/elsewhere', modified_at: '2026-09-09T00:00:00.000Z' }));
  expect(told({ command: { ...base.command, argv }, models: moved })).toEqual([]);
});

test.each<[string, Partial<Comparable>, string[]]>([
  [
    'a flag',
    { command: { ...base.command, argv: ['python3', 'x.py', '--seed=2', '--fp8'] } },
    ['--seed', '--highvram', '--fp8'],
  ],
  ['a commit', { trainer: { ...base.trainer, commit: 'bbb' } }, ['Commit of the trainer']],
  ['an edit', { trainer: { ...base.trainer, uncommitted: '+x\n' } }, ['Uncommitted changes of the trainer']],
  ['another script', { trainer: { ...base.trainer, sha256: 'c'.repeat(64) } }, ['Script']],
  ['torch', { environment: { ...base.environment, torch: '2.7' } }, ['torch']],
  ['a GPU that nobody recorded', { environment: { ...base.environment, gpu: 'H200' } }, []],
  ['packages', { packages: ['new==1', 'numpy==2.0', 'torch==2.7'] }, ['Package new', 'Package numpy', 'Package old']],
  ['a model', { models: base.models.map((each) => ({ ...each, sha256: 'c'.repeat(64) })) }, ['Model --vae']],
  ['a model that is gone', { models: base.models.map((each) => ({ ...each, bytes: null })) }, ['Model --vae']],
  [
    'pictures',
    {
      dataset: base.dataset && {
        ...base.dataset,
        files: base.dataset.files
          .slice(0, 1)
          .map((each) => ({ ...each, sha256: 'd'.repeat(64), caption: 'dog' }))
          .concat([{ file: 'c.png', bytes: 1, width: 1, height: 1, sha256: null as never, caption: 'x' }]),
      },
    },
    ['Picture a.png', 'Caption of a.png', 'Picture b.png', 'Picture c.png'],
  ],
])('What differs today names %s', (_, now, lines) => {
  expect(told(now)).toEqual(lines);
});
