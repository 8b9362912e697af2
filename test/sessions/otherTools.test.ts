import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { appInProcess } from '../inProcess.js';
import { projectRoot } from '../sidecar.js';

const { ask, settings, leave } = appInProcess();
afterAll(leave);

const fixture = join(projectRoot, 'test', 'fixtures', 'sd-scripts', 'tiny-output');

/** A folder as another tool leaves it: a record in its own words, weights and a whole state of a run that died. */
function leftBehind(name: string, record: Record<string, unknown> | null, epochs = [1, 2]): string {
  const folder = join(settings.outputs, name);
  mkdirSync(folder, { recursive: true });
  if (record) writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  for (const epoch of epochs) {
    copyFileSync(join(fixture, 'mylora-000001.safetensors'), join(folder, `${name}-00000${epoch}.safetensors`));
  }
  return folder;
}

/** `secondsLater`: when each file was written, in the order of a save; here as a download leaves them. */
function withState(folder: string, name: string, secondsLater = [0, 1, 2, 3, 4]): void {
  const order = ['train_state.json', 'model.safetensors', 'optimizer.bin', 'scheduler.bin', 'random_states_0.pkl'];
  const state = join(folder, `${name}-state`);
  cpSync(join(fixture, 'mylora-000001-state'), state, { recursive: true });
  for (const [index, file] of order.entries()) {
    const at = Date.now() / 1000 - 600 + (secondsLater[index] ?? 0);
    utimesSync(join(state, file), at, at);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape, which the tests then look at
type Got = { status: number; body: any };

async function get(path: string): Promise<Got> {
  const response = await ask(path, { headers: { Accept: 'application/json' } });
  return { status: response.status, body: await response.json() };
}

async function until(ask: typeof get, path: string, so: (got: Got) => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !so(await ask(path)); tries += 1) await wait(200);
}

async function begin(name: string, kind: string, state?: string): Promise<Got> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const response = await ask(`/sessions/${name}/attempts`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ kind, state }),
  });
  return { status: response.status, body: await response.json() };
}

describe('a record without a trainer', () => {
  test.each([
    ['flux-schnell', 'sd-scripts/flux'],
    ['black-forest-labs/FLUX.1-dev', 'sd-scripts/flux'],
    ['Chroma1-HD', 'sd-scripts/chroma'],
    ['/models/ponyDiffusionV6XL.safetensors', 'sd-scripts/sdxl'],
    ['animagine-xl-3.1', 'sd-scripts/sdxl'],
    ['runwayml/stable-diffusion-v1-5', 'sd-scripts/sd1'],
    ['sd21-base', 'sd-scripts/sd2'],
    ['sd_v2_768_v', 'sd-scripts/sd2'],
    ['sd3.5-large', 'sd-scripts/sd3'],
    ['lumina-2', 'sd-scripts/lumina'],
    ['anima-preview', 'sd-scripts/anima'],
    ['FLUX.2-dev', null],
    ['Wan2.1-T2V-1.3B', null],
    ['my merge', null],
  ])('of base model %s is of trainer %s', async (model, trainer) => {
    const name = `of-${model.replace(/\W+/g, '-')}`;
    leftBehind(name, { lora_name: name, base_model: model, max_train_epochs: 4, status: 'stopped' }, []);
    expect((await get(`/sessions/${name}`)).body.trainer).toBe(trainer);
  });

  test('is told by train.sh, else by its weights', async () => {
    const folder = leftBehind('scripted', { lora_name: 'scripted', status: 'stopped' });
    writeFileSync(
      join(folder, 'train.sh'),
      'accelerate launch \\\n  "sd-scripts/sdxl_train_network.py" \\\n --seed=1\n',
    );
    expect((await get('/sessions/scripted')).body.trainer).toBe('sd-scripts/sdxl');
    leftBehind('headers', { lora_name: 'headers', status: 'stopped' });
    expect((await get('/sessions/headers')).body.trainer).toBe('sd-scripts/sd1');
  });

  test('is never begun with the practice trainer', async () => {
    withState(leftBehind('rose', { base_model: 'flux-dev', max_train_epochs: 4, status: 'stopped' }), 'rose-000001');
    const empty = leftBehind('blank', { max_train_epochs: 4, status: 'stopped' }, []);
    for (const kind of ['resume', 'relaunch']) {
      expect(await begin('rose', kind)).toMatchObject({ status: 422, body: { error: { code: 'no_checkout' } } });
    }
    const refused = await begin('blank', 'relaunch');
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'unknown_trainer', field: 'trainer' } } });
    expect(JSON.parse(readFileSync(join(empty, 'ui_state.json'), 'utf8'))).not.toHaveProperty('attempts');
  });
});

