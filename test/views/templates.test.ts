import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findHistory } from '../../sidecar/sessions/outputs/history.js';
import type { Provenance } from '../../sidecar/sessions/provenance/provenance.js';
import { allHistoryView } from '../../sidecar/views/allHistory.js';
import { apiView } from '../../sidecar/views/api.js';
import { loadAssets } from '../../sidecar/views/assets.js';
import { bannerView, cardView } from '../../sidecar/views/banner.js';
import { stopByHand } from '../../sidecar/views/byHand.js';
import { chartsView } from '../../sidecar/views/charts.js';
import { compareView } from '../../sidecar/views/compare.js';
import { datasetsView, datasetView, imagesView } from '../../sidecar/views/datasets.js';
import { type DiagnosticsFacts, diagnosticsView } from '../../sidecar/views/diagnostics.js';
import { plain } from '../../sidecar/views/field.js';
import { layoutView, troublesView } from '../../sidecar/views/frame.js';
import { historyVersionView, historyView } from '../../sidecar/views/history.js';
import { freePart, homeView, othersPart } from '../../sidecar/views/home.js';
import { importView } from '../../sidecar/views/import.js';
import { logView } from '../../sidecar/views/log.js';
import { lorasView, loraView } from '../../sidecar/views/loras.js';
import { machineView } from '../../sidecar/views/machine.js';
import { modelsView } from '../../sidecar/views/modelFiles.js';
import { newTrainingView } from '../../sidecar/views/newTraining.js';
import { noticesView } from '../../sidecar/views/notices.js';
import { podView } from '../../sidecar/views/pod.js';
import { podFilesView } from '../../sidecar/views/podFiles.js';
import { preflightView } from '../../sidecar/views/preflight.js';
import { problemView } from '../../sidecar/views/problem.js';
import { publishView } from '../../sidecar/views/publish.js';
import { purgeView } from '../../sidecar/views/purge.js';
import { queueView } from '../../sidecar/views/queue.js';
import { relaunchView } from '../../sidecar/views/relaunch.js';
import { createRenderer } from '../../sidecar/views/render.js';
import { reportView } from '../../sidecar/views/report.js';
import { samplesPartView, samplesView } from '../../sidecar/views/samples.js';
import { secretsView } from '../../sidecar/views/secrets.js';
import { sessionRegions, sessionView } from '../../sidecar/views/session.js';
import { sessionsView } from '../../sidecar/views/sessions.js';
import { sharedFacts, sharedListView, sharedView } from '../../sidecar/views/shared.js';
import { sharesView } from '../../sidecar/views/shares.js';
import { statusView } from '../../sidecar/views/status.js';
import { stopSheet } from '../../sidecar/views/stop.js';
import { sweepsView, sweepView, voteView } from '../../sidecar/views/sweeps.js';
import type { Templates } from '../../sidecar/views/templates.js';
import { templatesView } from '../../sidecar/views/templatesPage.js';
import { trainersView } from '../../sidecar/views/trainers.js';
import { trashView } from '../../sidecar/views/trash.js';
import * as some from './samples.js';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));
const assets = loadAssets(templates);
const around = { root: '../', now: some.now };
const page = { ...around, active: [some.session()], disk: { freeBytes: 77e9, totalBytes: 100e9 } };

