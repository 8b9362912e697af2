import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { wholeRegion } from '../../sidecar/live/changes.js';
import type { SessionFacts, StopCost } from '../../sidecar/sessions/facts.js';
import { loadAssets } from '../../sidecar/views/assets.js';
import { troublesView } from '../../sidecar/views/frame.js';
import type { HomeModel } from '../../sidecar/views/home.js';
import { createViews } from '../../sidecar/views/pages.js';
import * as some from './samples.js';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));
const views = createViews({ templates, assets: loadAssets(templates), development: true });
const { now, session, dataset } = some;

const home = (changes: Partial<HomeModel> = {}): HomeModel => ({
  root: '',
  now,
  active: [some.interrupted, some.failed, session(), some.caching],
  cards: changes.active ?? [some.interrupted, some.failed, session(), some.caching],
  sessions: [some.completed],
  total: 4,
  query: '',
  page: 1,
  pages: 1,
  ...changes,
});

/** Every page there is, of realistic facts. */
const pages: Record<string, string> = {
  home: views.home(home()),
  'empty home': views.home(home({ active: [], sessions: [], total: 0 })),
  'new training': views.newTraining(some.newTraining()),
  'running session': views.session(some.sessionModel()),
  'stopped session': views.session(some.sessionModel({ session: some.interrupted, active: [session()] })),
  'completed session': views.session(some.sessionModel({ session: some.completed })),
  samples: views.samples({ ...some.sessionModel(), root: '../../' }),
  datasets: views.datasets({ root: '', now, active: [], datasets: [dataset], values: {}, errors: {} }),
  dataset: views.dataset({ root: '../', now, active: [session()], dataset }),
  problem: views.problem({ root: '', status: 409, code: 'alive', message: 'my-cat V3 is training already.' }),
};

describe.each(Object.entries(pages))('The page: %s', (_name, html) => {
  test('has no script, style or handler of its own, so that a strict policy can forbid them', () => {
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:|data:/i);
  });

  test('has each id once', () => {
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(ids.filter((id) => /\s/.test(String(id)))).toEqual([]);
  });

  test('labels every field', () => {
    const labelled = new Set([...html.matchAll(/<label for="([^"]*)"/g)].map(([, id]) => id));
    for (const [field] of html.matchAll(/<(input|select|textarea)\b[^>]*>/g)) {
      if (/type="(hidden|radio)"/.test(field) || /aria-label=/.test(field)) continue;
      expect(labelled, field).toContain(/\sid="([^"]*)"/.exec(field)?.[1]);
    }
  });

  test('has relative links only', () => {
    for (const [, address] of html.matchAll(/\s(?:href|src|action|data-stream)="([^"]*)"/g)) {
      expect(address).not.toMatch(/^\/|^[a-z]+:/i);
    }
  });
});