test('a whole state of another tool is what Resume takes, on the page and in every answer', async () => {
  withState(leftBehind('lily', { base_model: 'sd15', max_train_epochs: 6, status: 'stopped' }), 'lily-000001');
  const { body } = await get('/sessions/lily');
  expect(body).toMatchObject({ next: 'resume', resume: { state: 'lily-000001-state', epoch: 1, first_epoch: 2 } });
  expect((await get('/sessions/lily/states')).body).toMatchObject([{ complete: true, refused: null }]);
  const page = await (await ask('/sessions/lily', { headers: { Accept: 'text/html' } })).text();
  expect(page).not.toContain('There is no state folder to resume');
});

test('a state without a record is not offered in one place and refused in the other', async () => {
  withState(leftBehind('found', null), 'found-000001');
  expect((await get('/sessions/found')).body).toMatchObject({ resume: null, next: null });
  expect((await get('/sessions/found/states')).body[0].refused).toContain('ui_state.json');
});

test('what claimed to live when it was found is interrupted at every look', async () => {
  const folder = leftBehind('dead', { base_model: 'sd15', max_train_epochs: 6, status: 'running' });
  for (let look = 0; look < 3; look += 1) {
    const { body } = await get('/sessions/dead');
    expect(body).toMatchObject({ status: 'stopped', interrupted: true });
    expect(body.reason).toContain('"running"');
  }
  const file = JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8'));
  expect(['running', 'stopped']).toContain(file.status);
  expect([file.status, file.status_found]).toContain('running');
});

test('the error that another tool wrote down is kept and said', async () => {
  const folder = leftBehind('oom', { base_model: 'sd15', status: 'running', error: 'CUDA out of memory' });
  for (let look = 0; look < 2; look += 1) {
    expect((await get('/sessions/oom')).body.reason).toContain('CUDA out of memory');
  }
  expect(JSON.parse(readFileSync(join(folder, 'ui_state.json'), 'utf8')).error).toBe('CUDA out of memory');
});

test('the steps of an epoch are those that the weights tell, where a state counts from a resume', async () => {
  const folder = leftBehind('again', { base_model: 'sd15', max_train_epochs: 6, status: 'stopped' });
  withState(folder, 'again-000003');
  writeFileSync(join(folder, 'again-000003-state', 'train_state.json'), '{"current_epoch": 3, "current_step": 3}');
  expect((await get('/sessions/again')).body.resume).toMatchObject({ epoch: 3, step: 24, first_epoch: 4 });
});

test('a first start here keeps the files of the other tool that it writes anew', async () => {
  const folder = leftBehind('mine', { trainer: 'practice', max_train_epochs: 1, status: 'stopped' });
  writeFileSync(join(folder, 'train.sh'), 'accelerate launch mine.py\n');
  cpSync(join(settings.datasets, 'example'), join(settings.datasets, 'mine'), { recursive: true });
  expect((await begin('mine', 'relaunch')).status).toBeLessThan(300);
  expect(readFileSync(join(folder, 'train.sh.orig'), 'utf8')).toBe('accelerate launch mine.py\n');
  expect(readFileSync(join(folder, 'train.sh'), 'utf8')).toContain('practice_train_network.py');
  await ask('/sessions/mine/attempts/current', { method: 'DELETE' });
  await until(get, '/sessions/mine', ({ body }) => ['stopped', 'completed'].includes(body.status));
});

