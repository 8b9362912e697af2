import { type Dirent, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import type { TestSidecars } from '../sidecar.js';

/** Stands in every file outside the roots, and in no answer. */
export const CANARY = 'CANARY-5f1e';

/**
 * Files beside the roots that nobody may read or change, and links to them from everywhere inside: in a dataset, in an
 * output folder, in the trash, among the uploads. Returns how everything outside looks, to be compared afterwards.
 */
export async function plantLinks({ folder, outputs, datasets }: TestSidecars): Promise<() => string> {
  const outside = join(folder, 'outside');
  mkdirSync(join(outside, 'deep'), { recursive: true });
  const secret = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#123456' } })
    .withExif({ IFD0: { Artist: CANARY } })
    .png()
    .toBuffer();
  const state = { lora_name: CANARY, status: 'stopped', description: CANARY, timestamp: 1 };
  const files = {
    'secret.png': secret,
    'deep/secret.png': secret,
    'secret.txt': CANARY,
    'secret.safetensors': CANARY,
    'ui_state.json': JSON.stringify(state),
    'training.log': `${CANARY}\n`.repeat(50),
    'sample_prompts.txt': CANARY,
    'cat-000001.safetensors': CANARY,
    'upload.json': JSON.stringify({ dataset: 'x', file: `${CANARY}.png`, bytes: 3 }),
    content: CANARY,
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(outside, file), content);
  mkdirSync(join(outside, 'sample'));
  writeFileSync(join(outside, 'sample', 'cat_e000001_00_20260101000000_1.png'), secret);
  mkdirSync(join(outside, 'logs', 'network_train'), { recursive: true });
  writeFileSync(join(outside, 'logs', 'network_train', 'events.out.tfevents.1'), CANARY);

  mkdirSync(join(datasets, 'x'), { recursive: true });
  mkdirSync(join(datasets, '.trash', 'x', '20260101T000000Z-aaaaaa'), { recursive: true });
  mkdirSync(join(datasets, '.uploads'));
  const own = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  writeFileSync(join(datasets, 'x', 'own.png'), own);
  writeFileSync(join(datasets, 'x', 'own.txt'), 'my own');
  for (const [name, from] of [
    ['cat', ''],
    ['linked', ''],
  ] as const) {
    mkdirSync(join(outputs, name, 'history'), { recursive: true });
    writeFileSync(
      join(outputs, name, 'ui_state.json'),
      JSON.stringify({ lora_name: name, status: 'stopped', timestamp: 2 }) + from,
    );
  }
  // What people, tools and other pods edit: paths in a state file that lead out.
  const edited = {
    lora_name: 'edited',
    status: 'completed',
    timestamp: 3,
    max_train_epochs: 4,
    trainer: 'practice',
    dataset: { path: join(outside, 'deep'), images: 1, captions: 0, repeats: 1, fingerprint: 'x' },
    outputs: { final_checkpoint: join(outside, 'secret.safetensors') },
    resume_from_checkpoint: outside,
    attempts: [
      {
        number: 1,
        kind: 'start',
        started_at: '2026-01-01T00:00:00Z',
        ended_at: '2026-01-01T00:01:00Z',
        outcome: 'stopped',
        resumed_from: `${outside}/earlier/../..`,
        argv: ['python', join(outside, 'x.py')],
        exit_code: 0,
      },
    ],
  };
  mkdirSync(join(outputs, 'edited'));
  writeFileSync(join(outputs, 'edited', 'ui_state.json'), JSON.stringify(edited));
  const links = {
    [join(datasets, 'x', 'link.png')]: join(outside, 'secret.png'),
    [join(datasets, 'x', 'relative.png')]: '../../outside/secret.png',
    [join(datasets, 'x', 'own.jpg')]: join(outside, 'secret.png'),
    [join(datasets, 'x', 'link.txt')]: join(outside, 'secret.txt'),
    [join(datasets, 'x', 'deep.png')]: join(outside, 'deep'),
    [join(datasets, 'way-out')]: outside,
    [join(datasets, 'deeper')]: join(outside, 'deep'),
    [join(datasets, '.trash', 'way-out')]: outside,
    [join(datasets, '.trash', 'x', '20260102T000000Z-bbbbbb')]: outside,
    [join(datasets, '.trash', 'x', '20260101T000000Z-aaaaaa', 'back.png')]: join(outside, 'secret.png'),
    [join(datasets, '.uploads', 'b'.repeat(32))]: outside,
    [join(outputs, 'way-out')]: outside,
    [join(outputs, 'cat', 'cat-000001.safetensors')]: join(outside, 'secret.safetensors'),
    [join(outputs, 'cat', 'training.log')]: join(outside, 'training.log'),
    [join(outputs, 'cat', 'sample')]: join(outside, 'sample'),
    [join(outputs, 'cat', 'logs')]: join(outside, 'logs'),
    [join(outputs, 'cat', 'earlier')]: outside,
    [join(outputs, 'cat', 'sample_prompts.txt')]: join(outside, 'sample_prompts.txt'),
    [join(outputs, 'cat', 'history', 'ui_state-000001-aaaa.json')]: join(outside, 'ui_state.json'),
    [join(outputs, 'linked', 'training.log')]: '../../outside/training.log',
    [join(outputs, 'linked', 'cat-state')]: outside,
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, path);
  mkdirSync(join(outputs, 'stolen'));
  symlinkSync(join(outside, 'ui_state.json'), join(outputs, 'stolen', 'ui_state.json'));
  return () => print(folder);
}

/** Everything beside the roots: names, sizes, times and contents. The private folder is the sidecar's own. */
function print(folder: string): string {
  const lines: string[] = [];
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true }).sort((a: Dirent, b: Dirent) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(at, entry.name);
      if (at === folder && ['outputs', 'datasets', 'private', 'models'].includes(entry.name)) continue;
      const { size, mtimeMs, ino } = statSync(path);
      lines.push(`${path} ${entry.isDirectory() ? '' : size} ${mtimeMs} ${ino}`);
      if (entry.isDirectory()) walk(path);
      else lines.push(readFileSync(path, 'latin1'));
    }
  };
  walk(folder);
  return lines.join('\n');
}

