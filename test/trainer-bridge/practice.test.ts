import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  barLines,
  datasetConfig,
  type Ended,
  exampleDataset,
  lastLine,
  logRecords,
  newFolder,
  practice,
  root,
  trainStateIn,
} from './practiceRun.js';

const stateFiles = ['train_state.json', 'model.safetensors', 'optimizer.bin', 'scheduler.bin', 'random_states_0.pkl'];
const fixture = (path: string) => readFileSync(join(root, 'test/fixtures/sd-scripts', path), 'utf8');

const folder = newFolder();
const output = join(folder, 'out1');
let config: string;
let run: Ended;
let resumed: Ended;

const flags = (to: string, ...more: string[]) => [
  ...['--dataset_config', config, '--output_dir', to, '--output_name', 'mylora', '--seed', '42'],
  ...['--save_every_n_epochs', '1', '--save_state', ...more],
];
const shortRun = (to: string, ...more: string[]) => flags(to, '--max_train_epochs', '3', ...more);

/** The run that the fixtures recorded: 4 pictures, 2 repeats, 3 epochs, a step save every 5 steps; then a resume after epoch 1. */
beforeAll(async () => {
  config = exampleDataset(folder, 4, 2);
  const prompts = join(folder, 'prompts.txt');
  writeFileSync(
    prompts,
    '# comment\ntrks style, night --n low quality --w 70 --h 64 --d 42 --s 2\ntrks style --w 64 --h 64 --s 2\n',
  );
  const logs = ['--logging_dir', join(output, 'logs'), '--log_prefix', 'first-'];
  const samples = ['--sample_prompts', prompts, '--sample_every_n_epochs', '1', '--sample_at_first'];
  run = await practice(shortRun(output, '--save_every_n_steps', '5', ...logs, ...samples), { cwd: folder });
  const state = ['--resume', join(output, 'mylora-000001-state')];
  resumed = await practice(shortRun(join(folder, 'outA'), '--save_every_n_steps', '5', ...state));
});