const model = some.sessionModel({ session: some.interrupted });
const regions = sessionRegions(model);
const table = { ...page, cards: [some.session()], sessions: [some.failed], total: 60, query: '', page: 2, pages: 3 };
const hand = {
  name: 'lora',
  status: 'running' as const,
  output_dir: '/out',
  output_name: null,
  script: 'flux_train_network.py',
  pid: 77,
  job: null,
  since: '2026-11-22T09:00:00.000Z',
  progress: some.session().progress,
  attempt: 'a',
};
const trash = [{ entry: 'a', put_away_at: '2026-11-22T09:00:00.000Z', files: ['a.png'], bytes: 9, dataset: 'cats' }];
const facts: DiagnosticsFacts = {
  versions: { trackside: '1', python: null },
  uptime_seconds: 3,
  memory_bytes: 4,
  settings: { host: '127.0.0.1' },
  trainers: ['practice'],
  sd_scripts: null,
  followed: ['cat'],
  streams: 1,
  disk_troubles: [],
  notices: [],
  work: {
    outputs: {
      runs: 1,
      last_run: '2026-11-22T09:00:00.000Z',
      last_error: 'no',
      last_error_at: '2026-11-22T09:00:00.000Z',
    },
  },
  errors: [],
  log: [
    { time: '2026-11-22T09:00:00.000Z', level: 'info', room: 'sessions', msg: 'Created.', session: 'cat', attempt: 1 },
  ],
};
const version = {
  version: '1',
  saved_at: '2026-11-22T09:00:00.000Z',
  bytes: 900,
  status: 'stopped',
  attempts: 1,
  present: false,
  changed: ['seed'],
  about: {
    first: false,
    began: null,
    status: 'failed',
    reason: 'Out of memory.',
    edits: [{ field: 'seed', was: '1', now: '2' }],
  },
  reason: null,
  text: '{}',
  changes: [{ field: 'seed', was: '1', now: null }],
};
const models = modelsView({
  ...page,
  folder: '/models',
  files: [{ path: '/models/a', name: 'a', bytes: 9, role: null, detail: 'fp8', usable: false, reason: 'is cut short' }],
  families: [
    {
      id: 'flux',
      label: 'FLUX.1',
      needs: [{ role: 'clip_l', label: 'CLIP-L', required: true, here: [], missing: true, sources: [] }],
      tokenizers: ['clip'],
      ready: false,
    },
  ],
  downloads: [
    {
      id: 'a',
      label: 'CLIP-L',
      repo: 'a/b',
      status: 'failed',
      message: 'no',
      link: 'https://huggingface.co',
      path: 'clip/a',
      bytes_done: 1,
      bytes: 2,
      bytes_per_second: null,
      eta_seconds: null,
    },
  ],
  wrong_sources: ['sources.toml: entry 1 of ae is ignored'],
  token: false,
  values: {},
  errors: { repo: 'no' },
});
const draft = {
  lora: 'cat',
  fields: { lora_name: 'Cat' },
  others: { description: 'b' },
  view: { open: [] },
  version: 2,
  updated_at: '2026-11-22T09:00:00.000Z',
};
const form = some.newTraining({
  dataset: { ...some.dataset, orphan_captions: ['a.txt'] },
  errors: { lora_name: 'no' },
  kept: { key: 'cat', draft, start: {}, cleared: 'dog', others: [draft] },
  where: { usual: 'slurm', only: false, offers: some.offers },
});
const found = {
  ready: true,
  errors: [],
  warnings: [{ severity: 'warning' as const, code: 'a', message: 'b', about: 'models' as const }],
};
const publication = {
  repo: 'a/b',
  url: 'https://huggingface.co/a/b',
  status: 'uploading' as const,
  files: 2,
  bytes_done: 1,
  bytes: 2,
  message: 'no',
};
const publish = publishView(
  { card: 'none', token: false, checkpoints: [{ path: 'a', bytes: 9 }], lora: 'a', publication },
  '../sessions/a',
  '../',
);
const dataset = datasetView({
  ...page,
  dataset: { ...some.dataset, orphan_captions: ['a.txt'] },
  notice: 'yes',
  refused: [{ file: 'a', reason: 'b' }],
  trash,
});

