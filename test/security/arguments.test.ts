import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareStandIn, training } from '../sd-scripts/standIn.js';
import { makeTestSidecars, projectRoot, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { ANY_TEXT, refusedPayloads } from './payloads.js';

let place: TestSidecars;
let sidecar: Sidecar;
let known: string[];
beforeAll(async () => {
  place = makeTestSidecars();
  mkdirSync(join(place.folder, 'argv'));
  sidecar = await place.serve({ ...prepareStandIn(place, 99), TRACKSIDE_PYTHON: recordingPython() });
  symlinkSync('/etc', join(place.outputs, 'link'));
  known = flagsOfParser();
  expect(known.length).toBeGreaterThan(100);
}, 60_000);
afterAll(() => place.leave());

/** Writes down what a trainer is given, each in a file of its own, and trains nothing; otherwise it is Python. */
function recordingPython(): string {
  const path = join(place.folder, 'recording-python');
  const script = `#!/bin/bash
case "$*" in
  *runner.py*) exec python3 "$@";;
  *_train_network.py*--output_dir*) printf '%s\\0' "$@" > ${place.folder}/argv/.$$; mv ${place.folder}/argv/.$$ ${place.folder}/argv/$$-$RANDOM; exit 0;;
esac
exec python3 "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

/** All flags of the script's own parser, as Python tells them. */
function flagsOfParser(): string[] {
  const script = join(projectRoot, 'test', 'sd-scripts', 'standIn', 'checkout', 'flux_train_network.py');
  const env = { ...process.env, PYTHONPATH: join(projectRoot, 'trainer-bridge') };
  const told = execFileSync('python3', ['-m', 'trackside._describe', script], { env, encoding: 'utf8' });
  const all = JSON.parse(told.trim().split('\n').at(-1) ?? '').arguments as { flags: string[] }[];
  return all.flatMap(({ flags }) => flags.map((each) => each.replace(/^--/, '')));
}

/** What every trainer that was started was given, by its output name. */
function launched(): Map<string, string[]> {
  const files = readdirSync(join(place.folder, 'argv')).filter((name) => !name.startsWith('.'));
  const all = files.map((name) =>
    readFileSync(join(place.folder, 'argv', name), 'utf8')
      .split('\0')
      .slice(0, -1),
  );
  return new Map(all.map((argv) => [argv.find((token) => token.startsWith('--output_name='))?.slice(14) ?? '', argv]));
}

const asked = (fields: Record<string, unknown>) => {
  const honest = training(place, 'flux', { lora_name: 'refused' });
  const further = { ...honest.arguments, ...(fields.arguments as object | undefined) };
  return { ...honest, ...fields, arguments: further };
};

test('payloads that mean another flag, a path out of the roots, code or a secret are refused in words, and start nothing', async () => {
  const payloads = refusedPayloads({
    inside: join(place.folder, 'models'),
    uploads: place.datasets,
    link: join(place.outputs, 'link', 'passwd'),
  });
  for (const { what, fields } of payloads) {
    const { status, body } = await sidecar.send('POST', 'sessions', asked(fields));
    expect([404, 422], `${what}: ${JSON.stringify(body).slice(0, 300)}`).toContain(status);
    expect(body.error.message.length, what).toBeGreaterThan(15);
  }
  expect(payloads.length).toBeGreaterThanOrEqual(500);
  expect(launched().size).toBe(0);
  expect(readdirSync(place.outputs)).toEqual(['link']);
  console.log(`${payloads.length} payloads refused`);
}, 60_000);

test('any text reaches the trainer as text: in the files it stands in, and among flags that are all declared', async () => {
  for (const [index, text] of ANY_TEXT.entries()) {
    const fields = { lora_name: `text ${index}`, concept_sentence: text, sample_prompts: text };
    const further = { training_comment: text, network_args: `conv_dim=4\nconv_alpha=${index}` };
    const { status, body } = await sidecar.send('POST', 'sessions', asked({ ...fields, arguments: further }));
    expect(status, `${text}: ${JSON.stringify(body)}`).toBe(201);
  }
  const all = await until(launched, ({ size }) => size === ANY_TEXT.length, 50);
  for (const [index, text] of ANY_TEXT.entries()) {
    const name = `text-${index}`;
    const folder = join(place.outputs, name);
    const argv = all.get(name) ?? [];
    expectDeclared(argv, folder);
    expect(argv).toContain(`--training_comment=${text}`);
    const at = argv.indexOf('--network_args');
    expect(argv.slice(at + 1, at + 3)).toEqual(['conv_dim=4', `conv_alpha=${index}`]);
    const config = parse(readFileSync(join(folder, 'dataset.toml'), 'utf8')) as Record<string, never>;
    const { datasets, ...rest } = config as unknown as { datasets: { subsets: Record<string, unknown>[] }[] };
    expect(Object.keys(rest)).toEqual(['general']);
    expect(datasets[0]?.subsets).toHaveLength(1);
    const subset = { class_tokens: text, image_dir: join(place.datasets, 'example') };
    expect(datasets[0]?.subsets[0]).toMatchObject(subset);
    expect(readFileSync(join(folder, 'sample_prompts.txt'), 'utf8')).toBe(`${text}\n`);
  }
  console.log(`${ANY_TEXT.length} texts in four places each`);
}, 60_000);

test('what a state file or the command of an earlier attempt says is refused as a form is', async () => {
  const before = launched().size;
  const link = join(place.outputs, 'link', 'passwd');
  const payloads = refusedPayloads({ inside: join(place.folder, 'models'), uploads: place.datasets, link })
    .filter(({ what }) => !what.startsWith('a flag of ours'))
    .flatMap(({ what, fields }) =>
      fields.arguments ? [{ what, further: fields.arguments as Record<string, unknown> }] : [],
    )
    .concat(UNHEARD.map((name) => ({ what: `a flag of ours: ${name}`, further: { [name]: '/etc' } })))
    .filter(
      ({ what }) =>
        !/ " --config_file/.test(what) &&
        /ours|beginning|no name|secret|code|pickle|another folder|out of the roots|is a flag/.test(what),
    );
  const honest = asked({});
  const draft = { ...honest, lora_name: 'from elsewhere', start: undefined, status: 'draft', attempts: [] };
  const folder = join(place.outputs, 'from-elsewhere');
  mkdirSync(folder);
  const dataset = { path: join(place.datasets, 'example') };
  let tried = 0;
  const some = payloads.filter((_, index) => index % 8 === 0);
  for (const { what, further } of [...some, ...FOREIGN.map((each) => ({ what: 'none of its flags', further: each }))]) {
    const listed = Object.entries(further).map(([name, value]) => [
      name,
      what.includes('is a flag') ? [value].flat() : value,
    ]);
    const record = { ...draft, dataset, arguments: { ...honest.arguments, ...Object.fromEntries(listed) } };
    writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
    const { status, body } = await sidecar.send('POST', 'sessions/from-elsewhere/attempts', { kind: 'start' });
    expect(status, `${what}: ${JSON.stringify(body)}`).toBe(422);
    tried += 1;
  }
  for (const more_datasets of ['../private 1', 'example 0', '.trash 2']) {
    writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ ...draft, dataset, more_datasets }));
    const { status, body } = await sidecar.send('POST', 'sessions/from-elsewhere/attempts', { kind: 'start' });
    expect(status, `${more_datasets}: ${JSON.stringify(body)}`).toBe(422);
  }
  expect(tried).toBeGreaterThan(40);
  expect(launched().size).toBe(before);
  console.log(`${tried} payloads in a state file`);
}, 60_000);

/** Flags of ours that Trackside does not give itself: nothing is put over them. */
const UNHEARD = ['config_file', 'output_config', 'train_data_dir', 'resume_from_huggingface', 'console_log_file'];

/** What no form offers: beginnings and inventions, other ways to train, what dataset.toml holds, and what no launcher may be told. */
const FOREIGN: Record<string, unknown>[] = [
  { foo_bar: 'x' },
  { train_batch_siz: 2 },
  { deepspeed: true },
  { in_json: '/etc/passwd' },
  { reg_data_dir: 'x' },
  { dataset_repeats: 3 },
  { caption_extension: '/../../../../etc/passwd' },
  { caption_x: '/etc/passwd' },
  { mixed_precision: '-m' },
  { mixed_precision: '--config_file=/etc/x' },
  { log_tracker_config: 'x.toml' },
];

/** Exact flags of the trainer's own parser, and nothing in front of their values that could be one. */
function expectDeclared(argv: string[], folder: string): void {
  const script = argv.findIndex((token) => token.endsWith('.py'));
  expect(basename(argv[script] ?? '')).toBe('flux_train_network.py');
  expect(argv.slice(0, 2)).toEqual(['-m', 'accelerate.commands.launch']);
  for (const token of argv.slice(script + 1)) {
    if (!token.startsWith('-')) continue;
    const name = /^--([\w-]+)(?:=|$)/.exec(token)?.[1] ?? '';
    expect(known, token).toContain(name);
  }
  const value = (name: string) => argv.filter((token) => token.startsWith(`--${name}=`));
  expect(value('output_dir')).toEqual([`--output_dir=${folder}`]);
  expect(value('config_file')).toEqual([]);
  expect(value('network_module')).toEqual(['--network_module=networks.lora_flux']);
}
