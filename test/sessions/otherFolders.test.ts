import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { appInProcess } from '../inProcess.js';
import { projectRoot } from '../sidecar.js';

const { ask, settings, leave } = appInProcess();
afterAll(leave);

const fixture = join(projectRoot, 'test', 'fixtures', 'sd-scripts', 'tiny-output');
const weights = join(fixture, 'mylora-000001.safetensors');

/** A folder without a record, its weights a minute apart in this order. */
function folderOf(name: string, files: string[]): string {
  const folder = join(settings.outputs, name);
  for (const [index, file] of files.entries()) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(weights, path);
    utimesSync(path, 1_770_000_000 + index * 60, 1_770_000_000 + index * 60);
  }
  mkdirSync(folder, { recursive: true });
  return folder;
}

type Listed = { path: string; kind: string; epoch: number | null; step: number | null; problem: string | null };

async function checkpoints(name: string): Promise<Listed[]> {
  const response = await ask(`/sessions/${name}/checkpoints`, { headers: { Accept: 'application/json' } });
  expect(response.status).toBe(200);
  return response.json() as Promise<Listed[]>;
}

test.each<[tool: string, files: string[], newestFirst: [string, string, number | null][]]>([
  [
    'diffusers',
    [
      'checkpoint-500/pytorch_lora_weights.safetensors',
      'checkpoint-1000/pytorch_lora_weights.safetensors',
      'pytorch_lora_weights.safetensors',
    ],
    [
      ['pytorch_lora_weights.safetensors', 'final', 3],
      ['checkpoint-1000/pytorch_lora_weights.safetensors', 'step', 1000],
      ['checkpoint-500/pytorch_lora_weights.safetensors', 'step', 500],
    ],
  ],
  [
    'diffusion-pipe',
    ['20240506_10-11-12/epoch10/adapter_model.safetensors', '20240506_10-11-12/epoch20/adapter_model.safetensors'],
    [
      ['20240506_10-11-12/epoch20/adapter_model.safetensors', 'epoch', 20],
      ['20240506_10-11-12/epoch10/adapter_model.safetensors', 'epoch', 10],
    ],
  ],
  [
    'onetrainer',
    ['save/2024-05-06_10-11-12-save-500-10-0.safetensors', 'save/2024-05-06_10-41-12-save-1000-20-0.safetensors'],
    [
      ['save/2024-05-06_10-41-12-save-1000-20-0.safetensors', 'step', 1000],
      ['save/2024-05-06_10-11-12-save-500-10-0.safetensors', 'step', 500],
    ],
  ],
  [
    'capitals',
    ['cat-000002.SAFETENSORS', 'cat-step00500.Safetensors'],
    [
      ['cat-step00500.Safetensors', 'step', 500],
      ['cat-000002.SAFETENSORS', 'epoch', 2],
    ],
  ],
])('the weights that %s saves are listed, newest first, and can be downloaded', async (tool, files, newestFirst) => {
  folderOf(tool, files);
  const found = await checkpoints(tool);
  expect(found.map(({ path, kind, epoch, step }) => [path, kind, step ?? epoch])).toEqual(newestFirst);
  expect(found.every(({ problem }) => problem === null)).toBe(true);
  const last = newestFirst.at(-1)?.[0] as string;
  const file = await ask(`/sessions/${tool}/checkpoints/${last}`);
  expect(Buffer.from(await file.arrayBuffer())).toEqual(readFileSync(weights));
});