describe('words of other tools', () => {
  test.each([
    ['training', { status: 'stopped', interrupted: true }],
    ['In Progress', { status: 'stopped', interrupted: true }],
    ['finished', { status: 'completed', interrupted: false }],
    ['error', { status: 'failed' }],
    ['cancelled', { status: 'stopped', interrupted: false }],
    ['nothing we know', { status: 'stopped', interrupted: false }],
    [undefined, { status: 'stopped', interrupted: false }],
  ])('status %s', async (status, expected) => {
    const name = `word-${String(status).replaceAll(' ', '-')}`;
    leftBehind(name, { base_model: 'sd15', status });
    expect((await get(`/sessions/${name}`)).body).toMatchObject(expected);
    const listed = (await get('/sessions')).body.find((each: { name: string }) => each.name === name);
    if (listed) expect(listed).toMatchObject(expected);
  });

  test('times and prompts', async () => {
    const times = { timestamp: '2026-03-04T05:06:07Z', completed_at: 1772600767.5, sample_prompts: ['a rose', 'two'] };
    leftBehind('times', { base_model: 'sd15', status: 'completed', ...times });
    const { body } = await get('/sessions/times');
    expect(body.timestamp).toBe(1772600767);
    expect(body.completed_at).toBe('2026-03-04T05:06:07.500Z');
    expect(body.settings.sample_prompts).toBe('a rose\ntwo');
    leftBehind('odd', { base_model: 'sd15', status: 'completed', timestamp: 'soon', completed_at: 1e300 });
    expect((await get('/sessions/odd')).body).toMatchObject({ timestamp: null, completed_at: null });
  });
});

const downloaded = [4, 2, 3, 1, 0];

describe('a state whose files have the times of a download', () => {
  const record = { base_model: 'sd15', max_train_epochs: 6, status: 'stopped' };

  test('is offered with a warning where there is no other', async () => {
    withState(leftBehind('copied', record), 'copied-000001', downloaded);
    const { body } = await get('/sessions/copied');
    expect(body).toMatchObject({ next: 'resume', resume: { state: 'copied-000001-state' } });
    expect(body.resume.doubt).toContain('copied without its file times');
    expect((await get('/sessions/copied/states')).body).toMatchObject([{ refused: null }]);
    const page = await (await ask('/sessions/copied', { headers: { Accept: 'text/html' } })).text();
    expect(page).toContain('It may not be whole');
    expect(page).not.toContain('There is no state folder to resume');
    // Refused for its trainer, which is not here, and not for its times.
    expect((await begin('copied', 'resume')).body.error.code).toBe('no_checkout');
  });

  test('goes behind an older one that is surely whole', async () => {
    const folder = leftBehind('both', record);
    withState(folder, 'both-000001');
    withState(folder, 'both-000002', downloaded);
    writeFileSync(join(folder, 'both-000002-state', 'train_state.json'), '{"current_epoch": 2, "current_step": 4}');
    const { resume } = (await get('/sessions/both')).body;
    expect(resume).toMatchObject({ state: 'both-000001-state', doubt: null });
    expect(resume.passed_over).toMatchObject([{ state: 'both-000002-state' }]);
  });

  test('is refused where its content is cut', async () => {
    const folder = leftBehind('cut', record);
    withState(folder, 'cut-000001', downloaded);
    truncateSync(join(folder, 'cut-000001-state', 'optimizer.bin'), 500);
    utimesSync(join(folder, 'cut-000001-state', 'optimizer.bin'), 1e9, 1e9);
    expect((await get('/sessions/cut')).body).toMatchObject({ next: 'start over', resume: null });
    expect((await get('/sessions/cut/states')).body[0].refused).toBe('optimizer.bin is cut short');
  });
});

