import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import type { DatasetDetail } from '../../sidecar/datasets/facts.js';
import { fakePython } from '../fakePython.js';
import { test } from '../ownPlace.js';
import { isAlive, quick, type TestSidecars, trainersOf, until } from '../sidecar.js';

const slow = { PRACTICE_STEP_SECONDS: '0.05' };

test.concurrent('a double click on Start makes one session and one trainer', async ({ place }) => {
  const sidecar = await place.serve(slow);
  const form = { ...quick, lora_name: 'cat', start: true, form_id: 'f-1' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => sidecar.send('POST', 'sessions', form)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  expect(answers.find(({ status }) => status === 409)?.body.error.link).toBe('sessions/cat');
  expect(readdirSync(place.outputs)).toEqual(['cat']);
  const again = await sidecar.send('POST', 'sessions', form);
  expect(again.status).toBe(409);
});

test.concurrent('two tabs and two sidecars press Start at once: one trainer lives, the others are told with a link', async ({
  place,
}) => {
  const one = await place.serve(slow);
  const two = await place.serve(slow);
  await one.send('POST', 'sessions', { ...quick, lora_name: 'cat' });
  await two.until('cat', (facts) => facts.status === 'draft');
  const press = (sidecar: typeof one) => sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
  const answers = await Promise.all([press(one), press(two), press(one), press(two)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  for (const { status, body } of answers) if (status === 409) expect(body.error.link).toBe('sessions/cat');
  // A process that has just begun has no command line for a moment.
  const trainers = await until(
    () => trainersOf(place, 'cat'),
    (found) => found.length > 0,
  );
  expect(trainers).toHaveLength(1);
  for (const sidecar of [one, two]) expect((await sidecar.session('cat')).attempts).toHaveLength(1);
});

test.concurrent('a name that exists becomes the next version, never an overwrite', async ({ place }) => {
  const sidecar = await place.serve();
  for (const version of [1, 2, 3]) {
    const made = await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'My Cat', description: `v${version}` });
    expect(made).toMatchObject({
      status: 201,
      body: { version, name: version === 1 ? 'my-cat' : `my-cat-v${version}` },
    });
  }
  expect((await sidecar.session('my-cat')).description).toBe('v1');
});

const stale: [string, (bystander: number, zombie: number) => string][] = [
  ['the PID of nobody', () => '4194000\n'],
  ['the PID of another living process', (bystander) => `${bystander}\n`],
  ['a zombie', (_, zombie) => `${zombie}\n`],
  ['garbage', () => 'not a pid; rm -rf /\n'],
  ['nothing', () => ''],
  ['PID 1', () => '1\n'],
  ['a negative number', () => '-1\n'],
];

test.concurrent.for(stale)(
  'training.pid with %s: not running, and nothing is signalled',
  async ([_, content], { place }) => {
    const bystander = spawn('sleep', ['60']);
    const zombies = spawnZombie();
    try {
      const zombie = await zombies.pid;
      const sidecar = await place.serve();
      await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 1, start: true });
      await sidecar.until('cat', (facts) => facts.status === 'completed');
      const folder = join(place.outputs, 'cat');
      const record = JSON.parse(readFileSync(join(folder, 'attempt.json'), 'utf8'));
      // The runner that has written down the end is leaving.
      await until(
        () => isAlive(record.pid),
        (alive) => !alive,
      );
      const text = content(bystander.pid ?? 0, zombie);
      writeFileSync(join(folder, 'training.pid'), text);
      // As if the pod had died in the middle of the run, and the PID had gone to another process since.
      const pid = Number(text) > 1 ? Number(text) : record.pid;
      const died = { ...record, pid, trainer_pid: pid, ended_at: null, exit_code: null, log_end: null };
      writeFileSync(join(folder, 'attempt.json'), JSON.stringify(died));
      const shown = await sidecar.session('cat');
      expect(['completed', 'stopped']).toContain(shown.status);
      expect(shown.attempts[0]?.alive).toBe(false);
      expect((await sidecar.send('DELETE', 'sessions/cat/attempts/current')).status).toBe(409);
      expect(isAlive(bystander.pid ?? 0)).toBe(true);
    } finally {
      bystander.kill();
      zombies.end();
    }
  },
);

test.concurrent('a trainer that exits 1, exits 0 without weights, or cannot be found is failed, with the reason in words', async ({
  place,
}) => {
  const without = await place.serve({ TRACKSIDE_PYTHON: fakePython(place, 'exit 0') });
  await without.send('POST', 'sessions', { ...quick, lora_name: 'silent', start: true });
  const silent = await without.until('silent', (facts) => facts.status === 'failed');
  expect(silent.reason).toContain('wrote no new silent.safetensors');

  const crashing = await place.serve({
    TRACKSIDE_PYTHON: fakePython(
      place,
      `printf 'Traceback (most recent call last):\\nValueError: no such thing\\n' >&2; exit 1`,
    ),
  });
  await crashing.send('POST', 'sessions', { ...quick, lora_name: 'crash', start: true });
  const crashed = await crashing.until('crash', (facts) => facts.status === 'failed');
  expect(crashed.reason).toContain('no such thing');
  expect(crashed.attempts[0]).toMatchObject({ exit_code: 1, signal: null });
  expect(JSON.parse(readFileSync(join(place.outputs, 'crash', 'ui_state.json'), 'utf8'))).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('no such thing'),
  });

  const nowhere = await place.serve({ TRACKSIDE_PYTHON: join(place.folder, 'no-such-python') });
  await nowhere.send('POST', 'sessions', { ...quick, lora_name: 'nowhere', start: true });
  const missing = await nowhere.until('nowhere', (facts) => facts.status === 'failed');
  expect(missing.reason).toContain('no-such-python');
  expect(missing.next).toBe('start');
});