const row = { n: 7, text: 'steps: 9%|', cut: 0, kind: 'bar' as const, attempt: 2, step: 1449, arrived_at: null };
const log = logView({
  ...page,
  session: some.interrupted,
  total: 900,
  rows: [row, { ...row, n: 8, cut: 9000 }],
  position: '1:8',
  landmarks: {
    total: 900,
    attempts: [{ number: 1, kind: 'start', started_at: '2026-11-22T09:00:00.000Z', line: 1 }],
    errors: [3],
    errorCount: 1,
    warnings: [],
    warningCount: 0,
  },
  line: null,
  found: { search: 'a', matches: 300, lines: [1, 2], searched: 2e9, bytes: 9e9 },
  allBars: false,
});
const ownOption = { value: 'a', label: 'a', help: 'b', chosen: true, parts: [], groups: [] };
const ownGroups = [
  {
    title: 'a',
    note: 'b',
    parts: [
      { kind: 'fields' as const, fields: [plain] },
      { kind: 'one of' as const, legend: 'a', note: 'b', error: 'c', name: 'd', options: [ownOption] },
    ],
  },
];

const gpu = {
  index: 0,
  uuid: 'GPU-1',
  name: 'NVIDIA L4',
  use: 97,
  memoryUsed: 23e9,
  memoryTotal: 24e9,
  temperature: 91,
  power: 71,
  powerLimit: 72,
  fan: null,
  slowed: ['power limit'],
};
const host = { cpu: 50, processors: 2, memoryUsed: 1e9, memoryTotal: 2e9, diskFree: 1e9, diskTotal: 2e9 };
const reading = { at: 1, gpus: [gpu], ...host };
const machine = machineView({
  ...page,
  machine: { now: reading, history: [reading, reading], no_gpu: null, disk_full_in: 4000 },
  running: [some.session({ attempts: [some.attempt({ gpus: [0] })] })],
  cluster: some.offers,
});
const line = { x: [1, 2, 3], y: [0.5, null, 0.3] };
const curve = {
  tag: 'loss/current',
  count: 3,
  raw: line,
  smooth: line,
  lost: [line],
  odd: [2],
  oddCount: 1,
  spikes: [{ x: 1, y: 9 }],
  best: { x: 3, step: 3, y: 0.3 },
  clip: { low: 0.3, high: 0.5, outside: 1 },
  mean: { sum: 1, count: 2 },
};
const template = {
  ...{ key: 'a', name: 'A', description: 'b', trainer: 'practice', settings: { network_dim: 4 }, arguments: {} },
  created_at: '2026-11-22T09:00:00.000Z',
};
const templatesPage = templatesView({
  ...page,
  templates: [
    { ...template, shipped: false },
    { ...template, shipped: true },
  ],
});
const sweep = {
  ...{ id: 'cat-1', lora_name: 'cat', created_at: '2026-11-22T09:00:00.000Z' },
  fields: [{ name: 'learning_rate', values: ['1e-4', '2e-4'] }],
  versions: [
    { session: 'a', values: ['1e-4'], refused: null },
    { session: 'b', values: ['2e-4'], refused: 'no' },
  ],
  votes: [{ picture: 'p', session: 'a', at: '2026-11-22T09:00:00.000Z' }],
};
const cell = { session: 'a', values: ['1e-4'], refused: null, step: 3, status: 'completed' as const };
const matrix = {
  cells: [
    { ...cell, loss: { tag: 'loss', last: 0.1, best: 0.09, best_step: 2 } },
    { ...cell, session: 'b', status: null, loss: null, refused: 'no' },
  ],
  pictures: [{ id: 'p', prompt: 'a cat', seed: '7', files: ['a.png', 'b.png'] }],
  done: false,
};
const sweepPage = sweepView({ ...page, sweep, matrix });
const vote = { picture: 'p', prompt: 'a cat', order: 'x', count: 2 };
const shownCharts = {
  axis: 'step' as const,
  from: null,
  to: 2,
  points: 9,
  smooth: 0.6,
  tags: null,
  log: true,
  clip: true,
  plan: true,
  with: ['b'],
};
const drawnCharts = {
  curves: [curve],
  range: { from: 1, to: 3, plan: 9 },
  marks: [{ x: 2, kind: 'attempt' as const, label: 'Attempt 2' }],
  axis: { stepsPerEpoch: 1, begun: 0, attemptBegun: 0, before: 0 },
  others: [{ colour: 3, name: 'b', lora: 'b', version: 1, version_name: null, curves: [curve] }],
};
const charts = chartsView({ ...page, session: some.interrupted, shown: shownCharts, charts: drawnCharts });
const [one, two] = [some.session(), some.interrupted];
const compared = {
  ...{
    duration_seconds: 9,
    step: 3,
    epoch: 1,
    checkpoint_bytes: 9,
    weights_bytes: 18,
    peak_gpu_memory: 12e9,
    cost: 1.5,
  },
  loss: { tag: 'loss', last: 0.1, best: 0.09, best_step: 2 },
};
const comparison = compareView({
  ...page,
  comparison: {
    ...drawnCharts,
    baseline: one.name,
    leads: one.name,
    sessions: [
      { ...one, ...compared, colour: null },
      { ...two, ...compared, colour: 0 },
    ],
    missing: ['gone'],
    settings: [
      { name: 'seed', values: [1, 2], differs: true },
      { name: 'arguments.network_alpha', values: [null, 1], differs: false },
    ],
    samples: [{ prompt: 'a cat', seed: '1', pictures: [{ name: 'a.png', step: 1, epoch: null }, null] }],
    sample_steps: [1, 2],
  },
  shown: { charts: shownCharts, step: 1, price: 0.5, typed: true, turned: null },
  sessions: [some.failed],
});