test('Pages deeper down lead back to the root with every link', () => {
  const html = pages.samples ?? '';
  for (const [, address] of html.matchAll(/\s(?:href|src|action|data-stream)="([^"#]+)"/g)) {
    expect(address).toMatch(/^\.\.\/\.\.\//);
  }
});

test.each([
  `O'Neill's "cat" 🐈 & <b>`,
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</textarea><script>',
])('What a person typed is shown as typed, never as markup: %s', (text) => {
  const about = session({
    name: text,
    lora_name: text,
    description: text,
    notes: text,
    reason: text,
    trainer: text,
    status: 'failed',
    next: 'resume',
    dataset_path: `/d/${text}`,
    output_path: text,
    resume: {
      state: text,
      path: text,
      epoch: 1,
      step: 1,
      first_epoch: 2,
      lost_steps: null,
      exact: false,
      differs: [text],
      repeated_steps: 3,
      doubt: null,
      passed_over: [{ state: text, path: text, reason: text }],
    },
    attempts: [some.attempt({ reason: text, resumed_from: `/a/${text}`, alive: false })],
    settings: { concept_sentence: text, [text]: text, arguments: { [text]: text } },
  });
  const model = some.sessionModel({ session: about, active: [about], prompts: [text, text, text], logTail: text });
  const files = dataset.files
    .map((file) => ({ ...file, file: text, stem: text, caption: text, problem: text }))
    .slice(0, 1);
  const odd = { ...dataset, name: text, path: text, files, orphan_captions: [text], cover: text };
  const form = some.newTraining({
    dataset: odd,
    datasets: [odd],
    values: { lora_name: text, concept_sentence: text, sample_prompts: text, 'arguments.network_alpha': text },
    errors: { lora_name: text, max_train_epochs: text, dataset: text },
    problem: { message: text },
    loras: [{ name: text, folder: text, next: 2 }],
  });
  const all = [
    views.home(home({ active: [about], sessions: [about], query: text })),
    views.session(model),
    views.samples({ ...model, root: '../../' }),
    views.newTraining(form),
    views.datasets({ root: '', now, active: [], datasets: [odd], values: { name: text }, errors: { name: text } }),
    views.dataset({
      root: '../',
      now,
      active: [],
      dataset: odd,
      notice: text,
      refused: [{ file: text, reason: text }],
    }),
    views.problem({ root: '', status: 404, code: text, message: text }),
  ];
  for (const html of all) {
    expect(html).not.toContain(text);
    expect(html).toContain(escaped(text));
  }
});

function escaped(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character);
}

describe('The banner', () => {
  const { html } = views.banner({ root: '', now, active: home().active, page: 'home' });

  test('shows what runs, then what waits for a person', () => {
    const order = [...html.matchAll(/<article [^>]*id="card-([^"]*)"|<h2>([^<]*)/g)].map(
      ([, name, title]) => name ?? title,
    );
    expect(order).toEqual(['Running', 'my-cat-v3', 'inkwash-v1', 'Needs you', 'puppy-style-v2', 'lineart']);
  });

  test('says what each way to stop costs, before one presses', () => {
    const words = (cost: Partial<StopCost>, more: Partial<SessionFacts> = {}) => {
      const stop_cost = { saves: true, lost_steps: 160, lost_seconds: 480, next_save_seconds: 170, ...cost };
      const { html: sheet } = views.banner({ root: '', now, active: [session({ stop_cost, ...more })], page: 'home' });
      return (/popover class="sheet"[\s\S]*?<\/div>/.exec(sheet)?.[0] ?? '')
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ');
    };
    expect(words({})).toContain(
      'Stop after next checkpoint In about 3 min. Nothing is lost. Stop now The last 160 steps (8 min) will be trained again when you resume. Keep training',
    );
    expect(words({ lost_steps: 0 })).toContain('Stop now Nothing is lost.');
    expect(words({ lost_steps: null })).toContain('Anything since the last saved state will be trained again');
    const never = words({ saves: false, next_save_seconds: null });
    expect(never).toContain('It saves no state folders, so it would have to start over.');
    expect(never).not.toContain('next checkpoint');
    expect(words({}, { stops_after_save: true })).toContain('Don&#39;t stop In about 3 min it would stop.');
  });

  test('has no Stop on another page, where it would stand in the way of that page', () => {
    const { html: elsewhere } = views.banner({ root: '', now, active: home().active });
    expect(elsewhere).not.toContain('popover');
    expect(elsewhere).toContain('Resume');
  });

  test('says the status in words and by a shape', () => {
    expect(html).toMatch(/#shape-dot"\/><\/svg>Running · training/);
    expect(html).toMatch(/#shape-square"\/><\/svg>Stopped · interrupted/);
    expect(html).toMatch(/#shape-cross"\/><\/svg>Failed/);
  });

  test('says from which state a resume goes on, what was passed over, and what is trained again', () => {
    const text = html.replace(/<[^>]*>/g, '');
    expect(text).toContain('Resume continues from puppy-style-000008-state at epoch 9.');
    expect(text).toContain('puppy-style-000009-state was skipped: optimizer.bin is cut short.');
    expect(text).toContain('The last 51 steps will be repeated.');
  });

  test('gives each session the one button that makes sense, as a form that posts', () => {
    expect(html).toMatch(/action="sessions\/my-cat-v3\/attempts\/current\?_method=DELETE"/);
    expect(html).toMatch(
      /action="sessions\/puppy-style-v2\/attempts"[^>]*>\s*<input type="hidden" name="kind" value="resume">/,
    );
    expect(html).toMatch(
      /action="sessions\/lineart\/attempts"[^>]*>\s*<input type="hidden" name="kind" value="relaunch">/,
    );
  });
});

describe('Where a training runs', () => {
  const where = { usual: 'local', only: false, offers: some.offers } as const;

  test('is asked only where there is a cluster', () => {
    expect(views.newTraining(some.newTraining())).not.toContain('Where it runs');
    const html = views.newTraining(some.newTraining({ where }));
    expect(html).toMatch(/Where it runs <small>this machine</);
    expect(html).toContain('Cluster: 3 of 6 GPUs free. 1 node is down or drained.');
    expect(html).toMatch(/<option value="short">\s*short: 3 of 4 GPUs free, 60 minutes at most</);
    expect(html).toMatch(/<option value="h100">\s*h100: 0 of 2 free</);
  });

  test('is no choice where TRACKSIDE_LAUNCHER leaves none', () => {
    const html = views.newTraining(some.newTraining({ where: { ...where, usual: 'slurm', only: true } }));
    expect(html).toContain('<input type="hidden" name="launcher" value="slurm">');
    expect(html).not.toContain('id="f-launcher"');
  });

  test('unfolds where something of it is wrong, and says so beside the field', () => {
    const values = { launcher: 'slurm', cluster_queue: 'gone', cluster_nodes: '2' };
    const errors = { cluster_queue: 'The cluster has no partition gone for you.', cluster_nodes: 'Leave 1.' };
    const html = views.newTraining(some.newTraining({ where, values, errors }));
    expect(html).toMatch(/<details class="group" id="where" open>/);
    expect(html).toMatch(/<details class="group" id="where-more" open>/);
    expect(html).toMatch(/id="f-cluster_queue"[^>]*value="gone"/);
    expect(html).toMatch(/id="f-cluster_queue-error">The cluster has no partition gone for you\.</);
    expect(html).toContain('Please check: Partition, Nodes.');
  });

  test('while the controller is down, the fields stay, and a line says why nothing is known', () => {
    const offers = { gpus: [], queues: [], missing: 'Slurm’s controller does not answer.' };
    const html = views.newTraining(some.newTraining({ where: { ...where, offers }, values: { launcher: 'slurm' } }));
    expect(html).toContain('Slurm’s controller does not answer.');
    expect(html).toMatch(/<input id="f-cluster_queue"/);
  });
});

describe('The form of a new training', () => {
  test('keeps what was typed and says beside the field what is wrong', () => {
    const values = { lora_name: 'mein Kätzchen', max_train_epochs: '0', enable_checkpointing: 'false' };
    const html = views.newTraining(some.newTraining({ values, errors: { max_train_epochs: 'Must be at least 1.' } }));
    expect(html).toContain('value="mein Kätzchen"');
    expect(html).toMatch(/id="f-max_train_epochs"[^>]*value="0"[^>]*aria-invalid="true"/);
    expect(html).toMatch(/id="f-max_train_epochs-error">Must be at least 1\.</);
    expect(html).toContain('Please check: Epochs.');
  });

  test('says what is wrong with the description, and with what has no field', () => {
    const errors = { description: 'description holds a token.', 'arguments.bogus': '--bogus is none of its flags.' };
    const html = views.newTraining(some.newTraining({ values: { lora_name: 'x' }, errors }));
    expect(html).toMatch(/id="f-description-error">Description holds a token\.</i);
    expect(html).toContain('Please check: Description. --bogus is none of its flags.');
  });

  test('warns when a training could not be resumed', () => {
    const warning = /<p [^>]*id="saved-late">(.*?)<\/p>/;
    expect(warning.exec(views.newTraining(some.newTraining()))?.[1]).toBe('');
    const off = views.newTraining(some.newTraining({ values: { enable_checkpointing: 'false' } }));
    expect(warning.exec(off)?.[1]).toMatch(/has to start over/);
    const late = views.newTraining(some.newTraining({ values: { save_every_n_epochs: '16' } }));
    expect(warning.exec(late)?.[1]).toMatch(/nothing is saved before the end/);
  });

  test('says how many steps it takes', () => {
    expect(views.newTraining(some.newTraining())).toContain('4 pictures × 10 repeats × 16 epochs = 640 steps');
  });
});

describe("A session's page", () => {
  test('has a region for every part that is updated while it is open', () => {
    const html = pages['running session'] ?? '';
    const parts = views.sessionParts(some.sessionModel());
    const ids = ['head', 'facts', 'loss', 'samples', 'checkpoints', 'attempts', 'resume', 'publish'];
    expect(Object.keys(parts)).toEqual(ids);
    for (const [id, part] of Object.entries(parts)) {
      expect(html).toContain(`id="${id}"`);
      expect(html).toContain(wholeRegion(part));
    }
  });

  test('offers every whole state to resume from, and says why another is not', () => {
    const html = pages['stopped session'] ?? '';
    expect(html).toMatch(/name="state" value="puppy-style-v2-000008-state"/);
    expect(html).not.toMatch(/name="state" value="puppy-style-v2-000010-state"/);
    expect(html).toContain('optimizer.bin is cut short');
  });

  test('goes on with the log where the page left off', () => {
    expect(pages['running session']).toContain('data-stream="../sessions/my-cat-v3/events?log=1234%3A5678"');
  });

  test('shows what two attempts trained as one curve, and what a resume threw away apart', () => {
    const curve = [
      { step: 1, loss: 0.5, attempt: 1 },
      { step: 2, loss: 0.4, attempt: 1 },
      { step: 3, loss: 0.3, attempt: 1 },
      { step: 4, loss: 0.2, attempt: 1 },
      { step: 3, loss: 0.35, attempt: 2 },
      { step: 4, loss: 0.25, attempt: 2 },
    ];
    const { loss } = views.sessionParts(some.sessionModel({ curve }));
    expect(loss?.html.match(/class="raw"/g)).toHaveLength(2);
    expect(loss?.html.match(/class="lost"/g)).toHaveLength(1);
    expect(loss?.html.match(/class="mark"/g)).toHaveLength(1);
  });

  test('draws the curve over all of its width, and a spike does not press the rest flat', () => {
    const curve = Array.from({ length: 200 }, (_, i) => ({
      step: i + 1,
      loss: i === 90 ? 50 : 0.2 - i / 2000,
      attempt: 1,
    }));
    const { loss } = views.sessionParts(some.sessionModel({ curve }));
    expect(loss?.html).toContain('peaks cut off');
    const [, highest] = /aria-label="Loss from ([\d.]+)/.exec(loss?.html ?? '') ?? [];
    expect(Number(highest)).toBeLessThan(0.3);
    expect(loss?.html).toMatch(/ 600,[\d.]+"/);
    const calm = views.sessionParts(some.sessionModel({ curve: curve.filter(({ loss }) => loss < 1) }));
    expect(calm.loss?.html).not.toContain('peaks cut off');
  });

  test('shows beside each save the last sample before it, small, and names it', () => {
    const [sample] = some.sessionModel().samples;
    const [checkpoint] = some.sessionModel().checkpoints;
    if (!sample || !checkpoint) throw new Error('nothing is saved');
    const made = (step: number) => ({ ...sample, name: `s${step}.png`, step, epoch: null, prompt: 0, lost: false });
    const saved = (step: number) => ({
      ...checkpoint,
      path: `c${step}`,
      name: `c${step}`,
      kind: 'step' as const,
      step,
      epoch: null,
    });
    const model = some.sessionModel({
      samples: [100, 300].map(made),
      checkpoints: [50, 290, 300].map(saved),
      states: [],
    });
    const rows = [...(views.sessionParts(model).checkpoints?.lists.get('checkpoint-rows')?.values() ?? [])];
    const pictures = rows.map((row) => /samples\/(\w+\.png\?size=thumb)" alt="([^"]*)"/.exec(row)?.slice(1) ?? null);
    expect(pictures).toContainEqual(['s100.png?size=thumb', 'Sample of step 100']);
    expect(pictures).toContainEqual(['s300.png?size=thumb', 'Sample of step 300']);
    expect(pictures).toContainEqual(null);
  });
});

test('Nothing trained yet: the page says what to do first', () => {
  expect(pages['empty home']).toContain('Nothing has been trained here yet');
  expect(pages['empty home']).toContain('href="new"');
});

test('A search that finds nothing says so and leads back', () => {
  const html = views.home(home({ sessions: [], total: 0, query: 'zebra' }));
  expect(html).toContain('No session matches “zebra”');
  expect(html).toContain('value="zebra"');
});

test('A session that was asked to stop after its next checkpoint says so, and is not asked again', () => {
  const html = views.session(
    some.sessionModel({ session: session({ reason: 'It stops after the next checkpoint.', stops_after_save: true }) }),
  );
  expect(html).toContain('It stops after the next checkpoint.');
  expect(html).not.toContain('after-save');
  expect(html).toContain(">Don't stop<");
  expect(html).toContain('>Stop now<');
});

test('a state that was saved in the middle of an epoch is told by its step, never as epoch 0', () => {
  const [first] = some.sessionModel().states;
  if (!first) throw new Error('no state');
  const states = [{ ...first, kind: 'step' as const, epoch: 0, step: 140, complete: true, reason: null }];
  const html = views.session(some.sessionModel({ states, session: some.interrupted }));
  expect(html).toContain('Step 140');
  expect(html).not.toContain('epoch 0');
});

test.each([
  [undefined, null, null],
  ['sessions', null, null],
  ['datasets', 'datasets', 'Datasets'],
  [{ dataset: 'my cats' }, 'datasets/my%20cats', 'my cats'],
  [{ session: 'my-cat-v3' }, 'sessions/my-cat-v3', 'my-cat-v3'],
  [{ history: 'my-cat-v3' }, 'sessions/my-cat-v3/history', 'History of my-cat-v3'],
  [{ newFrom: 'my-cat-v3' }, 'new?from=my-cat-v3', 'New training'],
] as const)('a problem about %j leads to “%s”, and offers each place once', (about, link, name) => {
  const html = views.problem({ root: '', status: 404, code: 'gone', message: 'Gone.', about });
  const main = html.slice(html.indexOf('<main'));
  const buttons = [...main.matchAll(/<a class="button[^"]*" href="([^"]*)">([^<]*)</g)].map(([, to, words]) => [
    to,
    words,
  ]);
  expect(buttons).toEqual([...(name ? [[link, name]] : []), ['./', 'All sessions']]);
});

test('a draft shows its settings, and nothing that is not there yet', () => {
  const nothing = { states: [], checkpoints: [], samples: [], curve: [], logTail: '' };
  const files = [{ what: 'settings' as const, path: '/outputs/a/ui_state.json', bytes: 9, there: true }];
  const none = { ssh: null, commands: [], hint: null };
  const draft = session({ status: 'draft', next: 'start', attempts: [], final_checkpoint: null });
  const html = views.session(some.sessionModel({ ...nothing, session: draft, files: { ...none, files } }));
  for (const id of ['loss', 'samples', 'checkpoints', 'resume', 'attempts'])
    expect(new RegExp(`<section id="${id}"[^>]*>([\\s\\S]*?)</section>`).exec(html)?.[1]?.trim(), id).toBe('');
  expect(html).toContain('ui_state.json');
  expect(html).not.toMatch(/train\.sh|training\.log/);
});

test('prompts for samples now can be typed where the script reads them each time, and nowhere else', () => {
  const takes = (trainer: string) => {
    const session = { ...some.session(), trainer, exact_pause: { available: true, why: null } };
    const html = views.session(some.sessionModel({ session }));
    expect(html).toContain('Sample now');
    return html.includes('name="prompts"');
  };
  expect(['sd-scripts/sd1', 'sd-scripts/flux', 'practice'].map(takes)).toEqual([true, false, false]);
});

test('a full disk is told once, for all of the folders that could not be written', () => {
  const since = '2026-11-30T09:00:00.000Z';
  const troubles = ['/out', '/out/cat', '/data'].map((path) => ({ path, code: 'ENOSPC', since, unsaved: [] }));
  const told = troublesView({ troubles: [...troubles, { path: '/ro', code: 'EROFS', since, unsaved: ['a.txt'] }] });
  expect(told.troubles.map(({ words }) => words.slice(0, 50))).toEqual([
    expect.stringContaining('The disk is full: /out and 2 more folders.'),
    expect.stringContaining('The disk is read-only: /ro. Not saved: a.txt.'),
  ]);
});
