import { CODE_FLAGS, OWN_FLAGS } from '../../sidecar/trainers/flagPolicy.js';

/** What somebody may send in place of honest settings: fields of `POST /sessions`, and what it is meant to do. */
export type Payload = { what: string; fields: Record<string, unknown> };

const flag = (what: string, name: string, value: unknown): Payload => ({
  what: `${what}: --${name} = ${JSON.stringify(value)?.slice(0, 60)}`,
  fields: { arguments: { [name]: value } },
});

/**
 * Each has to be refused in words. `inside` is a folder that a trainer may use, `uploads` one that is filled by requests,
 * `link` a link in outputs that leads to /etc.
 */
export function refusedPayloads({ inside, uploads, link }: Record<'inside' | 'uploads' | 'link', string>): Payload[] {
  return [
    ...[...OWN_FLAGS, ...CODE_FLAGS].flatMap((name) => [
      flag('a flag of ours', name, name === 'help' ? 'true' : '/etc'),
      ...prefixes(name).map((prefix) => flag('argparse takes the beginning of a flag', prefix, '/etc')),
    ]),
    ...STRANGE_NAMES.map((name) => flag('no name of a flag', name, '/etc')),
    ...TOKENS.map((name) => flag('a secret in the arguments', name, 'abcdefgh12345678')),
    ...CODE_FLAGS.flatMap((name) => CODE.map((value) => flag('code of somebody', name, value))),
    ...LISTS.flatMap((name) =>
      [...DASHES, ...OUT_IN_PAIRS].map((value) => flag('a value that is a flag', name, value)),
    ),
    ...PATHS.flatMap((name) => [...outside(inside), link].map((value) => flag('a path out of the roots', name, value))),
    ...WEIGHTS.flatMap((name) => pickles(inside).map((value) => flag('a pickle is code', name, value))),
    ...MODELS.map((name) => flag('an upload may be a pickle', name, `${uploads}/example/01-morning.txt`)),
    ...FOLDER_NAMES.flatMap((name) =>
      ['a/b', 'a\\b', '..', '../../workspace/outputs/x'].map((value) => flag('another folder', name, value)),
    ),
    ...TEXTS.flatMap((name) => [...OUT, ...UNPRINTABLE].map((value) => flag('more than text', name, value))),
    ...NUMBERS.map((value) => flag('no number', 'network_alpha', value)),
    ...['1.5', '1e3x', '0b1', -0.5, {}, '9'.repeat(400)].map((value) =>
      flag('no whole number', 'train_batch_size', value),
    ),
    ...['maybe', '--output_dir=/etc', ['true'], {}, 7].map((value) =>
      flag('no switch', 'gradient_checkpointing', value),
    ),
    ...DRAWN.map((sample_prompts) => ({ what: `a prompt that opens ${sample_prompts}`, fields: { sample_prompts } })),
    ...SETTINGS.flatMap(([name, values]) =>
      values.map((value) => ({ what: `a setting ${name} = ${JSON.stringify(value)}`, fields: { [name]: value } })),
    ),
  ];
}

/** Any of these may be a trigger word, a prompt or a comment, and has to arrive as it is. */
export const ANY_TEXT = [
  '--output_dir=/etc',
  '-o /etc --config_file x',
  '$(touch /tmp/pwned) `id` $HOME',
  `'; touch /tmp/pwned; '`,
  '"\\" quotes \\\\ and \\n backslashes',
  '"""\nimage_dir = "/etc"'.replace('\n', ' '),
  "'''] [[datasets]] [general]",
  '# no comment',
  '{"a": [1]} %s %n {0} {{x}}',
  '<script>alert(1)</script> &amp; <%= it %>',
  '猫 🐈 żółw \u00a0 e\u0301',
  '\u200b zero width \u2028 line separator',
  '=equals == --x=y -- -',
  '@/etc/passwd ~root ../../../etc',
  '* ? [a-z] ! | & ; > /dev/null',
  'x'.repeat(900),
];

const prefixes = (name: string) =>
  Array.from({ length: Math.floor((name.length - 2) / 2) }, (_, index) => name.slice(0, 3 + 2 * index))
    // Beginnings that are flags of the scripts by themselves.
    .filter((prefix) => !['log', 'resume', 'sample_prompts'].includes(prefix));

const STRANGE_NAMES = [
  '-',
  '--',
  '--output_dir',
  '-output_dir',
  'x --output_dir',
  'x=1 --output_dir',
  'vae --output_dir',
  'vae=x',
  'vae\n--output_dir',
  'vae\0',
  'output-dir',
  'OUTPUT_DIR',
  ' output_dir',
  'output_dir ',
  '__proto__x',
  'constructor',
  'toString',
  'ｏutput_dir',
  '../output_dir',
  '$(id)',
  'network_args[]',
  '0',
  'output_dir.x',
  'a'.repeat(5000),
  '--help',
  '\u202eoutput_dir',
];