test('weights of the older kinds are listed, whole or not, and what an optimizer saved is not', async () => {
  const folder = folderOf('older', []);
  const whole = readFileSync(join(fixture, 'mylora-000001-state', 'optimizer.bin'));
  const files: [string, Buffer | string, string | null][] = [
    ['cat-000001.ckpt', whole, null],
    ['cat-000002.pt', whole.subarray(0, -5), 'The file is cut short.'],
    [
      'cat-000003.ckpt',
      '<!DOCTYPE html>',
      'The file is a web page and no weights: the download was refused, or needs a login.',
    ],
    ['cat-000004.pt', Buffer.concat([Buffer.from([0x80, 2]), Buffer.alloc(80)]), null],
    ['cat-000005.ckpt', '', 'The file is empty.'],
    ['cat-000006.pt', Buffer.alloc(500), 'The file is not a PyTorch file.'],
    [
      'cat-000007.ckpt',
      readFileSync(weights),
      'The file is a safetensors file: rename it, so that it ends in .safetensors.',
    ],
    ['pytorch_lora_weights.bin', whole, null],
    ['optimizer.pt', whole, 'unlisted'],
    ['scheduler.bin', whole, 'unlisted'],
    ['cat_optim.pt', whole, 'unlisted'],
  ];
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const found = Object.fromEntries((await checkpoints('older')).map(({ path, problem }) => [path, problem]));
  expect(found).toEqual(
    Object.fromEntries(files.filter(([, , told]) => told !== 'unlisted').map(([name, , told]) => [name, told])),
  );
});

test('what has the name of weights and is none is named', async () => {
  const folder = folderOf('odd', ['odd-000001.safetensors', 'odd-000005.safetensors']);
  symlinkSync('/nowhere/x.safetensors', join(folder, 'odd-000002.safetensors'));
  mkdirSync(join(folder, 'odd-000003.safetensors'));
  symlinkSync('odd-000001.safetensors', join(folder, 'odd-000004.safetensors'));
  writeFileSync(join(folder, 'odd-000005.safetensors.aria2'), '');
  const outside = mkdtempSync(join(tmpdir(), 'trackside-outside-'));
  copyFileSync(weights, join(outside, 'w.safetensors'));
  symlinkSync(join(outside, 'w.safetensors'), join(folder, 'odd-000006.safetensors'));
  const found = Object.fromEntries((await checkpoints('odd')).map(({ path, problem }) => [path, problem]));
  expect(found).toMatchObject({
    'odd-000001.safetensors': null,
    'odd-000002.safetensors': 'The file is a link that leads nowhere.',
    'odd-000003.safetensors': 'The file is a folder and no weights.',
    'odd-000004.safetensors': null,
    'odd-000005.safetensors': expect.stringContaining('still being downloaded'),
    'odd-000006.safetensors': expect.stringContaining('a link that leads out'),
  });
});

