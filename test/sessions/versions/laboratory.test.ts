import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Provenance } from '../../../sidecar/sessions/provenance/provenance.js';
import { appInProcess } from '../../inProcess.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, trainersOf, until } from '../../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;
type Line = { what: string; then: string; now: string };

beforeAll(async () => {
  place = makeTestSidecars();
  const packages = join(place.folder, 'packages');
  const tokenizer = join(place.folder, 'hub', 'models--openai--clip-vit-large-patch14', 'snapshots', 'abc');
  const installed = join(packages, 'tokenizers-0.22.1.dist-info');
  for (const folder of [installed, tokenizer]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(installed, 'METADATA'), 'Metadata-Version: 2.1\nName: tokenizers\nVersion: 0.22.1\n');
  writeFileSync(join(packages, 'tokenizers.py'), TOKENIZERS);
  writeFileSync(join(tokenizer, 'tokenizer.json'), '{}');
  sidecar = await place.serve({
    PRACTICE_STEP_SECONDS: '0.02',
    PYTHONPATH: packages,
    HF_HUB_CACHE: join(tokenizer, '../../..'),
  });
  const settings = { ...quick, lora_name: 'cat', concept_sentence: 'c4tsy', max_train_epochs: 2, seed: 7 };
  await sidecar.send('POST', 'sessions', { ...settings, notes: 'look', start: true });
  await sidecar.until('cat', ({ status }) => status === 'completed');
});
afterAll(() => place.leave());

/** Stands in for the package of that name: as many tokens as letters. */
const TOKENIZERS = `
class Tokenizer:
    from_file = classmethod(lambda tokenizer, path: tokenizer())
    def no_truncation(self): pass
    def no_padding(self): pass
    def encode_batch(self, texts, add_special_tokens):
        return [type("Encoding", (), {"ids": list(text)}) for text in texts]
`;

/** What, then, now. */
const differs = async (name: string) =>
  (await sidecar.get<Line[]>(`sessions/${name}/differs`)).map((line) => [line.what, line.then, line.now]);
const provenanceOf = (name: string): Provenance =>
  JSON.parse(readFileSync(join(place.outputs, name, 'provenance.json'), 'utf8'));
const exportOf = async (name: string) => (await fetch(new URL(`sessions/${name}/export`, sidecar.url))).text();

test('A session records before its start what a methods section needs, and soon after what takes longer', async () => {
  const made = await until(
    () => provenanceOf('cat'),
    ({ completed_at }) => completed_at !== null,
  );
  const { attempts, timestamp } = await sidecar.session('cat');
  expect(made.command.argv).toEqual(attempts[0]?.argv);
  expect(Date.parse(made.recorded_at) / 1000).toBeLessThan((timestamp ?? 0) + 1);
  expect(made).toMatchObject({
    seed: 7,
    trainer: { id: 'practice' },
    dataset: { name: 'example', pictures: { count: 10, sizes: { '96x96': 10 } }, text: { captions: 10, without: 0 } },
  });
  expect(made.dataset?.files.every(({ sha256, caption }) => sha256?.length === 64 && caption)).toBe(true);
  expect(made.dataset?.text).toMatchObject({ tokenizer: 'openai/clip-vit-large-patch14' });
  expect(made.dataset?.text.tokens).toEqual(made.dataset?.text.characters);
  expect(made.packages).toContain('tokenizers==0.22.1');
  const record = JSON.parse(readFileSync(join(place.outputs, 'cat', 'ui_state.json'), 'utf8'));
  expect(record.results).toMatchObject({ steps: 20, final_loss: expect.any(Number), best_loss: expect.any(Number) });
});

test('Months later it is relaunched exactly, and what differs is said before, line by line', async () => {
  expect(await differs('cat')).toEqual([]);
  const caption = join(place.datasets, 'example', '02-dusk.txt');
  const was = readFileSync(caption, 'utf8');
  writeFileSync(caption, 'c4tsy at noon');
  expect(await differs('cat')).toEqual([['Caption of 02-dusk.png', `“${was}”`, '“c4tsy at noon”']]);
  const page = await (
    await fetch(new URL('sessions/cat/relaunch', sidecar.url), { headers: { Accept: 'text/html' } })
  ).text();
  expect(page).toContain('c4tsy at noon');
  writeFileSync(caption, was);

  const { status, body } = await sidecar.send('POST', 'sessions/cat/versions', { start: true });
  expect([status, body.name, body.made_from]).toEqual([201, 'cat-v2', 'cat']);
  const twin = await sidecar.until('cat-v2', (facts) => facts.status === 'completed');
  expect(twin.settings).toEqual((await sidecar.session('cat')).settings);
  // The practice trainer has no chance in it: the same settings give the same weights.
  const weights = (name: string) => readFileSync(join(place.outputs, name, `${name}.safetensors`)).subarray(-1000);
  expect(weights('cat-v2').equals(weights('cat'))).toBe(true);
});

