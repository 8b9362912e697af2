import { execFile } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bridge } from '../../sidecar/bridge.js';
import { findTrainer, trainers } from '../../sidecar/trainers/catalogue.js';
import { datasetConfig } from '../../sidecar/trainers/datasetConfig.js';
import { expectedSteps } from '../../sidecar/trainers/expectedSteps.js';
import type { TrainingInput } from '../../sidecar/trainers/trainer.js';
import { readTrainingSettings } from '../../sidecar/trainers/trainingSettings.js';
import { trainScript } from '../../sidecar/trainers/trainScript.js';
import { temporaryFolder } from './fixtures.js';

const run = promisify(execFile);
const places = {
  models: '/models',
  sdScripts: '/nowhere',
  python: 'python3',
  root: '/nowhere',
  private: '/nowhere',
  trainers: '',
};
const practice = findTrainer(places, 'practice');

function input(more: Partial<TrainingInput> = {}, settings: Record<string, unknown> = {}): TrainingInput {
  return {
    settings: readTrainingSettings(practice.settings, settings),
    arguments: {},
    datasetPath: '/data/my cats',
    outputPath: '/out/cat',
    outputName: 'cat',
    resume: null,
    gpus: [],
    python: '/usr/bin/python3',
    ...more,
  };
}

test('practice is there to be trained with, and others are refused by name', () => {
  expect(trainers(places).map(({ id }) => id)).toEqual(['practice']);
  expect(() => findTrainer(places, 'nope')).toThrow('There is no trainer "nope" here. Available: practice.');
});

describe('the command', () => {
  test('a first start at the defaults', () => {
    expect(practice.command(input())).toEqual({
      cwd: bridge.folder,
      argv: [
        '/usr/bin/python3',
        bridge.practiceTrainer,
        '--dataset_config=/out/cat/dataset.toml',
        '--output_dir=/out/cat',
        '--output_name=cat',
        '--max_train_epochs=16',
        '--save_every_n_epochs=2',
        '--save_state',
        '--network_dim=4',
        '--learning_rate=4e-3',
        '--seed=42',
        '--sample_prompts=/out/cat/sample_prompts.txt',
        '--sample_every_n_steps=200',
        '--logging_dir=/out/cat/logs',
      ],
    });
  });

  test('a resume names its state folder and its first epoch', () => {
    const { argv } = practice.command(
      input({ resume: { statePath: '/out/cat/cat-000004-state', firstEpoch: 5, firstStep: 40 } }),
    );
    expect(argv.slice(-2)).toEqual(['--resume=/out/cat/cat-000004-state', '--initial_epoch=5']);
  });

  test('switches that are off leave their flags out', () => {
    const off = { enable_checkpointing: false, sample_every_n_steps: 0 };
    expect(practice.command(input({}, off)).argv.join(' ')).not.toMatch(/save_state|sample_every/);
    expect(practice.command(input({}, { sample_prompts: ' ' })).argv.join(' ')).not.toContain('sample_every');
  });

  test('further arguments are one token each, whatever they hold', () => {
    const { argv } = practice.command(
      input({ arguments: { log_prefix: '; touch /tmp/x', sample_at_first: true, network_alpha: '-2' } }),
    );
    expect(argv.slice(-3)).toEqual(['--log_prefix=; touch /tmp/x', '--sample_at_first', '--network_alpha=-2']);
  });
});

describe('the files beside it', () => {
  const contentOf = (name: string, given: TrainingInput) =>
    practice.files(given, practice.command(given)).find((file) => file.name === name)?.content ?? '';

  test('dataset.toml names the pictures, with buckets on', () => {
    const given = input({}, { concept_sentence: 'the cat\'s "hat" \\ 🐈', num_repeats: 3, resolution: 128 });
    expect(parse(contentOf('dataset.toml', given))).toEqual({
      general: { caption_extension: '.txt', shuffle_caption: false, keep_tokens: 1 },
      datasets: [
        {
          resolution: 128,
          batch_size: 1,
          enable_bucket: true,
          min_bucket_reso: 128,
          max_bucket_reso: 1024,
          subsets: [{ image_dir: '/data/my cats', class_tokens: 'the cat\'s "hat" \\ 🐈', num_repeats: 3 }],
        },
      ],
    });
  });

  test('any character in a trigger word survives', async () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (triggerWord) => {
        const folders = [{ imageDir: '/d', classWords: triggerWord, repeats: 1 }];
        const text = datasetConfig({ folders, resolution: 64, batchSize: 1 });
        expect(parse(text)).toMatchObject({ datasets: [{ subsets: [{ class_tokens: triggerWord }] }] });
      }),
    );
  });

  test('prompts one a line', () => {
    const given = input({}, { sample_prompts: 'a cat --d 1\r\nun café --w 64\r\n' });
    expect(contentOf('sample_prompts.txt', given)).toBe('a cat --d 1\nun café --w 64\n');
  });

  describe('train.sh, run by hand', () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    beforeEach(async () => {
      folder = await temporaryFolder();
    });
    afterEach(() => folder.remove());

    test('does the same: every word reaches the trainer as it was, and no word is run', async () => {
      const words = [
        "it's",
        '$(touch x)',
        '`touch y`',
        '; touch z',
        'a b',
        '',
        '"',
        '\\',
        '*',
        '-n',
        '!1',
        'é🐈',
        'a\nb',
        '~',
      ];
      const cwd = join(folder.path, "a 'folder' with $HOME");
      await mkdir(cwd);
      const print = 'import json, os, sys; print(json.dumps([os.getcwd(), sys.argv[1:]]))';
      const script = join(folder.path, 'train.sh');
      await writeFile(script, trainScript({ argv: ['python3', '-c', print, ...words], cwd }));
      const { stdout } = await run('bash', [script]);
      expect(JSON.parse(stdout)).toEqual([cwd, words]);
      await expect(stat(join(cwd, 'x'))).rejects.toThrow();
    });
  });
});

test.each([
  [{ images: 10, repeats: 10, epochs: 16, batchSize: 1, accumulation: 1 }, 1600],
  [{ images: 4, repeats: 2, epochs: 3, batchSize: 1, accumulation: 1 }, 24],
  [{ images: 4, repeats: 2, epochs: 3, batchSize: 1, accumulation: 3 }, 9],
  [{ images: 5, repeats: 1, epochs: 2, batchSize: 2, accumulation: 2 }, 4],
  [{ images: 0, repeats: 10, epochs: 16, batchSize: 1, accumulation: 1 }, 0],
])('%o takes %i steps', (training, steps) => {
  expect(expectedSteps(training)).toBe(steps);
});
