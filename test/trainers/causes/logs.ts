import type { Exit } from '../../../sidecar/trainers/dialect.js';

/**
 * Logs of trainings that ended, built of the pieces that sd-scripts, its launchers and Python print. The shapes follow real
 * logs (test/fixtures/sd-scripts/failures) and what people posted in public.
 */

const PYTHON = '/pod/venv/bin/python';
const PACKAGES = '/pod/venv/lib/python3.10/site-packages';

export const failed: Exit = { code: 1, signal: null, oomKilled: false, oomKills: null };
export const succeeded: Exit = { ...failed, code: 0 };
export const ended = (code: number): Exit => ({ ...failed, code });
export const endedBy = (signal: string, oomKills: number | null = null): Exit => ({
  code: null,
  signal,
  oomKilled: false,
  oomKills,
});

/** What sd-scripts says before it trains. */
export const PREPARED = `2026-02-03 10:11:12 INFO     Loading settings from /pod/outputs/cat/config.toml...   train_util.py:4744
                    INFO     prepare tokenizer                                       strategy_sd.py:28
                    INFO     Use DreamBooth method.                                 train_network.py:499
                    INFO     prepare images.                                          train_util.py:1815
                    INFO     found directory /pod/datasets/cat/10_cat contains 20      train_util.py:1762
                             image files
                    INFO     200 train images with repeating.                         train_util.py:1856
                    INFO     [Dataset 0]                                             config_util.py:575
100%|██████████| 20/20 [00:00<00:00, 2216.52it/s]
                    INFO     make buckets                                             train_util.py:1015
`;
export const TRAINING = `${PREPARED}                    INFO     loading model for process 0/1                            train_util.py:5220
                    INFO     import network module: networks.lora                   train_network.py:640
                    INFO     prepare optimizer, data loader etc.                    train_network.py:712
running training / 学習開始
  num train images * repeats / 学習画像の数×繰り返し回数: 200
  num epochs / epoch数: 8
  total optimization steps / 学習ステップ数: 1600
steps:   0%|          | 0/1600 [00:00<?, ?it/s]
epoch 1/8
steps:   1%|          | 12/1600 [00:11<25:41,  1.03it/s, avr_loss=0.112]`;
/** Bars are drawn over and over with carriage returns. */
export const bars = (from: number, to: number): string =>
  Array.from(
    { length: to - from },
    (_, at) => `\rsteps:   2%|▏         | ${from + at}/1600 [00:20<25:41, 1.03it/s]`,
  ).join('');

type Frame = [file: string, line: number, name: string, source?: string];

const FRAMES: Frame[] = [
  ['/pod/sd-scripts/train_network.py', 1913, '<module>', 'trainer.train(args)'],
  [`${PACKAGES}/torch/nn/modules/module.py`, 1518, '_wrapped_call_impl', 'return self._call_impl(*args, **kwargs)'],
  [`${PACKAGES}/torch/nn/modules/module.py`, 1527, '_call_impl', 'return forward_call(*args, **kwargs)'],
];
export const LOADING: Frame[] = [
  ['/pod/sd-scripts/train_network.py', 1913, '<module>', 'trainer.train(args)'],
  [
    '/pod/sd-scripts/train_network.py',
    600,
    'train',
    'model_version, text_encoder, vae, unet = self.load_target_model(args, weight_dtype, accelerator)',
  ],
  ['/pod/sd-scripts/library/train_util.py', 5100, '_load_target_model', 'state_dict = load_file(path)'],
];
export const TOKENIZER: Frame[] = [
  ['/pod/sd-scripts/flux_train_network.py', 540, '<module>', 'trainer.train(args)'],
  [
    '/pod/sd-scripts/library/strategy_base.py',
    65,
    '_load_tokenizer',
    'tokenizer = model_class.from_pretrained(model_id)',
  ],
  [`${PACKAGES}/transformers/tokenization_utils_base.py`, 2046, 'from_pretrained', 'raise EnvironmentError('],
];
export const CACHING: Frame[] = [
  ['/pod/sd-scripts/train_network.py', 1913, '<module>', 'trainer.train(args)'],
  [
    '/pod/sd-scripts/library/train_util.py',
    1148,
    'new_cache_latents',
    'caching_strategy.cache_batch_latents(model, batch)',
  ],
];
export const RESUMING: Frame[] = [
  [
    '/pod/sd-scripts/train_network.py',
    1100,
    'train',
    'train_util.resume_from_local_or_hf_if_specified(accelerator, args)',
  ],
  [
    '/pod/sd-scripts/library/train_util.py',
    4772,
    'resume_from_local_or_hf_if_specified',
    'accelerator.load_state(args.resume)',
  ],
  [`${PACKAGES}/accelerate/accelerator.py`, 3377, 'load_state', 'load_accelerator_state('],
];
export const SAVING: Frame[] = [
  [
    '/pod/sd-scripts/train_network.py',
    1690,
    'train',
    'save_model(ckpt_name, accelerator.unwrap_model(network), global_step, epoch + 1)',
  ],
  ['/pod/sd-scripts/networks/lora.py', 1276, 'save_weights', 'save_file(state_dict, file, metadata)'],
  [
    `${PACKAGES}/safetensors/torch.py`,
    286,
    'save_file',
    'serialize_file(_flatten(tensors), filename, metadata=metadata)',
  ],
];
export const IMPORTING: Frame[] = [
  ['/pod/sd-scripts/train_network.py', 20, '<module>', 'import library.train_util as train_util'],
  ['/pod/sd-scripts/library/train_util.py', 40, '<module>', 'import diffusers'],
];