test('A dataset that has moved is said before anything starts, and is pointed anew', async () => {
  renameSync(join(place.datasets, 'example'), join(place.datasets, 'renamed'));
  try {
    expect(await differs('cat')).toEqual([['Dataset', 'example', expect.stringContaining('was not found')]]);
    const before = readdirSync(place.outputs).length;
    const refused = await sidecar.send('POST', 'sessions/cat/versions', { start: true });
    expect([refused.status, refused.body.error.code]).toEqual([422, 'missing_dataset']);
    expect(readdirSync(place.outputs)).toHaveLength(before);
    const pointed = await sidecar.send('POST', 'sessions/cat/versions', { start: false, dataset: 'renamed' });
    expect(pointed.body).toMatchObject({ status: 'draft', dataset_path: join(place.datasets, 'renamed') });
    const flag = await sidecar.send('POST', 'sessions/cat/versions', { arguments: { network_alpha: '9' } });
    expect(flag.status).toBe(422);
  } finally {
    renameSync(join(place.datasets, 'renamed'), join(place.datasets, 'example'));
  }
});

test('A night’s versions, one of them failed, stand in the history as they ended', async () => {
  const settings = { ...quick, lora_name: 'cat', concept_sentence: 'c4tsy', max_train_epochs: 400, start: true };
  const { body } = await sidecar.send('POST', 'sessions', {
    ...settings,
    learning_rate: '1e-3',
    description: 'slower',
  });
  await sidecar.until(body.name, ({ progress }) => (progress.step ?? 0) > 3);
  await sidecar.kill('SIGKILL');
  for (const pid of trainersOf(place, body.name)) process.kill(pid, 'SIGKILL');
  sidecar = await place.serve();
  const failed = await sidecar.until(body.name, ({ status }) => !['running', 'starting'].includes(status));
  const found = await sidecar.get<{ entries: { name: string; status: string; steps: number }[] }>('history?lora=cat');
  expect(found.entries[0]).toMatchObject({ name: body.name, status: failed.status, description: 'slower' });
  expect(found.entries.filter(({ status }) => status === 'completed')).toHaveLength(2);
  expect(found.entries.find(({ name }) => name === 'cat')).toMatchObject({ steps: 20, best_loss: expect.any(Number) });
});

test('A session goes to another outputs folder as one file, tells there what differs, and comes out the same', async () => {
  const out = await exportOf('cat');
  expect(JSON.parse(out)).toMatchObject({
    training_session: { id: 'cat', lora_name: 'cat', notes: 'look' },
    execution_status: { status: 'completed', steps: 20, error_message: null },
    dataset_config: { name: 'example', images: 10 },
    output_paths: { final_checkpoint: 'cat.safetensors' },
    trackside: { settings: { seed: 7 }, provenance: { seed: 7 } },
  });
  // Nobody learns where it ran.
  expect(out).not.toContain(place.folder);
  const other = appInProcess();
  try {
    const headers = { 'Content-Type': 'application/json' };
    const imported = await other.ask('/sessions/import', { method: 'POST', headers, body: out });
    expect(imported.status).toBe(201);
    const facts = await imported.json();
    expect(facts).toMatchObject({ name: 'cat', status: 'completed', notes: 'look', left_out: [], attempts: [] });
    expect(facts).toMatchObject({ relaunch: 'sessions/cat/relaunch', settings: { seed: 7, max_train_epochs: 2 } });
    expect(await (await other.ask('/sessions/cat/export')).text()).toBe(out);
    const differing = (await (await other.ask('/sessions/cat/differs')).json()) as Line[];
    expect(differing.map(Object.values)).toEqual([['Package tokenizers', '0.22.1', 'not installed']]);
    // And by a file that was put into the outputs folder.
    writeFileSync(join(other.settings.outputs, 'training_metadata_20260101_000000.json'), out);
    const page = await (await other.ask('/import', { headers: { Accept: 'text/html' } })).text();
    expect(page).toContain('training_metadata_20260101_000000.json');
    const found = await other.ask('/sessions/import?found=training_metadata_20260101_000000.json', { method: 'POST' });
    expect(await found.json()).toMatchObject({ name: 'cat-v2', version_name: 'V1 (imported)' });
    const relaunched = await other.ask('/sessions/cat/versions', { method: 'POST', headers, body: '{}' });
    expect(await relaunched.json()).toMatchObject({ name: 'cat-v3', status: 'draft', settings: { seed: 7 } });
  } finally {
    other.leave();
  }
});