test.concurrent('wrong values are refused field by field, and nothing is made', async ({ place }) => {
  const sidecar = await place.serve();
  const refuse = async (fields: Record<string, unknown>) => {
    const { status, body } = await sidecar.send('POST', 'sessions', {
      ...quick,
      lora_name: 'cat',
      start: true,
      ...fields,
    });
    expect(status).toBe(422);
    return body.error.fields as Record<string, string>;
  };
  expect(
    Object.keys(await refuse({ lora_name: '', max_train_epochs: 0, learning_rate: 'fast', network_dim: 1.5 })).sort(),
  ).toEqual(['learning_rate', 'lora_name', 'max_train_epochs', 'network_dim']);
  expect(await refuse({ lora_name: '../' })).toHaveProperty('lora_name');
  expect(await refuse({ dataset: '' })).toHaveProperty('dataset');
  expect(await refuse({ dataset: '../outputs' })).toHaveProperty('dataset');
  expect(await refuse({ arguments: { output_dir: '/etc' } })).toHaveProperty(['arguments.output_dir']);
  expect(await refuse({ arguments: { output_di: '/etc' } })).toHaveProperty(['arguments.output_di']);
  expect(readdirSync(place.outputs)).toEqual([]);
});

test.concurrent('a name of ../x stays inside outputs', async ({ place }) => {
  const sidecar = await place.serve();
  const made = await sidecar.send('POST', 'sessions', { ...quick, lora_name: '../x' });
  expect(made.body).toMatchObject({ name: 'x', lora_name: '../x', output_path: join(place.outputs, 'x') });
  for (const path of [
    'sessions/..%2fx',
    'sessions/..%2f..%2fetc',
    'sessions/x/samples/..%2f..%2fui_state.json',
    'sessions/x/checkpoints/ui_state.json',
  ]) {
    expect((await sidecar.send('GET', path)).status).toBe(404);
  }
});

test.concurrent('an apostrophe, an emoji, quotes and a backslash in the trigger word reach the trainer as they are', async ({
  place,
}) => {
  const sidecar = await place.serve();
  const word = `sk's "q" \\ 🐈 $(touch x); touch y`;
  await sidecar.send('POST', 'sessions', {
    ...quick,
    lora_name: "Cat's 🐈",
    concept_sentence: word,
    max_train_epochs: 1,
    start: true,
  });
  const done = await sidecar.until('cat-s', (facts) => facts.status === 'completed');
  expect(done).toMatchObject({ lora_name: "Cat's 🐈", settings: { concept_sentence: word } });
  expect(readFileSync(join(place.outputs, 'cat-s', 'dataset.toml'), 'utf8')).toContain('🐈');
  expect(existsSync(join(place.folder, 'x'))).toBe(false);
});

test.concurrent('no pictures, a broken picture, captions without a picture: said before the start, and the draft is kept', async ({
  place,
}) => {
  const sidecar = await place.serve();
  await sidecar.send('POST', 'datasets', { name: 'empty' });
  const none = await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', dataset: 'empty', start: true });
  expect(none.body.error.fields.dataset).toMatch(/no picture/i);

  mkdirSync(join(place.datasets, 'bad'));
  writeFileSync(join(place.datasets, 'bad', 'torn.png'), 'not a picture');
  writeFileSync(join(place.datasets, 'bad', 'lonely.txt'), 'a caption of nothing');
  const bad = await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', dataset: 'bad', start: true });
  expect(bad.body.error.fields.dataset).toContain('torn.png');
  const detail = await sidecar.get<DatasetDetail>('datasets/bad');
  expect(detail.orphan_captions).toEqual(['lonely.txt']);

  const draft = await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', dataset: 'bad' });
  expect(draft).toMatchObject({ status: 201, body: { status: 'draft', next: 'start' } });
  const refused = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
  expect(refused).toMatchObject({ status: 422, body: { error: { message: expect.stringContaining('torn.png') } } });
  expect((await sidecar.session('cat')).status).toBe('draft');
});