/** A traceback as a Python of that version prints it. */
export function traceback(exception: string, frames: Frame[] = FRAMES, python: 8 | 10 | 11 | 13 = 10): string {
  const lines = frames.flatMap(([file, line, name, source]) => [
    `  File "${file}", line ${line}, in ${name}`,
    ...(source ? [`    ${source}`] : []),
    ...(source && python === 11 ? [`    ${'^'.repeat(source.length)}`] : []),
    ...(source && python === 13 ? [`    ${'~'.repeat(source.length - 6)}^^^^^^`, '    ...<3 lines>...'] : []),
  ]);
  return `Traceback (most recent call last):\n${lines.join('\n')}\n${exception}\n`;
}

const COMMAND = [
  PYTHON,
  '/pod/sd-scripts/train_network.py',
  '--pretrained_model_name_or_path',
  '/pod/models/sd15.safetensors',
  '--output_dir',
  '/pod/outputs/cat',
  '--output_name',
  'cat',
];
const listed = (argv: readonly string[]) => `[${argv.map((each) => `'${each}'`).join(', ')}]`;

/** What `accelerate launch` says where its one child failed: its exit code, or `-9` for a signal. */
export function launcher(code = 1, argv: readonly string[] = COMMAND): string {
  const signals: Record<number, string> = {
    [-9]: 'SIGKILL',
    [-15]: 'SIGTERM',
    [-11]: 'SIGSEGV',
    [-6]: 'SIGABRT',
    [-7]: 'SIGBUS',
    [-4]: 'SIGILL',
    [-2]: 'SIGINT',
    [-8]: 'SIGFPE',
  };
  const how = signals[code]
    ? `died with <Signals.${signals[code]}: ${-code}>.`
    : `returned non-zero exit status ${code}.`;
  return traceback(`subprocess.CalledProcessError: Command '${listed(argv)}' ${how}`, [
    ['/pod/venv/bin/accelerate', 8, '<module>', 'sys.exit(main())'],
    [`${PACKAGES}/accelerate/commands/accelerate_cli.py`, 50, 'main', 'args.func(args)'],
    [`${PACKAGES}/accelerate/commands/launch.py`, 1213, 'launch_command', 'simple_launcher(args)'],
    [
      `${PACKAGES}/accelerate/commands/launch.py`,
      795,
      'simple_launcher',
      'raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)',
    ],
  ]);
}

/** A failure of the trainer behind `accelerate launch`, in the midst of training unless `before` says otherwise. */
export function launched(
  exception: string,
  { before = TRAINING, frames = FRAMES, python = 10 as 8 | 10 | 11 | 13 } = {},
): string {
  return `${before}${traceback(exception, frames, python)}${launcher()}`;
}

export type Rank = { rank: number; exitcode: number };

/** What torchrun says where ranks failed; the first one is the root cause. */
export function elastic(ranks: readonly Rank[] = [{ rank: 0, exitcode: 1 }]): string {
  const [root, ...others] = ranks;
  const signals: Record<number, string> = {
    [-9]: 'SIGKILL',
    [-6]: 'SIGABRT',
    [-11]: 'SIGSEGV',
    [-7]: 'SIGBUS',
    [-15]: 'SIGTERM',
  };
  const entry = ({ rank, exitcode }: Rank, at: number) => `[${at}]:
  time      : 2026-02-03_10:11:12
  host      : pod-a
  rank      : ${rank} (local_rank: ${rank})
  exitcode  : ${exitcode} (pid: ${703 + rank})
  error_file: <N/A>
  traceback : ${signals[exitcode] ? `Signal ${-exitcode} (${signals[exitcode]}) received by PID ${703 + rank}` : 'To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html'}`;
  const table = `torch.distributed.elastic.multiprocessing.errors.ChildFailedError: 
============================================================
/pod/sd-scripts/train_network.py FAILED
------------------------------------------------------------
Failures:
${others.length === 0 ? '  <NO_OTHER_FAILURES>' : others.map((each, at) => entry(each, at + 1)).join('\n')}
------------------------------------------------------------
Root Cause (first observed failure):
${root ? entry(root, 0) : ''}
============================================================`;
  const warnings = ranks.map(
    ({ rank, exitcode }) =>
      `E0203 10:11:12.000000 139 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: ${exitcode}) local_rank: ${rank} (pid: ${703 + rank}) of binary: ${PYTHON}`,
  );
  return `W0203 10:11:11.000000 139 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 705 closing signal SIGTERM\n${warnings.join('\n')}\n${traceback(
    table,
    [
      ['/pod/venv/bin/torchrun', 8, '<module>', 'sys.exit(main())'],
      [
        `${PACKAGES}/torch/distributed/elastic/multiprocessing/errors/__init__.py`,
        355,
        'wrapper',
        'return f(*args, **kwargs)',
      ],
      [`${PACKAGES}/torch/distributed/launcher/api.py`, 269, 'launch_agent', 'raise ChildFailedError('],
    ],
  )}`;
}