describe('a run', () => {
  test('ends well and writes the files that sd-scripts writes', () => {
    expect(run).toMatchObject({ code: 0, signal: null });
    expect(readdirSync(output).sort()).toEqual([
      'logs',
      ...['mylora-000001-state', 'mylora-000001.safetensors', 'mylora-000002-state', 'mylora-000002.safetensors'],
      'mylora-state',
      ...[5, 10, 15, 20].flatMap((step) => {
        const name = `mylora-step${String(step).padStart(8, '0')}`;
        return [`${name}-state`, `${name}.safetensors`];
      }),
      'mylora.safetensors',
      'sample',
    ]);
  });

  test('leaves complete state folders, written in the order that sd-scripts keeps', () => {
    for (const name of readdirSync(output).filter((entry) => entry.endsWith('-state'))) {
      const files = stateFiles.map((file) => join(output, name, file));
      expect(readdirSync(join(output, name)).sort()).toEqual([...stateFiles].sort());
      const times = files.map((file) => statSync(file, { bigint: true }).mtimeNs);
      expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
      for (const file of files.slice(2)) expect(readFileSync(file).subarray(-22, -18).toString()).toBe('PK\x05\x06');
    }
    expect(readFileSync(join(output, 'mylora-000002-state/train_state.json'), 'utf8')).toBe(
      '{"current_epoch": 2, "current_step": 16}',
    );
    expect(trainStateIn(join(output, 'mylora-step00000005-state'))).toEqual({ current_epoch: 1, current_step: 5 });
    expect(trainStateIn(join(output, 'mylora-state'))).toEqual({ current_epoch: 3, current_step: 24 });
  });

  test('prints on stdout, byte for byte, what sd-scripts prints', () => {
    expect(run.stdout).toBe(fixture('full-run/stdout.log').replaceAll('/gpu-pod/run', folder));
  });

  test('shows a bar that reads like the one of sd-scripts, twice a step', () => {
    const steps = (text: string) => barLines(text).map(({ step, total }) => `${step}/${total}`);
    expect(new Set(steps(run.stderr))).toEqual(new Set(steps(fixture('full-run/stderr.log'))));
    expect(steps(run.stderr).filter((text) => text === '7/24')).toHaveLength(2);
  });

  test('learns: the loss falls', () => {
    const losses = barLines(run.stderr).flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]));
    expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] ?? 0));
  });

  test('draws samples that change as the training goes on', () => {
    const names = readdirSync(join(output, 'sample')).sort();
    expect(names.map((name) => name.replace(/\d{14}/, 'TIME'))).toEqual(
      [0, 1, 2, 3].flatMap((epoch) => [`mylora_e00000${epoch}_00_TIME_42.png`, `mylora_e00000${epoch}_01_TIME.png`]),
    );
    const seeded = names
      .filter((name) => name.endsWith('_42.png'))
      .map((name) => readFileSync(join(output, 'sample', name)));
    expect(new Set(seeded.map((png) => png.toString('base64'))).size).toBe(4);
    expect(seeded[0]?.readUInt32BE(16)).toBe(64);
  });

  test('writes its scalars for TensorBoard', () => {
    const [run] = readdirSync(join(output, 'logs'));
    expect(run).toMatch(/^first-\d{14}$/);
    const [file = ''] = readdirSync(join(output, 'logs', run ?? '', 'network_train'));
    expect(file).toMatch(/^events\.out\.tfevents\.\d+\..+\.\d+\.0$/);
    const events = readFileSync(join(output, 'logs', run ?? '', 'network_train', file));
    // The first record's frame is checksum for checksum the one that TensorBoard's own writer made.
    const own = readFileSync(
      join(
        root,
        'test/fixtures/sd-scripts/full-run/logs/20261122012340/network_train/events.out.tfevents.1795310633.vm.16098.0',
      ),
    );
    expect(events.subarray(0, 12)).toEqual(own.subarray(0, 12));
    const points = (tag: string, bytes: Buffer) => bytes.toString('latin1').split(tag).length - 1;
    for (const tag of ['loss/current', 'loss/average', 'lr/unet', 'loss/epoch_average'])
      expect(points(tag, events)).toBe(points(tag, own));
  });

  test('ends with a LoRA that the safetensors package loads, and that says how it was made', () => {
    const script = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], "numpy") as file:
    shapes = {name: list(file.get_tensor(name).shape) for name in file.keys()}
    print(json.dumps({"shapes": shapes, "metadata": file.metadata()}))`;
    const env = { PATH: process.env.PATH, PYTHONPATH: join(root, '.cache/python') };
    const { shapes, metadata } = JSON.parse(
      execFileSync('python3', ['-c', script, join(output, 'mylora-000002.safetensors')], { env, encoding: 'utf8' }),
    );
    expect(shapes).toMatchObject({
      'lora_unet_patch.lora_down.weight': [4, 48],
      'lora_unet_patch.lora_up.weight': [48, 4],
    });
    expect(metadata).toMatchObject({
      ss_epoch: '2',
      ss_steps: '16',
      ss_network_dim: '4',
      ss_network_alpha: '1.0',
      ss_seed: '42',
    });
    expect(JSON.parse(metadata.ss_dataset_dirs)).toEqual({ ds: { n_repeats: 2, img_count: 4 } });
    expect(JSON.parse(metadata.ss_tag_frequency).ds['trks style']).toBe(4);
  });
});

describe('a resumed run', () => {
  test('logs the records of a resumed sd-scripts run in the same order', () => {
    const story = (stderr: string) => {
      const sources = logRecords(stderr).map(({ source }) => source);
      const shown = sources.slice(sources.indexOf('train_util.py:4777'));
      return shown.filter((source, i) => source !== shown[i - 1] || source !== 'train_util.py:784');
    };
    const theirs = story(fixture('interrupted-run/stderr.log'));
    expect(story(resumed.stderr)).toEqual(
      theirs.map((source) => (source === 'checkpointing.py:297' ? 'checkpointing.py:295' : source)),
    );
    const where = (text: string) => logRecords(text).filter(({ message }) => message.startsWith('saving state'));
    expect(where(resumed.stderr)).toEqual(where(fixture('interrupted-run/stderr.log')));
  });

  test('starts its bar and its step at 0 again, names step files from there, and still means success', () => {
    expect(resumed.code).toBe(0);
    const bar = barLines(resumed.stderr);
    expect(bar[0]).toMatchObject({ step: 0, total: 24 });
    expect(bar.at(-1)).toMatchObject({ step: 16, total: 24 });
    expect(resumed.stdout).toContain('epoch 2/3');
    expect(resumed.stdout).not.toContain('epoch 1/3');
    expect(trainStateIn(join(folder, 'outA/mylora-000002-state'))).toEqual({ current_epoch: 2, current_step: 8 });
    expect(existsSync(join(folder, 'outA/mylora-step00000015-state'))).toBe(true);
  });

  test('starts too early when it is resumed once more without --initial_epoch, and right with it', async () => {
    const args = ['--max_train_epochs', '4', '--resume', join(folder, 'outA/mylora-state')];
    const plain = await practice(flags(join(folder, 'outB'), ...args));
    expect(plain.stdout).toContain('epoch 3/4');
    const right = await practice(flags(join(folder, 'outC'), ...args, '--initial_epoch', '4'));
    expect(right.stdout).not.toContain('epoch 3/4');
    expect(right.stdout).toContain('epoch 4/4');
    expect(right.stderr).toContain('steps from the state is ignored');
  });

  test('ends bit for bit where an uninterrupted run ends, after kills at random moments', () => {
    const script = join(root, 'test/trainer-bridge/prove_resume.py');
    const result = execFileSync('python3', [script, '--kills', '4', '--epochs', '5', '--repeats', '1'], {
      encoding: 'utf8',
    });
    expect(result).toContain('bit for bit the same');
  });

  const broken: [string, (state: string) => unknown, RegExp][] = [
    [
      'a folder that is missing',
      (state) => rm(state, { recursive: true }),
      /^ValueError: Tried to find .* but folder does not exist$/,
    ],
    ['no weights', (state) => rm(join(state, 'model.safetensors')), /^FileNotFoundError: .*pytorch_model\.bin'$/],
    [
      'cut weights',
      (state) => truncateSync(join(state, 'model.safetensors'), 900),
      /SafetensorError: .*file not fully covered$/,
    ],
    ['no optimizer', (state) => rm(join(state, 'optimizer.bin')), /^FileNotFoundError: .*optimizer\.bin'$/],
    [
      'a cut optimizer',
      (state) => truncateSync(join(state, 'optimizer.bin'), 900),
      /^RuntimeError: PytorchStreamReader failed/,
    ],
    ['an empty train_state.json', (state) => truncateSync(join(state, 'train_state.json')), /JSONDecodeError: /],
  ];
  test.each(broken)('refuses %s in the words of sd-scripts', async (_, damage, words) => {
    const state = await copyOf('mylora-000001-state');
    await damage(state);
    const ended = await practice(shortRun(join(folder, 'never'), '--resume', state));
    expect(ended.code).toBe(1);
    expect(lastLine(ended.stderr)).toMatch(words);
  });

  test('refuses the state of a finished run, and one of another rank', async () => {
    const finished = await practice(shortRun(join(folder, 'never'), '--resume', join(output, 'mylora-state')));
    expect(finished.code).toBe(1);
    expect(lastLine(finished.stderr)).toMatch(/^AssertionError: max_train_steps should be greater than .*: 24 vs 24$/);
    const state = ['--resume', join(output, 'mylora-000001-state'), '--network_dim', '8'];
    const other = await practice(shortRun(join(folder, 'never'), ...state));
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('RuntimeError: Error(s) in loading state_dict for LoRANetwork:');
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  test('accepts a state without random states or train_state.json, as sd-scripts does', async () => {
    const state = await copyOf('mylora-000002-state');
    await rm(join(state, 'random_states_0.pkl'));
    await rm(join(state, 'train_state.json'));
    const ended = await practice(flags(join(folder, 'outD'), '--max_train_epochs', '1', '--resume', state));
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('epoch 1/1');
    expect(ended.stderr).toContain('Could not load random states');
  });
});

describe('saving', () => {
  test('keeps only the newest epoch files when told so', async () => {
    const to = join(folder, 'kept');
    const ended = await practice(
      flags(to, '--max_train_epochs', '4', '--save_last_n_epochs', '2', '--save_last_n_epochs_state', '1'),
    );
    expect(readdirSync(to).sort()).toEqual([
      ...[
        'mylora-000002.safetensors',
        'mylora-000003-state',
        'mylora-000003.safetensors',
        'mylora-state',
        'mylora.safetensors',
      ],
    ]);
    expect(ended.stdout).toContain(`removing old checkpoint: ${join(to, 'mylora-000001.safetensors')}`);
    expect(ended.stderr).toContain(`removing old state: ${join(to, 'mylora-000002-state')}`);
  });

  test('a kill in the middle of it leaves the files so far, the last one cut', async () => {
    const to = join(folder, 'killed');
    const state = join(to, 'mylora-000001-state');
    const half = () => existsSync(join(state, 'optimizer.bin')) && statSync(join(state, 'optimizer.bin')).size > 0;
    const env = { PRACTICE_SAVE_SECONDS: '0.5' };
    const ended = await practice(shortRun(to), {
      env,
      killWhen: (text) => text.includes('Model weights saved') && waitFor(half),
    });
    expect(ended.signal).toBe('SIGKILL');
    expect(readdirSync(state).sort()).toEqual([...stateFiles.slice(0, 3)].sort());
    const size = (path: string) => statSync(path).size;
    expect(size(join(state, 'optimizer.bin'))).toBeLessThan(size(join(output, 'mylora-000001-state/optimizer.bin')));
  });

  test('happens on no signal: SIGKILL or not, what is not saved is lost, and a buffered stdout with it', async () => {
    const to = join(folder, 'lost');
    const ended = await practice(flags(to), {
      env: { PRACTICE_STEP_SECONDS: '0.05' },
      killWhen: (text) => text.includes(' 3/1600 '),
    });
    expect(ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(existsSync(to)).toBe(false);
  });

  test('accumulates gradients over batches, and ends the last step with the epoch', async () => {
    const to = join(folder, 'accumulated');
    const ended = await practice(flags(to, '--max_train_epochs', '1', '--gradient_accumulation_steps', '3'));
    expect(ended.stdout).toContain('total optimization steps / 学習ステップ数: 3\n');
    expect(barLines(ended.stderr).at(-1)).toMatchObject({ step: 3, total: 3 });
  });
});

describe('what cannot be trained', () => {
  test('an unknown flag is a usage error, and --help explains all known ones', async () => {
    const ended = await practice(['--network_train_unet_only', '--bogus', '1']);
    expect(ended.code).toBe(2);
    expect(lastLine(ended.stderr)).toBe(
      'practice_train_network.py: error: unrecognized arguments: --network_train_unet_only --bogus 1',
    );
    const help = await practice(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('PRACTICE_STEP_SECONDS');
  });

  test('no pictures: says so, exits 0 and writes nothing', async () => {
    const empty = newFolder();
    mkdirSync(join(empty, 'ds'));
    for (const pictures of ['ds', 'missing']) {
      const to = join(empty, 'out');
      const own = datasetConfig(empty, join(empty, pictures), 1);
      const ended = await practice(['--dataset_config', own, '--output_dir', to]);
      expect(ended.code).toBe(0);
      expect(ended.stderr).toMatch(/ERROR {4}No data found\. Please verify arguments/);
      expect(existsSync(to)).toBe(false);
    }
  });

  test('a dataset.toml with a key that does not belong there is named', async () => {
    const own = newFolder();
    const ended = await practice(['--dataset_config', datasetConfig(own, own, 1, 'bogus_key = 1')]);
    expect(ended.code).toBe(1);
    expect(lastLine(ended.stderr)).toMatch(
      /MultipleInvalid: extra keys not allowed @ data\['general'\]\['bogus_key'\]$/,
    );
  });

  test('other pictures than PNG, without Pillow: names the file and says what to do', async () => {
    for (const [name, kind] of [
      ['one.jpg', 'jpeg'],
      ['two.png', 'interlaced'],
    ] as const) {
      const own = newFolder();
      const picture = sharp({ create: { width: 9, height: 9, channels: 3, background: 'teal' } });
      writeFileSync(
        join(own, name),
        await (kind === 'jpeg' ? picture.jpeg() : picture.png({ progressive: true })).toBuffer(),
      );
      const ended = await practice(['--dataset_config', datasetConfig(own, own, 1)], { python: ['-S'] });
      expect(ended.code).toBe(1);
      expect(lastLine(ended.stderr)).toMatch(
        new RegExp(`PictureError: .*${name}: this is not a plain PNG picture, .*pip install pillow`),
      );
    }
  });

  test('a cut PNG is named', async () => {
    const own = newFolder();
    const png = await sharp({ create: { width: 40, height: 40, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    writeFileSync(join(own, 'cut.png'), png.subarray(0, -30));
    const ended = await practice(['--dataset_config', datasetConfig(own, own, 1)]);
    expect(ended.code).toBe(1);
    expect(lastLine(ended.stderr)).toMatch(/PictureError: .*cut\.png: the file is cut off$/);
  });
});

test('every plain kind of PNG can be trained on, in buckets of their shapes', async () => {
  const own = newFolder();
  const picture = () => sharp(join(root, 'trainer-bridge/example/01-morning.png')).resize(96, 64);
  const kinds = {
    rgb: picture(),
    rgba: picture().ensureAlpha(0.5),
    grey: picture().greyscale(),
    palette: picture().png({ palette: true, colours: 16 }),
    deep: picture().toColourspace('rgb16'),
  };
  for (const [name, kind] of Object.entries(kinds))
    writeFileSync(join(own, `${name}.png`), await kind.png().toBuffer());
  const buckets =
    'enable_bucket = true\nmin_bucket_reso = 32\nbucket_reso_steps = 16\nflip_aug = true\nclass_tokens = "trks style"';
  const to = join(own, 'out');
  const ended = await practice([
    '--dataset_config',
    datasetConfig(own, own, 1, buckets),
    '--output_dir',
    to,
    '--max_train_epochs',
    '1',
  ]);
  expect(ended.stderr).toContain('bucket 0: resolution (80, 48), count: 5');
  expect(ended.code).toBe(0);
  expect(readdirSync(to)).toEqual(['last.safetensors']);
});

async function copyOf(name: string): Promise<string> {
  const copy = join(newFolder(), name);
  await cp(join(output, name), copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** Waits, without giving way, for what the trainer does within its next pause. */
function waitFor(condition: () => boolean): true {
  const deadline = Date.now() + 5000;
  while (!condition()) if (Date.now() > deadline) throw new Error('the trainer did not go on');
  return true;
}