test.concurrent('deleting is refused while it trains, and leaves the dataset', async ({ place }) => {
  const sidecar = await place.serve(slow);
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', start: true });
  expect((await sidecar.send('DELETE', 'sessions/cat')).status).toBe(409);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', (facts) => facts.status === 'stopped');
  const removed = await sidecar.send('DELETE', 'sessions/cat');
  expect(removed.body).toEqual({
    deleted: join(place.outputs, 'cat'),
    kept: [join(place.datasets, 'example')],
    trash: expect.stringMatching(/^\.trash\/cat\//),
  });
  expect(readdirSync(place.outputs)).toEqual(['.trash']);
  expect((await sidecar.send('GET', 'sessions/cat')).status).toBe(404);
});

test.concurrent('another site can change nothing, and a rebound name reads nothing', async ({ place }) => {
  const sidecar = await place.serve();
  const from = (headers: Record<string, string>, method = 'POST', path = 'sessions') =>
    fetch(new URL(path, sidecar.url), { method, headers, ...(method === 'POST' ? { body: '{"lora_name":"x"}' } : {}) });
  expect((await from({ 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'text/plain' })).status).toBe(403);
  expect((await from({ Origin: 'https://evil.example', 'Content-Type': 'application/json' })).status).toBe(403);
  expect(readdirSync(place.outputs)).toEqual([]);
  const rebound = await until(
    () => rawGet(new URL(sidecar.url).port, 'evil.example'),
    (answer) => answer !== '',
  );
  expect(rebound).toContain('403');
});

async function rawGet(port: string, host: string): Promise<string> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/sessions', headers: { Host: host } }, (answer) => {
      answer.resume();
      resolve(String(answer.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

function spawnZombie(): { pid: Promise<number>; end(): void } {
  const parent: ChildProcess = spawn('python3', [
    '-c',
    'import os,sys,time\npid=os.fork()\nif pid==0: os._exit(0)\nprint(pid,flush=True)\ntime.sleep(60)',
  ]);
  const pid = new Promise<number>((resolve) => parent.stdout?.once('data', (line) => resolve(Number(line))));
  return { pid, end: () => void parent.kill('SIGKILL') };
}

/** A white pixel: file header, BITMAPINFOHEADER, a row of three bytes and one of padding. */
function onePixelBmp(): Buffer {
  const bmp = Buffer.alloc(58, 0xff);
  bmp.fill(0, 2, 54);
  bmp.write('BM');
  for (const [at, value] of [
    [2, 58],
    [10, 54],
    [14, 40],
    [18, 1],
    [22, 1],
  ] as const)
    bmp.writeUInt32LE(value, at);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  return bmp;
}

/** A Python without Pillow. */
function withoutPillow(place: TestSidecars): string {
  const packages = join(place.folder, 'packages');
  mkdirSync(packages);
  writeFileSync(join(packages, 'PIL.py'), 'raise ImportError("not installed")');
  return packages;
}

test.concurrent('pictures that the trainer could read with Pillow only: said before the start, and started once it is there', async ({
  place,
}) => {
  const packages = withoutPillow(place);
  const sidecar = await place.serve({ PYTHONPATH: packages });
  await sidecar.send('POST', 'datasets', { name: 'photos' });
  writeFileSync(join(place.datasets, 'photos', 'IMG 1.BMP'), onePixelBmp());
  const asked = { ...quick, lora_name: 'cat', dataset: 'photos' };
  const refused = await sidecar.send('POST', 'sessions', { ...asked, start: true });
  expect([refused.status, refused.body.error.fields.dataset]).toEqual([
    422,
    expect.stringMatching(/^IMG 1\.BMP is a BMP.*-m pip install pillow/),
  ]);
  expect(existsSync(join(place.outputs, 'cat'))).toBe(false);
  await sidecar.send('POST', 'sessions', asked);
  const start = () => sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
  expect((await start()).body.error.code).toBe('missing_package');
  expect((await sidecar.session('cat')).attempts).toEqual([]);
  writeFileSync(join(packages, 'PIL.py'), '');
  expect((await start()).status).toBe(201);
});

test.concurrent('pictures as a phone takes them are trained without Pillow, and stay byte for byte as they are', async ({
  place,
}) => {
  const sidecar = await place.serve({ PYTHONPATH: withoutPillow(place) });
  await sidecar.send('POST', 'datasets', { name: 'photos' });
  const folder = join(place.datasets, 'photos');
  const create = { width: 400, height: 300, channels: 3, background: 'teal' } as const;
  const given = {
    'IMG 1.JPG': await sharp({ create }).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'two.webp': await sharp({ create }).webp().toBuffer(),
  };
  for (const [file, content] of Object.entries(given)) writeFileSync(join(folder, file), content);
  writeFileSync(join(folder, 'IMG 1.txt'), 'a cat');
  const asked = { ...quick, lora_name: 'cat', dataset: 'photos', max_train_epochs: 1, start: true };
  expect((await sidecar.send('POST', 'sessions', asked)).status).toBe(201);
  await sidecar.until('cat', ({ status }) => status === 'completed' || status === 'failed');
  expect((await sidecar.session('cat')).status).toBe('completed');
  const log = readFileSync(join(place.outputs, 'cat', 'training.log'), 'utf8');
  // Upright: higher than wide.
  expect(log).toMatch(/found directory .*pictures contains 2 image files/);
  expect((await sharp(join(place.outputs, 'cat', '.pictures', 'IMG 1.JPG')).metadata()).height).toBe(85);
  for (const [file, content] of Object.entries(given))
    expect(readFileSync(join(folder, file)).equals(content)).toBe(true);
});
