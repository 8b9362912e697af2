import { describe, expect, test } from 'vitest';
import { explainEnd } from '../../../sidecar/trainers/causes/explainEnd.js';
import type { Exit, Explanation } from '../../../sidecar/trainers/dialect.js';
import { fixture } from '../fixtures.js';

const launcherFailed: Exit = { code: 1, signal: null, oomKilled: false, oomKills: null };

describe('what a failed run of sd-scripts printed becomes a sentence', () => {
  test.each([
    ['bad_out_finished', launcherFailed, /^Nothing is left to train/],
    ['bad_out_missingdir', launcherFailed, /^The state folder \/gpu-pod\/run\/out1\/nope-state no longer exists/],
    ['bad_out_noopt', launcherFailed, /^\/gpu-pod\/run\/bad\/noopt\/optimizer\.bin is missing\.$/],
    ['bad_out_otherdim', launcherFailed, /^The state folder has a network of another size\./],
    [
      'badtoml',
      launcherFailed,
      /^dataset\.toml has a key that the trainer does not know: data\['general'\]\['bogus_key'\]\.$/,
    ],
    ['broken_cache', launcherFailed, /^A cache file beside the pictures is broken.*Clear the caches/],
    ['hub_offline', launcherFailed, /^A tokenizer that the trainer needs is not on this disk/],
    ['unknown_argument', launcherFailed, /^The trainer does not know these arguments: --bogus_flag=1\. Remove them\.$/],
    [
      'nodata',
      { code: 0, signal: null, oomKilled: false, oomKills: null },
      /^The trainer found no pictures in the dataset\./,
    ],
    ['sig_child_SIGKILL', launcherFailed, /^The trainer was killed \(SIGKILL\).*most likely.*RAM/],
    ['sig_group_SIGTERM', { code: null, signal: 'SIGTERM', oomKilled: false, oomKills: null }, /ended by SIGTERM/],
    ['sig_launcher_SIGTERM', { code: null, signal: 'SIGTERM', oomKilled: false, oomKills: null }, /ended by SIGTERM/],
  ])('%s', (name, exit, sentence) => {
    expect(explainEnd(fixture(`failures/${name}.stderr.log`), exit).words).toMatch(sentence);
  });

  test('a run that went well has nothing to explain', () => {
    const log = fixture('failures/bad_out_norand.stderr.log');
    expect(explainEnd(log, { code: 0, signal: null, oomKilled: false, oomKills: null }).words).toBeNull();
  });
});

const traceback = (exception: string) =>
  `steps:   4%|4 | 1/24 [00:01<00:37,  1.63s/it]Traceback (most recent call last):\n  File "train.py", line 1, in <module>\n    go()\n    ^^^^\n${exception}\n`;