test('states that are packed, and backups of OneTrainer, are listed as what they are, with what to do', async () => {
  const folder = folderOf('packed', ['packed-000002.safetensors']);
  const record = { lora_name: 'packed', base_model: 'sd15', max_train_epochs: 6, status: 'stopped' };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  for (const name of ['packed-000001-state.zip', 'packed-000002-state.tar.gz', 'packed-state.7z', 'other.zip'])
    writeFileSync(join(folder, name), 'PK');
  mkdirSync(join(folder, 'backup', '2024-05-06_10-11-12-backup-500-10-0', 'optimizer'), { recursive: true });
  // It is unpacked already.
  mkdirSync(join(folder, 'packed-000001-state'));
  const states = await ask('/sessions/packed/states', { headers: { Accept: 'application/json' } });
  const told = ((await states.json()) as { name: string; complete: boolean; reason: string }[])
    .map(({ name, complete, reason }) => [name, complete, reason] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const packed = 'it is packed; unpack it here to resume from it';
  expect(told).toEqual([
    ['backup/2024-05-06_10-11-12-backup-500-10-0', false, expect.stringMatching(/backup of OneTrainer/)],
    ['packed-000001-state', false, expect.not.stringMatching(/packed/)],
    ['packed-000002-state.tar.gz', false, packed],
    ['packed-state.7z', false, packed],
  ]);
  const page = await (await ask('/sessions/packed', { headers: { Accept: 'text/html' } })).text();
  for (const [name] of told) expect(page).toContain(`>${name}<`);
  expect(page).toContain(`Its state can’t be resumed from: ${packed}.`);
});

describe('a state of another tool', () => {
  const order = ['train_state.json', 'model.safetensors', 'optimizer.bin', 'scheduler.bin', 'random_states_0.pkl'];

  function stateOf(name: string, folder: string, epoch = 1, step = 8): string {
    const session = folderOf(name, []);
    const record = { lora_name: name, base_model: 'sd15', max_train_epochs: 6, status: 'stopped' };
    writeFileSync(join(session, 'ui_state.json'), JSON.stringify(record));
    const state = join(session, folder);
    mkdirSync(state, { recursive: true });
    for (const file of order) copyFileSync(join(fixture, 'mylora-000001-state', file), join(state, file));
    writeFileSync(join(state, 'train_state.json'), JSON.stringify({ current_epoch: epoch, current_step: step }));
    return state;
  }

  async function of(name: string) {
    const headers = { Accept: 'application/json' };
    const { resume } = (await (await ask(`/sessions/${name}`, { headers })).json()) as { resume: unknown };
    const states = (await (await ask(`/sessions/${name}/states`, { headers })).json()) as { refused: string | null }[];
    return { resume, refused: states.map(({ refused }) => refused) };
  }

  test('whose weights are of an older accelerate is resumed from', async () => {
    const state = stateOf('old', 'old-000001-state');
    renameSync(join(state, 'model.safetensors'), join(state, 'pytorch_model.bin'));
    copyFileSync(join(fixture, 'mylora-000001-state', 'optimizer.bin'), join(state, 'pytorch_model.bin'));
    expect(await of('old')).toMatchObject({ resume: { state: 'old-000001-state' }, refused: [null] });
  });

  test('saved after a number of steps finds the steps of an epoch in the log', async () => {
    stateOf('steps', 'steps-step00000019-state', 2, 19);
    expect(await of('steps')).toMatchObject({ resume: null, refused: ['the number of steps per epoch is unknown'] });
    const log =
      'num batches per epoch / 1epochのバッチ数: 12\nnum epochs / epoch数: 6\ntotal optimization steps / 学習ステップ数: 72\n';
    writeFileSync(join(settings.outputs, 'steps', 'training.log'), log);
    expect(await of('steps')).toMatchObject({
      resume: {
        state: 'steps-step00000019-state',
        epoch: 1,
        step: 19,
        first_epoch: 2,
        repeated_steps: expect.any(Number),
      },
      refused: [null],
    });
  });

  test('that was unpacked one folder too deep says so', async () => {
    stateOf('deep', 'deep-000001-state/deep-000001-state');
    expect((await of('deep')).refused).toEqual([
      'its files may be one folder down, in deep-000001-state: move them up',
    ]);
  });

  test('with a file that is a link out of the outputs is not resumed from', async () => {
    const state = stateOf('linked', 'linked-000001-state');
    const outside = join(mkdtempSync(join(tmpdir(), 'trackside-outside-')), 'model.safetensors');
    renameSync(join(state, 'model.safetensors'), outside);
    symlinkSync(outside, join(state, 'model.safetensors'));
    const { resume, refused } = await of('linked');
    expect(resume).toBeNull();
    expect(refused).toEqual([expect.stringMatching(/^model\.safetensors is a link that leads out of the outputs/)]);
  });
});

describe('event files', () => {
  const bytes = (field: number, content: Buffer) =>
    Buffer.concat([Buffer.from([field * 8 + 2, content.length]), content]);

  /** A record of an event file, its checksums left out. `value`: a field of the summary's value. */
  function event(step: bigint, tag: string, value: Buffer): Buffer {
    const time = Buffer.alloc(9);
    time[0] = 9;
    time.writeDoubleLE(1_770_112_800, 1);
    const varint: number[] = [];
    for (let rest = BigInt.asUintN(64, step); ; rest >>= 7n) {
      if (rest < 128n) {
        varint.push(Number(rest));
        break;
      }
      varint.push(Number(rest & 127n) | 128);
    }
    const summary = bytes(5, bytes(1, Buffer.concat([bytes(1, Buffer.from(tag)), value])));
    const data = Buffer.concat([time, Buffer.from([16, ...varint]), summary]);
    const length = Buffer.alloc(12);
    length.writeBigUInt64LE(BigInt(data.length));
    return Buffer.concat([length, data, Buffer.alloc(4)]);
  }

  function plain(value: number): Buffer {
    const five = Buffer.alloc(5, 2 * 8 + 5);
    five.writeFloatLE(value, 1);
    return five;
  }
  const tensor = (dtype: number, value: Buffer) => bytes(8, Buffer.concat([Buffer.from([8, dtype]), value]));

  function write(name: string, file: string, events: Buffer[]): void {
    const path = join(folderOf(name, ['x.safetensors']), file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat(events));
  }

  async function points(name: string): Promise<string[]> {
    const found = await (await ask(`/sessions/${name}/metrics`)).json();
    return (found as { tag: string; step: number; value: number }[]).map(
      ({ tag, step, value }) => `${tag} ${step} ${value}`,
    );
  }
  const EVENTS = 'events.out.tfevents.1770112800.pod.1.0';

  test.each(['logs/a/b/c', 'log/x', 'tensorboard/2026-02-03_10-00-00', 'tb', 'runs/Feb03_10-00-00_pod', '.'])(
    'are found in %s',
    async (place) => {
      const name = `in-${place.replace(/\W+/g, '-')}`;
      write(name, join(place, EVENTS), [event(1n, 'loss', plain(0.5))]);
      expect(await points(name)).toEqual(['loss 1 0.5']);
    },
  );

  test.each<[string, Buffer, number]>([
    ['a half float', tensor(19, Buffer.from([13 * 8, 0x80, 0x70])), 0.5],
    ['a half float as content', tensor(19, bytes(4, Buffer.from([0, 0x38]))), 0.5],
    ['a brain float', tensor(14, Buffer.from([13 * 8, 0x80, 0x7d])), 0.25],
    ['a brain float as content', tensor(14, bytes(4, Buffer.from([0, 0xbf]))), -0.5],
    ['a byte', tensor(4, bytes(4, Buffer.from([200]))), 200],
    ['a small number', tensor(6, Buffer.from([7 * 8, 7])), 7],
    ['yes', tensor(10, Buffer.from([11 * 8, 1])), 1],
  ])('tell %s', async (what, value, told) => {
    const name = `as-${what.replace(/\W+/g, '-')}`;
    write(name, join('logs', EVENTS), [event(1n, 'loss', value)]);
    expect(await points(name)).toEqual([`loss 1 ${told}`]);
  });

  test('of a training that was gone on with by hand are one curve', async () => {
    write('twice', `logs/20260203100000/network_train/${EVENTS}`, [
      event(1n, 'loss', plain(4)),
      event(2n, 'loss', plain(3)),
    ]);
    write('twice', 'logs/20260203110000/network_train/events.out.tfevents.1770116400.pod.2.0', [
      event(3n, 'loss', plain(2)),
    ]);
    expect(await points('twice')).toEqual(['loss 1 4', 'loss 2 3', 'loss 3 2']);
  });

  test('in train/ and val/ are two curves, and steps that are none are left out', async () => {
    write('splits', `logs/train/${EVENTS}`, [event(1n, 'loss', plain(0.5)), event(1n << 62n, 'loss', plain(9))]);
    write('splits', `logs/val/${EVENTS}`, [event(1n, 'loss', plain(0.75)), event(-1n, 'loss', plain(9))]);
    expect((await points('splits')).sort()).toEqual(['loss 1 0.5', 'val/loss 1 0.75']);
  });
});