export type Attack = { method: string; path: string; body?: string | Buffer; headers?: Record<string, string> };

/** Over a thousand requests whose paths, names and fields mean another place. */
export function attacks(folder: string): Attack[] {
  return [...spelled(folder), ...planted()];
}

/** Links and edited files that lie inside, asked for by their own names. */
export function planted(): Attack[] {
  return PLANTED.map(([method, path]) => ({ method, path, body: method === 'GET' ? undefined : Buffer.from('x') }));
}

export function spelled(folder: string): Attack[] {
  const outside = join(folder, 'outside');
  const places = [
    '../outside/secret.png',
    '../../outside/secret.txt',
    '../../outside/secret.safetensors',
    `${outside}/secret.png`,
    '../../../../../../../../etc/passwd',
    '/etc/passwd',
  ];
  const spellings = places.flatMap((place) => [...new Set(WAYS.map((way) => way(place)))]);
  const json = { 'content-type': 'application/json' };
  const names = spellings.map((spelling) => safely(spelling));
  const inPaths = spellings.flatMap((spelling, index) => {
    const at = ADDRESSES[index % ADDRESSES.length] as (spelling: string) => Attack;
    const second = ADDRESSES[(index * 7 + 3) % ADDRESSES.length] as typeof at;
    const third = ADDRESSES[(index * 11 + 5) % ADDRESSES.length] as typeof at;
    return [at(spelling), second(spelling), third(spelling), ADDRESSES[0]?.(spelling) as Attack];
  });
  const inBodies = names.flatMap((name): Attack[] => [
    { method: 'POST', path: '/datasets', headers: json, body: JSON.stringify({ name }) },
    { method: 'POST', path: '/datasets/x/uploads', headers: json, body: JSON.stringify({ file: name, bytes: 9 }) },
    {
      method: 'POST',
      path: '/sessions',
      headers: json,
      body: JSON.stringify({ lora_name: name, dataset: name, trainer: name }),
    },
    {
      method: 'POST',
      path: '/sessions/cat/attempts',
      headers: json,
      body: JSON.stringify({ kind: 'resume', state: name }),
    },
    {
      method: 'POST',
      path: '/datasets',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: form(name),
    },
  ]);
  return [...inPaths, ...inBodies];
}