const delivery = { state: 'failed' as const, tries: 2, at: null, error: 'The server answered with 500.' };
const notices = noticesView({
  ...page,
  detected: '',
  said: 'Saved.',
  values: {},
  errors: { 'ntfy.topic': 'Topic is missing.', ntfy: 'no' },
  told: {
    channels: [
      {
        id: 'ntfy',
        name: 'ntfy',
        what: 'a',
        on: true,
        missing: 'b',
        fields: [{ name: 'topic', label: 'Topic', secret: true, set: true, value: null }],
      },
    ],
    kinds: [{ kind: 'completed', label: 'A training is complete', on: true, wording: null }],
    quiet: null,
    disk_gb: 5,
    page: '',
    ping: null,
    recent: [
      {
        ...{ id: 'a', kind: 'completed', at: '2026-11-22T09:00:00.000Z', level: 'good', title: 'a', text: 'b' },
        ...{ session: null, url: null, facts: {}, picture: null, actions: [], to: { ntfy: delivery } },
      },
    ],
  },
});

const everything = { q: '', chosen: {}, from: '', to: '', sort: 'steps', descending: true, page: 1 } as const;
const marked = some.session({ marked_best: true, rating: 4, tags: ['final'], description: 'd' });
const lora = { key: 'my-cat', name: 'my-cat', trigger_word: 'c4tsy', versions: [marked] };
const failedOne = some.session({ name: 'my-cat-v4', version: 4, status: 'failed', tags: ['a'] });
const waits = {
  ...{
    place: 1,
    waits: 'GPU 0 is in use by a.',
    position: 1,
    queued_at: '2026-11-22T09:00:00.000Z',
    kind: 'start' as const,
  },
  ...{ state: null, max_train_epochs: null, gpus: '0', held: false, failed: null, retry_smaller: true },
};
const queue = queueView({ ...page, queued: [{ ...some.session({ status: 'pending', attempts: [] }), queue: waits }] });