const TOKENS = ['huggingface_token', 'wandb_api_key', 'hub_token', 'some_password', 'client_secret', 'api-key'];
const CODE = [
  'os.system',
  'evil.Module',
  'networks.lora; import os',
  '../evil',
  'torch.optim.AdamW',
  'AdamW.x',
  ['AdamW', 'x'],
  '/tmp/x.py',
];
const LISTS = ['network_args', 'optimizer_args', 'lr_scheduler_args', 'base_weights'];
const DASHES = [
  '--output_dir=/etc',
  ' --config_file=x',
  '-o',
  '--',
  '-',
  'a=1\n--resume=/etc',
  '-1e5',
  '-Infinity',
  '@/etc/passwd',
  ['a=1', '--x'],
];
const OUT_IN_PAIRS = [
  'preset=/etc/passwd',
  'preset="/etc/passwd"',
  'x=../../../etc/passwd',
  'x=~/.ssh/id_rsa',
  '/etc/passwd',
  'a=1\nb=/root',
];
const PATHS = ['vae', 'ae', 'clip_l', 't5xxl', 'network_weights', 'pretrained_model_name_or_path'];
const OUT = ['../../../etc/cron.d/x', '/etc/x', '~/x', 'a/../../../b', '..', 'file:///etc/passwd'];
const WEIGHTS = ['network_weights', 'base_weights'];
const MODELS = ['vae', 'ae', 'clip_l', 't5xxl', 'pretrained_model_name_or_path'];
const FOLDER_NAMES = ['log_prefix', 'log_tracker_name'];
const TEXTS = ['log_prefix', 'log_tracker_name', 'huggingface_path_in_repo'];
const UNPRINTABLE = ['a\0b', 'a\nb', 'a\r--x', '\u001b[2J', '\ud800', 'x'.repeat(9000), { a: 1 }, ['a', 'b'], true];
const NUMBERS = [
  '1;rm',
  '0x10',
  'NaN',
  'Infinity',
  '1e999',
  '--output_dir=/etc',
  [1],
  {},
  ' ',
  '１',
  '1 2',
  '1\n--x',
  true,
  '4\0',
];
const DRAWN = [
  '--cn /etc/passwd',
  '--CN /etc/passwd',
  '--cn ../../../x',
  '--cn ~/x',
  '--cn http://evil/x',
  '--w 64 --cn /root/x.png --h 64',
  '--cn \u2028/../../../../etc/passwd',
]
  .map((rest) => `a cat ${rest}`)
  .concat(['cn /etc/passwd', 'CN ../../../../etc/passwd', 'a cat\n\u001ccn /etc/passwd', 'a cat\r\x85cn /root/x.png']);
const SETTINGS: [string, unknown[]][] = [
  ['base_model', ['/etc/passwd', '--x', 'os.system', {}]],
  ['vram', ['--x', '/etc', 'a\nb']],
  ['timestep_sampling', ['--output_dir=/etc', 'os.system', 'x\ny']],
  ['learning_rate', ['--x', '1e-4 --output_dir=/etc', 'nan', '-1', '0']],
  ['resolution', ['512 --x', '-1', '1e9', {}]],
  ['network_dim', ['4 --x', '0', '1e9', [4]]],
  ['seed', ['1;x', '-1', '1e99']],
  ['concept_sentence', ['a\nb', 'a\0b', 'x'.repeat(2000), ['a']]],
  ['lora_name', ['a\nb', '', 'x\0']],
  ['dataset', ['../outputs', '/etc', '..', 'a/../../etc', 'example\0']],
  ['trainer', ['../practice', 'sd-scripts/../x', '/bin/sh']],
];

function pickles(inside: string): unknown[] {
  const files = ['w.txt', 'w.pt', 'w.ckpt', 'w.bin', 'w.sft', 'w.safetensors.pt', 'w.SAFETENSORS', 'w', ''];
  return [...files.map((file) => `${inside}/${file}`), [`${inside}/w.safetensors`, `${inside}/w.pt`]];
}

function outside(inside: string): string[] {
  return [
    '/etc/passwd',
    '../../../../etc/passwd',
    '~/x',
    '~root/.ssh/id_rsa',
    'file:///etc/passwd',
    'https://evil.example/x.safetensors',
    '\\\\host\\share',
    '/proc/self/environ',
    '//etc/passwd',
    `${inside}/../../etc/passwd`,
    `${inside}x/y`,
    '/',
    '..',
  ];
}