/** Follows no redirect and tidies no path: what is sent is what was written. */
export function ask(url: string, { method, path, body, headers }: Attack): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
    const asked = request(
      { hostname, port, method, path, headers: { accept: 'application/json', ...length, ...headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('latin1').on('data', (chunk) => {
          text += chunk;
          if (answer.headers['content-type'] === 'text/event-stream') asked.destroy();
        });
        answer.on('close', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
    asked.setTimeout(20_000, () => asked.destroy(new Error(`no answer: ${method} ${path}`)));
    asked.end(body);
  });
}

const WAYS: ((place: string) => string)[] = [
  (place) => place,
  encodeURIComponent,
  (place) => encodeURIComponent(encodeURIComponent(place)),
  (place) => encodeURIComponent(encodeURIComponent(encodeURIComponent(place))),
  (place) => place.replace(/\./g, '%2e'),
  (place) => place.replace(/\./g, '%2E').replace(/\//g, '%2F'),
  (place) => place.replace(/\//g, '%5c'),
  (place) => encodeURIComponent(place.replace(/\//g, '\\')),
  (place) => place.replace(/\.\.\//g, '....//'),
  (place) => place.replace(/\.\.\//g, '..;/'),
  (place) => place.replace(/\//g, '%c0%af').replace(/\.\./g, '%c0%ae%c0%ae'),
  (place) => encodeURIComponent(place.replace(/\.\./g, '．．').replace(/\//g, '／')),
  (place) => encodeURIComponent(place.replace(/\.\./g, '‥').replace(/\//g, '⁄')),
  (place) => `${place}%00.png`,
  (place) => `own.png%00/${place}`,
  (place) => `%00${place}`,
  (place) => `./././${place}`,
  (place) => `own.png/${place}`,
  (place) => `own.png%2f..%2f${encodeURIComponent(place)}`,
  (place) => `file:%2f%2f${encodeURIComponent(place)}`,
  (place) => `~/${place}`,
  (place) => `%24HOME%2f${encodeURIComponent(place)}`,
  (place) => `${encodeURIComponent(place)}%0d%0aX-Injected:%20yes`,
  (place) => `%2e%2e%5c${encodeURIComponent(place)}`,
  (place) => place.replace(/\.\./g, '.%2e'),
  (place) => encodeURIComponent(`x/${place}`),
  (place) => `/proc/self/root${place}`,
  (place) => `%2fproc%2fself%2fcwd%2f${encodeURIComponent(place)}`,
];

const ADDRESSES: ((spelling: string) => Attack)[] = [
  (p) => ({ method: 'GET', path: `/datasets/x/images/${p}` }),
  (p) => ({ method: 'GET', path: `/datasets/x/images/${p}?size=thumb` }),
  (p) => ({ method: 'GET', path: `/datasets/${p}` }),
  (p) => ({ method: 'GET', path: `/datasets/${p}/images/secret.png` }),
  (p) => ({ method: 'PUT', path: `/datasets/x/images/${p}`, body: Buffer.from('x') }),
  (p) => ({ method: 'PUT', path: `/datasets/${p}/images/secret.png`, body: Buffer.from('x') }),
  (p) => ({ method: 'DELETE', path: `/datasets/x/images/${p}` }),
  (p) => ({ method: 'PUT', path: `/datasets/x/captions/${p}`, body: 'x' }),
  (p) => ({ method: 'PUT', path: `/datasets/x/archives/${p}`, body: 'x' }),
  (p) => ({ method: 'GET', path: `/datasets/x/uploads/${p}` }),
  (p) => ({ method: 'PUT', path: `/datasets/x/uploads/${p}`, body: 'x', headers: { 'content-range': 'bytes 0-0/1' } }),
  (p) => ({ method: 'DELETE', path: `/datasets/x/uploads/${p}` }),
  (p) => ({ method: 'POST', path: `/datasets/x/trash/${p}` }),
  (p) => ({ method: 'GET', path: `/datasets/${p}/trash` }),
  (p) => ({ method: 'GET', path: `/sessions/${p}` }),
  (p) => ({ method: 'GET', path: `/sessions/${p}/log` }),
  (p) => ({ method: 'GET', path: `/sessions/cat/checkpoints/${p}` }),
  (p) => ({ method: 'GET', path: `/sessions/cat/checkpoints/earlier/${p}` }),
  (p) => ({ method: 'GET', path: `/sessions/cat/samples/${p}` }),
  (p) => ({ method: 'GET', path: `/sessions/cat/history/${p}` }),
  (p) => ({ method: 'POST', path: `/sessions/cat/history/${p}` }),
  (p) => ({ method: 'GET', path: `/sessions/cat/log?attempt=${p}&tail=9` }),
  (p) => ({ method: 'DELETE', path: `/sessions/${p}` }),
  (p) => ({ method: 'GET', path: `/assets/${p}` }),
  (p) => ({ method: 'GET', path: `/new?dataset=${p}`, headers: { accept: 'text/html' } }),
  (p) => ({ method: 'GET', path: `/new?from=${p}`, headers: { accept: 'text/html' } }),
  (p) => ({ method: 'GET', path: `/trainers/${p}` }),
  (p) => ({ method: 'GET', path: `/${p}` }),
];

/** What was planted, asked for by its own name. */
const PLANTED: [string, string][] = [
  ...['link.png', 'relative.png', 'own.jpg', 'deep.png', 'deep.png%2fsecret.png'].flatMap(
    (file): [string, string][] => [
      ['GET', `/datasets/x/images/${file}`],
      ['GET', `/datasets/x/images/${file}?size=thumb`],
    ],
  ),
  ['GET', '/datasets'],
  ['GET', '/datasets/x'],
  ['GET', '/datasets/x/trash'],
  ['GET', '/datasets/way-out'],
  ['GET', '/datasets/deeper'],
  ['GET', '/datasets/deeper/images/secret.png'],
  ['PUT', '/datasets/deeper/images/secret.png'],
  ['PUT', '/datasets/way-out/captions/secret'],
  ['DELETE', '/datasets/deeper/images/secret.png'],
  ['GET', '/datasets/way-out/trash'],
  ['POST', '/datasets/x/trash/20260102T000000Z-bbbbbb'],
  ['POST', '/datasets/way-out/trash/20260101T000000Z-aaaaaa'],
  ['GET', `/datasets/x/uploads/${'b'.repeat(32)}`],
  ['PUT', `/datasets/x/uploads/${'b'.repeat(32)}`],
  ['DELETE', `/datasets/x/uploads/${'b'.repeat(32)}`],
  ...['', '/log', '/log?tail=50', '/metrics', '/samples', '/checkpoints', '/states', '/history', '/events'].flatMap(
    (rest) =>
      ['cat', 'linked', 'edited', 'stolen', 'way-out'].map((name): [string, string] => [
        'GET',
        `/sessions/${name}${rest}`,
      ]),
  ),
  ['GET', '/sessions/cat/checkpoints/cat-000001.safetensors'],
  ['GET', '/sessions/cat/checkpoints/earlier/secret.safetensors'],
  ['GET', '/sessions/cat/samples/cat_e000001_00_20260101000000_1.png'],
  ['GET', '/sessions/cat/history/000001-aaaa'],
  ['POST', '/sessions/cat/history/000001-aaaa'],
  ['POST', '/sessions/edited/attempts'],
  ['DELETE', '/sessions/way-out'],
  ['GET', '/new?from=edited'],
  ['GET', '/new?dataset=deeper'],
  ['GET', '/'],
];

/** A name for a JSON body, as the address would have meant it. */
function safely(spelling: string): string {
  try {
    return decodeURIComponent(spelling);
  } catch {
    return spelling;
  }
}

function form(name: string): string {
  const part = (head: string, body: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
  const quoted = name.replace(/[\r\n"]/g, '_');
  return `${part('name="name"', 'x')}${part(`name="files"; filename="${quoted}"`, 'x')}${part('name="files"; filename="own.png"', 'x')}--b--\r\n`;
}