test('a state that is a link is followed inside the outputs folder, and named elsewhere', async () => {
  const record = { base_model: 'sd15', max_train_epochs: 6, status: 'stopped' };
  const folder = leftBehind('linked', record);
  withState(settings.outputs, 'elsewhere');
  symlinkSync(join(settings.outputs, 'elsewhere-state'), join(folder, 'linked-000001-state'));
  withState(settings.private, 'out');
  symlinkSync(join(settings.private, 'out-state'), join(folder, 'linked-000002-state'));
  symlinkSync('/nowhere', join(folder, 'linked-000003-state'));
  const { body } = await get('/sessions/linked/states');
  const told = Object.fromEntries(body.map((each: { name: string; refused: string }) => [each.name, each.refused]));
  expect(told).toEqual({
    'linked-000001-state': null,
    'linked-000002-state': expect.stringContaining('leads out of the outputs folder'),
    'linked-000003-state': 'it is a link that leads nowhere',
  });
  expect((await get('/sessions/linked')).body.resume).toMatchObject({ state: 'linked-000001-state' });
});

describe('weights files', () => {
  const header = (json: string) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
    return Buffer.concat([length, Buffer.from(json)]);
  };
  const tensor = header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const weights = Buffer.concat([tensor, Buffer.from([0, 0, 128, 63])]);

  /** Saved one minute after the other. */
  function folderOf(name: string, files: [file: string, content: Buffer][]): void {
    const folder = join(settings.outputs, name);
    mkdirSync(folder, { recursive: true });
    for (const [index, [file, content]] of files.entries()) {
      writeFileSync(join(folder, file), content);
      utimesSync(join(folder, file), 1_770_000_000 + index * 60, 1_770_000_000 + index * 60);
    }
  }
  const told = async (name: string): Promise<unknown[]> => {
    const { body } = await get(`/sessions/${name}/checkpoints`);
    return body.map(({ name, kind, epoch, step }: Record<string, unknown>) => [name, kind, epoch ?? step]);
  };

  test('that are cut, empty or none say so, and are not offered', async () => {
    const broken: [string, Buffer, RegExp | null][] = [
      ['whole', weights, null],
      [
        'a header of 60 bytes',
        Buffer.concat([header('{"abc":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}    '), Buffer.alloc(4)]),
        null,
      ],
      [
        'no metadata',
        Buffer.concat([
          header('{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
          Buffer.alloc(4),
        ]),
        null,
      ],
      ['cut', weights.subarray(0, -2), /is cut short/],
      ['cut header', weights.subarray(0, 30), /is cut short/],
      ['long', Buffer.concat([weights, Buffer.alloc(9)]), /is longer than its header says/],
      ['empty', Buffer.alloc(0), /is empty/],
      ['none in it', header('{"__metadata__":{"a":"b"}}'), /holds no weights/],
      ['page', Buffer.from('<html><head><title>Sign in</title></head><body></body></html>'), /is a web page/],
      ['pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n'), /Git LFS/],
      ['pickle', Buffer.from('PK\u0003\u0004 archive/data.pkl and more of it'), /PyTorch/],
      [
        'numbers',
        Buffer.concat([
          header('{"__metadata__":{"ss_epoch":5},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
          Buffer.alloc(4),
        ]),
        /broken header/,
      ],
    ];
    folderOf(
      'sick',
      broken.map(([name, content]) => [`${name}.safetensors`, content]),
    );
    const { body } = await get('/sessions/sick/checkpoints');
    for (const [name, , words] of broken) {
      const found = body.find((each: { name: string }) => each.name === `${name}.safetensors`);
      expect([name, found.problem]).toEqual([name, words ? expect.stringMatching(words) : null]);
    }
    const page = await (await ask('/sessions/sick', { headers: { Accept: 'text/html' } })).text();
    expect(page.match(/ download>Download/g)).toHaveLength(broken.filter(([, , words]) => !words).length);
    const offered = page.match(/value="[^"]*\.safetensors"/g) ?? [];
    for (const [name, , words] of broken) if (words) expect(offered).not.toContain(`value="${name}.safetensors"`);
  });

  test.each<[string, string[], [string, string, number | null][]]>([
    [
      'hound',
      ['hound_000000100', 'hound_000000200', 'hound'],
      [
        ['hound', 'final', null],
        ['hound_000000200', 'step', 200],
        ['hound_000000100', 'step', 100],
      ],
    ],
    [
      'unfinished',
      ['elk_000000100', 'elk_000000200'],
      [
        ['elk_000000200', 'step', 200],
        ['elk_000000100', 'step', 100],
      ],
    ],
    [
      'one-trainer',
      ['2026-01-05_10-00-00-save-50-2-10', '2026-01-05_10-10-00-save-75-3-10'],
      [
        ['2026-01-05_10-10-00-save-75-3-10', 'step', 75],
        ['2026-01-05_10-00-00-save-50-2-10', 'step', 50],
      ],
    ],
    [
      'diffusers',
      ['checkpoint-50', 'checkpoint-100'],
      [
        ['checkpoint-100', 'step', 100],
        ['checkpoint-50', 'step', 50],
      ],
    ],
    [
      'shared',
      ['ox-000001', 'ox', 'yak-000001', 'yak-000002', 'lone'],
      [
        ['lone', 'other', null],
        ['yak-000002', 'epoch', 2],
        ['yak-000001', 'epoch', 1],
        ['ox', 'final', null],
        ['ox-000001', 'epoch', 1],
      ],
    ],
    [
      'embeddings',
      ['owl_000001', 'owl_000002'],
      [
        ['owl_000002', 'other', null],
        ['owl_000001', 'other', null],
      ],
    ],
    ['dated', ['portrait-202512'], [['portrait-202512', 'final', null]]],
    [
      'dated-saves',
      ['zoo-240131-000002', 'zoo-240131'],
      [
        ['zoo-240131', 'final', null],
        ['zoo-240131-000002', 'epoch', 2],
      ],
    ],
  ])('of %s are listed as what they are, newest first', async (name, files, expected) => {
    folderOf(
      name,
      files.map((file) => [`${file}.safetensors`, weights]),
    );
    expect(await told(name)).toEqual(expected.map(([file, kind, at]) => [`${file}.safetensors`, kind, at]));
  });

  test('copied all at once are in the order of their numbers', async () => {
    folderOf('copies', [
      ['fox.safetensors', weights],
      ['fox-000002.safetensors', weights],
      ['fox-000010.safetensors', weights],
    ]);
    for (const file of ['fox', 'fox-000002', 'fox-000010']) {
      utimesSync(join(settings.outputs, 'copies', `${file}.safetensors`), 1_770_000_000, 1_770_000_000);
    }
    expect((await get('/sessions/copies/checkpoints')).body.map(({ name }: { name: string }) => name)).toEqual([
      'fox.safetensors',
      'fox-000010.safetensors',
      'fox-000002.safetensors',
    ]);
  });
});

