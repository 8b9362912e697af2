import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import type { Context } from 'hono';
import { createApp } from '../../sidecar/app.js';
import { createLoginCookies } from '../../sidecar/security/loginCookie.js';
import { readSettings } from '../../sidecar/settings.js';
import { createTrackside } from '../../sidecar/trackside.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars } from '../sidecar.js';

/** Stands in everything that the house keeps: no answer to a stranger may hold it. */
export const CANARY = 'canary7f3a';

export type Asked = { status: number; headers: IncomingHttpHeaders; text: string };

/** A real sidecar that asks for its token, with a training, its files and a dataset, all of which hold the canary. */
export type LockedSidecar = {
  place: TestSidecars;
  sidecar: Sidecar;
  token: string;
  /** A request with exactly these headers, `Host` too. The answer's first 64 kB; a stream is left after its first words. */
  ask(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Asked>;
  /** The `Cookie` header of a login: `ageDays` old, signed with our key or another. */
  cookie(more?: { ageDays?: number; key?: Buffer }): string;
  /** Of every file in the place: equal where nothing was changed. */
  print(): Record<string, string>;
};

export async function openLockedSidecar(environment: NodeJS.ProcessEnv = {}): Promise<LockedSidecar> {
  const place = makeTestSidecars();
  const sidecar = await place.serve({ TRACKSIDE_NO_LOGIN: '', ...environment });
  const kept = (name: string) => readFileSync(join(place.folder, 'private', name), 'utf8').trim();
  const token = environment.TRACKSIDE_TOKEN ?? kept('token');
  const bearer = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json' };
  const { hostname, port, host } = new URL(sidecar.url);
  const ask: LockedSidecar['ask'] = (method, path, headers = {}, body) =>
    new Promise((resolve, reject) => {
      const length: Record<string, string> =
        body === undefined ? {} : { 'Content-Length': `${Buffer.byteLength(body)}` };
      const asked = request(
        { hostname, port, path, method, headers: { Host: host, ...length, ...headers } },
        (answer) => {
          let text = '';
          const done = () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
          answer.on('data', (chunk) => {
            text += chunk;
            if (text.length > 65_536 || answer.headers['content-type'] === 'text/event-stream') {
              done();
              asked.destroy();
            }
          });
          answer.on('end', done);
          answer.on('error', done);
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  const made = await ask('POST', '/sessions', bearer, JSON.stringify(session));
  if (made.status !== 201) throw new Error(`the house could not be furnished: ${made.text}`);
  for (;;) {
    const { status } = JSON.parse((await ask('GET', '/sessions/cat', bearer)).text);
    if (status === 'completed') break;
    if (status === 'failed') throw new Error('the training of the house failed');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ask('PUT', '/datasets/example/captions/01-morning', { ...bearer, 'Content-Type': 'text/plain' }, CANARY);
  await ask('PATCH', '/sessions/cat', bearer, JSON.stringify({ notes: `${CANARY} noted` }));
  await atRest(place.folder);
  const key = createHmac('sha256', kept('cookie-key')).update(token).digest();
  return {
    place,
    sidecar,
    token,
    ask,
    cookie: ({ ageDays = 0, key: other = key } = {}) => signed(other, key, ageDays),
    print: () => printOf(place.folder),
  };
}

const session = {
  ...quick,
  lora_name: 'cat',
  max_train_epochs: 1,
  notes: CANARY,
  description: CANARY,
  sample_prompts: CANARY,
  sample_every_n_steps: 5,
  start: true,
};

/** Every route that the app has, with something that exists in place of each parameter: what a new one adds is here too. */
export function everyRoute(place: TestSidecars): { method: string; path: string }[] {
  const settings = readSettings(
    {},
    { TRACKSIDE_OUTPUTS: place.outputs, TRACKSIDE_PRIVATE: join(place.folder, 'other') },
  );
  const file = (...path: string[]) =>
    readdirSync(join(place.outputs, 'cat', ...path)).find((name) => !name.startsWith('.'));
  const there: Record<string, string | undefined> = {
    '/assets/:file': 'x.js',
    '/sessions/:name/samples/:file': file('sample'),
    '/sessions/:name/checkpoints/:file{.+}': 'cat.safetensors',
    '/sessions/:name/history/:version': /\d+-\w+/.exec(file('history') ?? '')?.[0],
    '/datasets/:name/images/:file': '01-morning.png',
    '/trainers/:id{.+}': 'practice',
    '/by-hand/:pid{[0-9]+}': '1',
  };
  return createApp(createTrackside(settings))
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({
      method,
      path: path
        .replace(/^\/datasets\/:name/, '/datasets/example')
        .replace(/^\/sessions\/:name/, '/sessions/cat')
        .replace(/:(stem)/, '01-morning')
        .replace(/:\w+(\{.+\})?$/, there[path] ?? 'cat'),
    }));
}

/** A cookie's name holds a print of the key, so a forged one has the right name and another key's signature. */
function signed(key: Buffer, ours: Buffer, ageDays: number): string {
  const give = (by: Buffer) => {
    const headers: string[] = [];
    const c = { req: { header: () => undefined }, header: (_: string, value: string) => headers.push(value) };
    createLoginCookies(by, () => Date.now() - ageDays * 86_400_000).give(c as unknown as Context);
    return headers[0]?.split(';')[0]?.split('=') ?? [];
  };
  return `${give(ours)[0]}=${give(key)[1]}`;
}

/** What a training's end and an edit still write in the background is written; what an edit put aside for a moment is gone. */
async function atRest(folder: string): Promise<void> {
  for (let before = ''; ; ) {
    const now = JSON.stringify(printOf(folder));
    if (now === before && !now.includes('.tmp"')) return;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function printOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path, digest(path)]));
}

/** '' for a file that went away between the listing and the reading. */
function digest(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