test('No path, flag or secret comes in by a file, and nothing outside the outputs is read for one', async () => {
  const other = appInProcess();
  try {
    const send = (body: unknown) =>
      other.ask('/sessions/import', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const hostile = JSON.parse(await exportOf('cat'));
    hostile.training_session.lora_name = '../../ev\u0000\u202eil';
    hostile.trackside.settings.base_model = '/etc/shadow';
    hostile.trackside.settings.output_path = '/etc';
    hostile.trackside.arguments = {
      output_dir: '/etc/evil',
      vae: '/etc/passwd',
      network_weights: '../../x',
      lr_scheduler: '--resume=/x',
      wandb_api_key: 'x',
      network_alpha: 8,
    };
    hostile.trackside.surprise = { deep: '/etc/hosts' };
    const { left_out, name, settings } = (await (await send(hostile)).json()) as Record<string, unknown>;
    expect([name, settings]).toMatchObject(['evil', { arguments: { network_alpha: 8 } }]);
    expect(left_out).toHaveLength(6);
    for (const file of ['ui_state.json', 'imported.json'])
      expect(readFileSync(join(other.settings.outputs, 'evil', file), 'utf8')).not.toMatch(
        /[" =]\/etc|surprise|\.\.\/|wandb|output_path"/,
      );
    const secret = structuredClone(hostile);
    secret.training_session.notes = `hf_${'A'.repeat(34)}`;
    expect((await send(secret)).status).toBe(422);
    for (const body of [{}, { training_session: 'x' }, { versions: [] }]) expect((await send(body)).status).toBe(422);
    for (const found of ['../private/token', 'ui_state.json', '/etc/passwd', 'training_metadata_..json'])
      expect((await other.ask(`/sessions/import?found=${encodeURIComponent(found)}`, { method: 'POST' })).status).toBe(
        404,
      );
    expect(existsSync(join(other.settings.outputs, '..', 'evil'))).toBe(false);
    for (const body of [`{"a":[${'0,'.repeat(400_001)}0]}`, '{"a":12345678901234567890}', `{"a":${'['.repeat(5000)}`]) {
      writeFileSync(join(other.settings.outputs, 'training_metadata_odd.json'), body);
      const answer = await other.ask('/sessions/import?found=training_metadata_odd.json', { method: 'POST' });
      expect([answer.status, await answer.json()]).toMatchObject([422, { error: { field: 'found' } }]);
    }
  } finally {
    other.leave();
  }
});

test('A file with the same sections of another tool is taken as far as its names are known', async () => {
  const other = appInProcess();
  try {
    const body = JSON.stringify({
      training_session: { session_id: 'x', name: 'dog', timestamp: 1 },
      dataset_config: { num_repeats: 5, directory: '/data/dogs' },
      model_config: { base_model: 'flux-dev', network_dim: 16, learning_rate: '1e-4', optimizer: 'AdamW' },
      execution_status: { status: 'failed', error_message: 'CUDA out of memory' },
      output_paths: { output_dir: '/x' },
    });
    const headers = { 'Content-Type': 'application/json' };
    const imported = await other.ask('/sessions/import', { method: 'POST', headers, body });
    expect(await imported.json()).toMatchObject({
      name: 'dog',
      status: 'failed',
      reason: 'CUDA out of memory',
      settings: { network_dim: 16, learning_rate: '1e-4', num_repeats: 5 },
      left_out: expect.arrayContaining([expect.stringMatching(/^optimizer/)]),
    });
  } finally {
    other.leave();
  }
});

test('A report is one file with settings, curve and environment, which loads nothing', async () => {
  const answer = await fetch(new URL('sessions/cat/report', sidecar.url));
  expect(answer.headers.get('content-disposition')).toContain('cat-report.html');
  const report = await answer.text();
  expect(report).toContain('<polyline');
  expect(report).toContain('fingerprint');
  expect(report).toContain('by openai/clip-vit-large-patch14');
  expect(report).toMatch(/<dt>Seed<\/dt>\s*<dd>7<\/dd>/);
  expect(report).not.toMatch(/<script|<link|src="(?!data:)|href="(?!#)[^"]+"|url\(/);
});

/** What is kept beside the sessions. */
const BESIDE = ['.templates', '.sweeps', '.drafts', '.trackside-purges.ndjson'];

test('A backup holds the state of every session, and unpacked elsewhere it is restored', async () => {
  await sidecar.send('POST', 'templates', { session: 'cat', name: 'kept' });
  const zip = Buffer.from(await (await fetch(new URL('backup', sidecar.url))).arrayBuffer());
  const other = appInProcess();
  try {
    const file = join(other.settings.private, 'backup.zip');
    writeFileSync(file, zip);
    const into = ['-m', 'zipfile', '-e', file, other.settings.outputs];
    expect(spawnSync('python3', into).status).toBe(0);
    expect(readdirSync(other.settings.outputs)).toEqual(
      readdirSync(place.outputs).filter((name) => !name.startsWith('.') || BESIDE.includes(name)),
    );
    expect(await (await other.ask('/templates')).text()).toContain('kept');
    // The line for a terminal packs the same.
    const page = await (await fetch(new URL('import', sidecar.url), { headers: { Accept: 'text/html' } })).text();
    const line = /find \. [^<]*-T -/.exec(page)?.[0].replaceAll('&#39;', "'") ?? '';
    const tar = spawnSync('sh', ['-c', line.replace('trackside-backup.tgz', '-')], { cwd: place.outputs });
    const listed = spawnSync('tar', ['tz'], { input: tar.stdout }).stdout.toString().trim().split('\n');
    const zipped = spawnSync('python3', ['-m', 'zipfile', '-l', file]).stdout.toString();
    expect(listed.length).toBe(zipped.trim().split('\n').length - 1);
    expect(await (await other.ask('/sessions/cat')).json()).toMatchObject({
      status: 'completed',
      notes: 'look',
      settings: { seed: 7 },
    });
  } finally {
    other.leave();
  }
});