const pod = podView({
  ...page,
  said: 'Saved.',
  values: {},
  errors: { minutes: 'no' },
  pod: {
    price: 0.79,
    since: '2026-11-22T09:00:00.000Z',
    spent: 1,
    seconds: 4000,
    settings: {
      ...{ price: 0, limit: 5, stops: true, logins: true, minutes: 10, provider: 'lambda', instance: 'i', key: true },
      ...{ word: 'terminate', command: '', upload: 'hub', target: 'me' },
    },
    provider: { id: 'runpod', name: 'RunPod', leaves: 'a' },
    missing: null,
    stop: { phase: 'counting', seconds: 90, why: null },
    sessions: [
      {
        name: 'a',
        lora_name: 'a',
        version: 1,
        version_name: null,
        status: 'running',
        so_far: 1,
        to_end: 2,
        to_end_guessed: true,
      },
    ],
  },
});
const [sample] = model.samples as [(typeof model.samples)[0]];
const made: Provenance = {
  schema_version: 1,
  trackside: '1',
  attempt: { number: 1, kind: 'start', id: 'a' },
  recorded_at: '2026-11-22T09:00:00.000Z',
  completed_at: null,
  command: { argv: ['python3', 'x.py'], cwd: '/', environment: {} },
  seed: 1,
  trainer: { id: 'practice', script: null, folder: null, commit: 'abc', uncommitted: '+a', sha256: null },
  environment: { python: '3.11' },
  packages: ['torch==2'],
  dataset: {
    ...{ name: 'a', path: '/a', fingerprint: 'f', repeats: 1, files: [] },
    pictures: { count: 1, bytes: 1, sizes: { '1x1': 1 }, width: null, height: null },
    text: { captions: 1, without: 0, characters: null, tokens: { mean: 1, median: 1, p95: 1, max: 1 }, tags: { a: 1 } },
  },
  models: [{ flag: 'vae', path: '/m', bytes: 1, modified_at: null, sha256: 'a' }],
  resumed: [],
};

const gone = { kind: 'state' as const, of: 'a', path: '/o/a/a-1-state', files: [], bytes: 9, reason: 'Old.' };
const purged = {
  plan: {
    days: 30,
    items: [{ ...gone, age_days: 31, undo: true }],
    bytes: 9,
    kept: [{ session: 'b', reason: 'It runs.' }],
  },
  trash: [
    { entry: '20261122T090000Z-abcdef', removed_at: '2026-11-22T09:00:00.000Z', bytes: 9, paths: ['a/a-1-state'] },
  ],
  record: [{ ...gone, at: '2026-11-22T09:00:00.000Z', by: 'person' as const, entry: null }],
  ...{ session: 'a', nightly: { days: 30, hour: 3 }, outputs: '/o' },
};