describe('event files of one start', () => {
  const bytes = (field: number, content: Buffer) =>
    Buffer.concat([Buffer.from([field * 8 + 2, content.length]), content]);
  const float = (value: number) => {
    const four = Buffer.alloc(4);
    four.writeFloatLE(value);
    return four;
  };
  const double = (value: number) => {
    const eight = Buffer.alloc(8);
    eight.writeDoubleLE(value);
    return eight;
  };

  /** A record of an event file, its checksums left out. */
  function event(step: number, tag: string, value: Buffer): Buffer {
    const wallTime = Buffer.concat([Buffer.from([9]), double(1_770_112_800 + step)]);
    const summary = bytes(5, bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), value])));
    const data = Buffer.concat([wallTime, Buffer.from([16, step]), summary]);
    const length = Buffer.alloc(12);
    length.writeBigUInt64LE(BigInt(data.length));
    return Buffer.concat([length, data, Buffer.alloc(4)]);
  }
  const plain = (value: number) => Buffer.concat([Buffer.from([2 * 8 + 5]), float(value)]);
  const tensor = (dtype: number, values: Buffer) =>
    bytes(8, Buffer.concat([Buffer.from([8, dtype]), bytes(2, Buffer.alloc(0)), values]));

  function write(name: string, place: string, events: Buffer[]): void {
    const folder = join(leftBehind(name, { trainer: 'practice', status: 'stopped' }, []), 'logs', place);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'events.out.tfevents.1770112800.pod.1.0'), Buffer.concat(events));
  }
  const pointsOf = async (name: string): Promise<[string, number, number][]> =>
    (await get(`/sessions/${name}/metrics`)).body.map(({ tag, step, value }: Record<string, unknown>) => [
      tag,
      step,
      value,
    ]);

  test('in several folders are one attempt, each curve by its name', async () => {
    const start = '20260203100000/network_train';
    write('curves', start, [event(1, 'loss/current', plain(0.5)), event(2, 'loss/current', plain(0.25))]);
    write('curves', `${start}/loss_seen`, [event(1, 'loss', plain(1)), event(2, 'loss', plain(2))]);
    write('curves', `${start}/loss_unseen`, [event(1, 'loss', plain(3)), event(2, 'loss', plain(4))]);
    write('curves', `${start}/1770112800.25`, [event(0, 'hp_metric', plain(-1))]);
    const points = await pointsOf('curves');
    expect(points).toHaveLength(7);
    expect(points).toEqual(
      expect.arrayContaining([
        ['loss/current', 2, 0.25],
        ['loss_seen', 2, 2],
        ['loss_unseen', 1, 3],
        ['hp_metric', 0, -1],
      ]),
    );
  });

  test('tell numbers as tensors, too; what is no single number is passed over', async () => {
    write('tensors', '20260203100000', [
      event(1, 'content', tensor(1, bytes(4, float(0.5)))),
      event(2, 'values', tensor(1, bytes(5, float(0.75)))),
      event(3, 'double', tensor(2, bytes(4, double(1.5)))),
      event(4, 'count', tensor(9, bytes(10, Buffer.from([7])))),
      event(5, 'histogram', tensor(2, bytes(4, Buffer.concat([double(1), double(2), double(3)])))),
      event(6, 'text', tensor(7, bytes(8, Buffer.from('a cat')))),
    ]);
    expect(await pointsOf('tensors')).toEqual([
      ['content', 1, 0.5],
      ['values', 2, 0.75],
      ['double', 3, 1.5],
      ['count', 4, 7],
    ]);
  });
});

test.each(['10_Jinx (arcane) person', '[old] hat, 2 & more', "_o'hara+v2"])(
  'the folder %s is a session as others',
  async (name) => {
    const folder = leftBehind(name, { base_model: 'sd15', max_train_epochs: 4, status: 'stopped' });
    withState(folder, `${name}-000001`);
    const at = `/sessions/${encodeURIComponent(name)}`;
    expect((await get(at)).body).toMatchObject({ name, next: 'resume', resume: { state: `${name}-000001-state` } });
    expect((await get(`${at}/checkpoints`)).body).toHaveLength(2);
    const page = await (await ask(at, { headers: { Accept: 'text/html' } })).text();
    const [download] = /sessions\/[^"]*\.safetensors/.exec(page) ?? [];
    expect((await ask(`/${download?.replaceAll('&#39;', "'").replaceAll('&amp;', '&')}`)).status).toBe(200);
  },
);