describe('known causes', () => {
  test.each([
    ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.', /^The GPU ran out of memory/],
    ['torch.cuda.OutOfMemoryError: CUDA out of memory.', /^The GPU ran out of memory/],
    [
      'safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)',
      /^The disk is full/,
    ],
    ['OSError: [Errno 28] No space left on device', /^The disk is full/],
    ["ModuleNotFoundError: No module named 'bitsandbytes'", /^The Python package bitsandbytes is missing/],
    ['zipfile.BadZipFile: File is not a zip file', /^A cache file beside the pictures is broken/],
    [
      "PIL.UnidentifiedImageError: cannot identify image file '/d/a.png'",
      /^\/d\/a\.png is not a picture that can be read/,
    ],
    [
      'huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the file',
      /^The model hub \(huggingface\.co\) could not be reached/,
    ],
    ['MemoryError', /^The pod ran out of memory \(RAM\)/],
    ['KeyboardInterrupt', /interrupted \(SIGINT\)/],
    [
      'trackside._practice.pictures.PictureError: /d/a.png: the palette is missing',
      /^A picture cannot be read: \/d\/a\.png: the palette is missing\.$/,
    ],
    ['mine.OwnError: it rained', /^The trainer stopped with an error: mine\.OwnError: it rained$/],
  ])('%s', (exception, sentence) => {
    expect(explainEnd(traceback(exception), launcherFailed).words).toMatch(sentence);
  });

  test.each([
    ['RuntimeError: CUDA error: out of memory', /^The GPU ran out of memory.*then resume/],
    ['RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 192 vs 86', /^The disk is full/],
    [
      "zipfile.BadZipFile: Bad CRC-32 for file 'latents_64x64.npy'",
      /^A cache file beside the pictures is broken.*Clear the caches/,
    ],
    [
      "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
      /^The model hub \(huggingface\.co\) could not be reached/,
    ],
    [
      'huggingface_hub.errors.GatedRepoError: 401 Client Error.',
      /^The licence of a model has to be accepted.*HF_TOKEN/,
    ],
    ['RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error.', /\/dev\/shm/],
  ])('%s', (exception, sentence) => {
    expect(explainEnd(traceback(exception), launcherFailed).words).toMatch(sentence);
  });

  test('of several GPUs: the exception of a process, not what torchrun says of it, nor that it was told to end', () => {
    const log = `[rank0]: Traceback (most recent call last):\n[rank0]:   File "train.py", line 1, in <module>\n[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n${traceback('torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ')}`;
    expect(explainEnd(log, launcherFailed).words).toMatch(/^The GPU ran out of memory/);
    const killed = `${traceback('torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ')}  exitcode  : -9 (pid: 71)\n  traceback : Signal 9 (SIGKILL) received by PID 71\n`;
    expect(explainEnd(killed, launcherFailed).words).toMatch(/^The trainer was killed \(SIGKILL\).*RAM/);
    const ended = traceback('torch.distributed.elastic.multiprocessing.api.SignalException: Process 7 got signal: 15');
    expect(explainEnd(ended, { code: null, signal: 'SIGTERM', oomKilled: false, oomKills: null }).words).toMatch(
      /ended by SIGTERM/,
    );
  });

  test('a module that made no network ends with exit code 0, and is named', () => {
    const log = 'import network module: lycoris.kohya\n';
    expect(explainEnd(log, { ...launcherFailed, code: 0 }).words).toMatch(
      /^The network module lycoris\.kohya made no network/,
    );
    expect(explainEnd(`${log}prepare optimizer, data loader etc.\n`, { ...launcherFailed, code: 0 }).words).toBeNull();
  });

  test('only a broken cache is mended by clearing the caches', () => {
    const code = (exception: string) => explainEnd(traceback(exception), launcherFailed).code;
    expect(code('zipfile.BadZipFile: File is not a zip file')).toBe('broken_cache');
    expect(code('MemoryError')).toBe('ram');
  });

  test('two ends are the same by their code, whatever the words hold', () => {
    const code = (exception: string) => explainEnd(traceback(exception), launcherFailed).code;
    expect(code("FileNotFoundError: [Errno 2] No such file or directory: '/a'")).toBe('file_missing');
    expect(code('torch.linalg.LinAlgError: at 0x7f12, step 12')).toMatch(/^exception:LinAlgError:[0-9a-f]{8}$/);
    expect(code('torch.linalg.LinAlgError: at 0x7f12, step 12')).toBe(
      code('torch.linalg.LinAlgError: at 0x88b1, step 9'),
    );
    expect(code('RuntimeError: one')).not.toBe(code('RuntimeError: another'));
    expect(explainEnd('gone\n', { ...launcherFailed, code: 3 }).code).toMatch(/^exit:3:/);
    expect(explainEnd('', { ...launcherFailed, code: null, signal: 'SIGABRT' }).code).toBe('crash');
  });

  test('of a chain of exceptions the last one counts, and the launcher never', () => {
    const log = `${traceback('KeyError: 1')}\nDuring handling of the above exception, another exception occurred:\n\n${traceback('ValueError: two')}${traceback("subprocess.CalledProcessError: Command '[]' returned non-zero exit status 1.")}`;
    expect(explainEnd(log, launcherFailed).words).toBe('The trainer stopped with an error: ValueError: two');
  });

  test('arguments that the parser refuses are named', () => {
    const unknown = 'usage: train.py [-h]\ntrain.py: error: unrecognized arguments: --bogus=1\n';
    expect(explainEnd(unknown, { ...launcherFailed, code: 2 }).words).toBe(
      'The trainer does not know these arguments: --bogus=1. Remove them.',
    );
    const invalid = "usage: train.py [-h]\ntrain.py: error: argument --seed: invalid int value: 'x'\n";
    expect(explainEnd(invalid, { ...launcherFailed, code: 2 }).words).toMatch(/argument --seed: invalid int value/);
  });

  test('the kernel that ended it for want of memory is named', () => {
    expect(explainEnd('', { code: null, signal: 'SIGKILL', oomKilled: true, oomKills: 1 }).words).toMatch(
      /ran out of memory \(RAM\)/,
    );
  });

  test.each([
    ['behind a launcher', 'sig_child_SIGKILL', launcherFailed],
    ['directly', null, { ...launcherFailed, code: null, signal: 'SIGKILL' }],
  ])('killed %s: memory is named only where no counter says that it was not', (_, name, exit) => {
    const log = name ? fixture(`failures/${name}.stderr.log`) : '';
    expect(explainEnd(log, { ...exit, oomKills: 0 }).words).toBe(
      "The trainer was killed from outside (SIGKILL); the pod's out-of-memory counter did not move.",
    );
    for (const oomKills of [null, 1]) expect(explainEnd(log, { ...exit, oomKills }).words).toMatch(/most likely.*RAM/);
  });
});