const each: Templates = {
  layout: layoutView(page, { title: 'a', page: 'new', scripts: ['form.js'], sheets: ['log.css'] }, '', true),
  'pages/allHistory': allHistoryView({
    ...page,
    ...findHistory([some.session(), some.interrupted], { ...everything, chosen: { status: 'running' } }, page.now),
    query: { ...everything, chosen: { status: 'running' } },
    pages: 3,
    page: 2,
  }),
  'pages/api': apiView({
    ...page,
    routes: [
      { method: 'GET', path: '/a/:b{.+}', part: 'A', summary: 'a', more: 'b', query: { c: 'd' }, answers: { 200: {} } },
      { method: 'PUT', path: '/a', part: 'A', summary: 'a', body: { media: 'image/*' }, answers: { 200: {} } },
    ],
    codes: [['no_session', 404]],
  }),
  'pages/charts': charts,
  'pages/compare': comparison,
  'pages/dataset': dataset,
  'pages/datasets': datasetsView({ ...page, datasets: [some.dataset], removed: trash, values: {}, errors: {} }),
  'pages/history': historyView({ ...page, session: some.interrupted, versions: [version] }),
  'pages/historyVersion': historyVersionView({ ...page, session: some.interrupted, version }),
  'pages/home': homeView(table),
  'pages/log': log,
  'pages/login': { root: '', back: '', message: 'no', wrong: true, again: 'again' },
  'pages/lora': loraView({ ...model, lora: { ...lora, versions: [failedOne, ...lora.versions] } }),
  'pages/loras': lorasView({ ...page, loras: [lora] }),
  'pages/machine': machine,
  'pages/models': models,
  'pages/new': newTrainingView(form),
  'pages/notices': notices,
  'pages/pod': pod,
  'pages/podCancel': { root: '', valid: true, done: false },
  'pages/problem': problemView({ root: '', status: 500, code: 'a', message: 'b', about: { dataset: 'a' } }),
  'pages/purge': purgeView({ ...page, ...purged }),
  'pages/queue': queue,
  'pages/samples': samplesView(model),
  'pages/secrets': secretsView({
    ...page,
    secrets: [
      { name: 'HF_TOKEN', from: 'kept', set_at: '2026-11-22T09:00:00.000Z' },
      { name: 'WANDB_API_KEY', from: null, set_at: null },
    ],
  }),
  'pages/shared': sharedView({
    ...around,
    session: some.session(),
    samples: model.samples,
    curve: model.curve,
    log: 'a',
    expires_at: '2026-11-30T00:00:00.000Z',
  }),
  'pages/sharedList': sharedListView({
    ...around,
    key: 'a',
    about: 'lora',
    name: 'b',
    sessions: [sharedFacts(some.session())],
    expires_at: '2026-11-30T00:00:00.000Z',
  }),
  'pages/shares': sharesView({
    ...page,
    login: true,
    sessions: ['a'],
    loras: ['b'],
    chosen: 'a',
    shares: [
      {
        id: 'a',
        about: 'lora',
        name: 'b',
        created_at: '',
        expires_at: '2026-11-30T00:00:00.000Z',
        path: 'c',
        url: 'd',
      },
    ],
  }),
  'parts/sharedHead': { title: 'a', again: 15 },
  'pages/session': sessionView({ ...model, preflight: found }),
  'pages/diagnostics': diagnosticsView({
    ...page,
    facts,
    checks: [{ name: 'a', status: 'error', found: 'b', todo: 'c' }],
  }),
  'pages/sweep': sweepPage,
  'pages/sweeps': sweepsView({ ...page, sweeps: [sweep] }),
  'pages/vote': voteView({ ...page, sweep, pictures: matrix.pictures, ...vote }),
  'pages/templates': templatesPage,
  'pages/trainers': trainersView({
    ...page,
    trainers: [{ id: 'a', label: 'A', description: 'b', needs: [{ label: 'VAE', here: 0, required: true }] }],
    sdScripts: {
      path: null,
      commit: null,
      python: null,
      python_from: null,
      python_version: null,
      packages: [],
      gpus: [],
      missing: ['all'],
      looked_in: ['/workspace'],
    },
  }),
  'pages/relaunch': relaunchView({
    ...page,
    session: some.interrupted,
    differs: [{ what: 'torch', was: '2.6', now: '2.7' }],
    preflight: found,
    problem: 'The dataset is gone.',
    datasets: ['a', 'b'],
    trainers: [{ id: 'practice', label: 'Practice' }],
    models: [{ flag: 'vae', label: 'VAE', files: ['/models/a'] }],
  }),
  'pages/import': importView({
    ...page,
    found: [{ file: 'training_metadata_a.json', bytes: 9, saved_at: '2026-11-22T09:00:00.000Z' }],
    outputs: '/o',
    tar: 'tar',
  }),
  'pages/report': reportView({ ...model, pictures: [{ sample, uri: 'data:' }], provenance: made, version: '1' }, ''),
  'pages/trash': trashView({
    ...page,
    entries: [
      {
        name: 'a',
        entry: '20261122T090000Z-aaaaaa',
        lora_name: 'a',
        version: 1,
        deleted_at: '2026-11-22T09:00:00.000Z',
        bytes: 9,
        weights_bytes: 4,
        removed_at: '2026-12-22T09:00:00.000Z',
      },
    ],
  }),
  'parts/action': given(regions.head.action),
  'parts/attempts': given(regions.attempts),
  'parts/banner': bannerView(page),
  'parts/card': cardView(
    { ...some.interrupted, auto_resume: { on: true, will: true, tries: 0, in_seconds: 9, reason: null } },
    '',
  ),
  'parts/checkpoint': given(regions.checkpoints?.rows[0]),
  'parts/checkpoints': given(regions.checkpoints),
  'parts/choice': given(publish.checkpoints[0]),
  'parts/compared': comparison.results,
  'parts/comparedHead': given(comparison.results.columns[1]),
  'parts/curve': given(charts.curves[0]),
  'parts/downloads': models,
  'parts/draft': newTrainingView(form).kept,
  'parts/free': freePart({ ...table, cluster: some.offers }),
  'parts/facts': sessionRegions(some.sessionModel()).facts,
  'parts/field': {
    ...plain,
    error: 'no',
    help: 'so',
    link: { href: '', label: 'a' },
    unit: 'epochs',
    differs: 'changed',
  },
  'parts/fields': { fields: newTrainingView(form).about },
  'parts/folders': { folders: ['earlier/1', 'earlier/2'] },
  'parts/grid': given(regions.samples?.grid),
  'parts/head': regions.head,
  'parts/hints': { hints: newTrainingView(form).hints },
  'parts/images': imagesView(
    { root: '', dataset: some.dataset, rules: { resolution: 512, step: 64, noUpscale: false } },
    true,
  ),
  'parts/logLines': {
    lines: diagnosticsView({
      ...page,
      facts,
      checks: [{ name: 'a', status: 'error', found: 'b', todo: 'c' }],
    }).log,
    none: 'None.',
  },
  'parts/loss': given(regions.loss),
  'parts/machine': machine,
  'parts/meters': { meters: machine.host },
  'parts/modelFiles': models,
  'parts/needs': models,
  'parts/others': othersPart({
    ...table,
    others: [hand, { ...hand, pid: null, job: { id: '7', hosts: ['n1'], waits: null } }],
  }),
  'parts/ownGroups': { groups: ownGroups },
  'parts/ownParts': { parts: ownGroups.flatMap((group) => group.parts) },
  'parts/pairs': { pairs: [{ name: 'a', value: 'b' }] },
  'parts/podFiles': podFilesView(given(some.sessionModel().files)),
  'parts/podNow': pod,
  'parts/picks': { picks: newTrainingView(form).datasets },
  'parts/preflight': given(preflightView(found, '', 'caches')),
  'parts/publish': publish,
  'parts/queue': queue,
  'parts/resume': given(regions.resume),
  'parts/rows': log.rows,
  'parts/samples': given(samplesPartView(model, '')),
  'parts/sent': notices,
  'parts/session': given(sessionsView(table).rows[0]),
  'parts/sessions': sessionsView(table),
  'parts/shapes': {},
  'parts/shown': charts.form,
  'parts/status': statusView(some.interrupted),
  'parts/stopByHand': stopByHand('a', { pid: 77, job: null }, 'running', 'by-hand/77'),
  'parts/stop': stopSheet(some.session(), '', [['page', 'home']]),
  'parts/sweepTable': sweepPage.losses,
  'parts/troubles': troublesView({
    troubles: [{ path: '/out', code: 'ENOSPC', unsaved: ['a'], since: '2026-11-22T09:00:00.000Z' }],
  }),
  'parts/upload': dataset.upload,
  'parts/values': given(templatesPage.own[0]),
  'parts/whereFields': given(newTrainingView(form).where),
  'parts/where': given(newTrainingView(form).where),
  'parts/words': { words: regions.facts.why },
};

test.each(Object.keys(each) as (keyof Templates)[])('The template %s reads only what its view has', (name) => {
  const { render } = createRenderer({ templates, assets, development: true });
  expect(render(name, each[name], around)).not.toMatch(/undefined|\[object/);
});

test('A template that reads a misspelt key fails in development, however deep', () => {
  const folder = mkdtempSync(join(tmpdir(), 'templates-'));
  try {
    writeFileSync(join(folder, 'layout.eta'), '<% for (const link of it.links) { %><%= link.lable %><% } %>');
    const { render } = createRenderer({ templates: folder, assets, development: true });
    expect(() => render('layout', each.layout, around)).toThrow('lable');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function given<T>(view: T | null | undefined): T {
  if (view == null) throw new Error('nothing to show');
  return view;
}