/** The same lines of several ranks, one after the other by turns, as they come through one pipe. */
export function interleaved(...logs: string[]): string {
  const lines = logs.map((log) => log.split('\n'));
  const longest = Math.max(...lines.map((each) => each.length));
  return Array.from({ length: longest }, (_, at) => lines.flatMap((each) => (at < each.length ? [each[at]] : [])))
    .flat()
    .join('\n');
}

/** Each line begins with its rank, as torchrun's --tee prints it. */
export const prefixed = (rank: number, log: string): string => log.replace(/^/gm, `[rank${rank}]: `);

/** A traceback of rich: a box, and the exception under it. */
export function box(
  exception: string,
  frames: readonly string[] = ['/pod/sd-scripts/train_network.py:1913 in <module>'],
): string {
  const row = (text: string) => `│ ${text.padEnd(97)}│`;
  const inside = frames.flatMap((frame) => [
    row(frame),
    row(''),
    row('  1910 │   trainer = NetworkTrainer()'),
    row('❱ 1913 │   trainer.train(args)'),
    row(''),
  ]);
  return [
    `╭${'─'.repeat(31)} Traceback (most recent call last) ${'─'.repeat(32)}╮`,
    ...inside,
    `╰${'─'.repeat(98)}╯`,
    exception,
    '',
  ].join('\n');
}

/** The launcher's own words as a box of rich. */
export const boxedLauncher = (code = 1): string =>
  box(`CalledProcessError: Command '${listed(COMMAND)}' returned non-zero exit status ${code}.`, [
    '/pod/venv/bin/accelerate:8 in <module>',
    `${PACKAGES}/accelerate/commands/launch.py:941 in simple_launcher`,
  ]);

/** An exception in a DataLoader worker, raised anew in the trainer. */
export function inWorker(
  exception: string,
  frames: Frame[] = [
    [
      '/pod/sd-scripts/library/train_util.py',
      1280,
      '__getitem__',
      'img, face_cx = self.load_image_with_face_info(subset, path)',
    ],
  ],
): string {
  const type = exception.split(':')[0] ?? '';
  const original = traceback(exception, [
    [`${PACKAGES}/torch/utils/data/_utils/worker.py`, 308, '_worker_loop', 'data = fetcher.fetch(index)'],
    ...frames,
  ]);
  return traceback(`${type}: Caught ${type} in DataLoader worker process 0.\nOriginal ${original}`, [
    [
      '/pod/sd-scripts/train_network.py',
      1400,
      'train',
      'for step, batch in enumerate(skipped_dataloader or train_dataloader):',
    ],
    [`${PACKAGES}/torch/_utils.py`, 705, 'reraise', 'raise exception'],
  ]);
}

export const DURING = '\nDuring handling of the above exception, another exception occurred:\n\n';
export const CAUSED = '\nThe above exception was the direct cause of the following exception:\n\n';

/** What Python prints of something that it could not hand on. */
export const ignored = (where: string, exception: string): string =>
  `Exception ignored in: ${where}\n${traceback(exception, [[`${PACKAGES}/torch/utils/data/dataloader.py`, 1477, '__del__', 'self._shutdown_workers()']])}`;

/** What torch adds to errors of the GPU. */
export const CUDA_HINT = `CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with \`TORCH_USE_CUDA_DSA\` to enable device-side assertions.
`;

export type Row = {
  name: string;
  log: string;
  exit?: Exit;
  argv?: readonly string[];
  /** The cause, one of several that are as good, or null: not known. */
  code: string | readonly (string | null)[] | null;
  says?: RegExp;
  not?: RegExp;
  again?: 'repeats' | 'by hand' | null;
};