test('a bar that the exception ends, drawn once more with the steps since it was last drawn, is no going on', () => {
  const draw = (step: number) => `\rsteps:  14%|█▍        | ${step}/1000 [00:02<00:15, 54.24it/s]`;
  const raised = traceback("KeyError: 'mine'").replace(/^.*?Traceback/, `${draw(100)}${draw(130)}Traceback`);
  const failed = "The trainer stopped with an error: KeyError: 'mine'";
  expect(explainEnd(raised + draw(138), launcherFailed).words).toBe(failed);
  // Two draws of it are a training that goes on behind an error that was caught.
  expect(explainEnd(raised + draw(138) + draw(139), launcherFailed).words).not.toBe(failed);
});

test('anything else shows its last words, and no bar', () => {
  const log = 'loading\nit is raining\n\rsteps:   4%|4 | 1/24 [00:01<00:37,  1.63s/it]\n\n';
  expect(explainEnd(log, { ...launcherFailed, code: 3 }).words).toBe(
    'The trainer ended with exit code 3. Its last words: “it is raining”',
  );
  expect(explainEnd('', { ...launcherFailed, code: 3 }).words).toBe('The trainer ended with exit code 3.');
});

describe('whether the same may be tried again by itself', () => {
  test.each<[string, Exit, Explanation['again']]>([
    ['bad_out_finished', launcherFailed, 'repeats'],
    ['bad_out_missingdir', launcherFailed, 'repeats'],
    ['bad_out_noopt', launcherFailed, 'repeats'],
    ['bad_out_otherdim', launcherFailed, 'repeats'],
    ['badtoml', launcherFailed, 'repeats'],
    ['nodata', { code: 0, signal: null, oomKilled: false, oomKills: null }, 'repeats'],
    ['sig_child_SIGKILL', launcherFailed, null],
    ['sig_group_SIGTERM', { code: null, signal: 'SIGTERM', oomKilled: false, oomKills: null }, 'by hand'],
    ['sig_launcher_SIGTERM', { code: null, signal: 'SIGTERM', oomKilled: false, oomKills: null }, 'by hand'],
  ])('after %s', (name, exit, expected) => {
    expect(explainEnd(fixture(`failures/${name}.stderr.log`), exit).again).toBe(expected);
  });

  test.each<[string, Explanation['again']]>([
    ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.', null],
    ['RuntimeError: CUDA error: an illegal memory access was encountered', null],
    ['requests.exceptions.ConnectionError: the hub is away', null],
    ['mine.OwnError: it rained', null],
    ['OSError: [Errno 28] No space left on device', 'repeats'],
    ['OSError: [Errno 122] Disk quota exceeded', 'repeats'],
    ["ModuleNotFoundError: No module named 'bitsandbytes'", 'repeats'],
    ['ImportError: cannot import name x', 'repeats'],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/models/flux.safetensors'", 'repeats'],
    ['KeyboardInterrupt', 'by hand'],
  ])('after %s', (exception, expected) => {
    expect(explainEnd(traceback(exception), launcherFailed).again).toBe(expected);
  });

  test('after refused arguments never, after the kernel took it for its memory yes', () => {
    const unknown = 'usage: train.py [-h]\ntrain.py: error: unrecognized arguments: --bogus=1\n';
    expect(explainEnd(unknown, { ...launcherFailed, code: 2 }).again).toBe('repeats');
    expect(explainEnd('', { code: null, signal: 'SIGKILL', oomKilled: true, oomKills: 1 }).again).toBeNull();
  });
});
