import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakePython } from '../fakePython.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { everyRoute } from './lockedSidecar.js';

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** Ten secrets, each where one may stand. Every one of them has to stay there. */
const CANARIES = {
  environment: `rpa${hex(12)}`,
  'environment, for Weights & Biases': hex(20),
  'secrets page': `hf_${hex(17)}`,
  token: `token-${hex(24)}`,
  arguments: `sk-proj-${hex(16)}`,
  'sample prompt': `ghp_${hex(18)}`,
  'log text': `hf_${hex(18)}`,
  traceback: `pass%2F${hex(6)}`,
  'hub address': `h4x${hex(8)}`,
  'command line of a run by hand': hex(20),
};
const ALL = Object.values(CANARIES);
const NAMELESS = [CANARIES.traceback, CANARIES['hub address'], CANARIES['command line of a run by hand']];

let place: TestSidecars;
let sidecar: Sidecar;
let byHand: ChildProcess;
afterAll(async () => {
  byHand?.kill('SIGKILL');
  await place.leave();
});

const authorized = { Authorization: `Bearer ${CANARIES.token}`, Accept: 'application/json' };

async function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body?: object) {
  const answer = await fetch(new URL(path, sidecar.url), {
    method,
    redirect: 'manual',
    headers: { ...authorized, ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const session = async (name: string) => JSON.parse((await ask(`sessions/${name}`)).text);

/** Everything that a careless trainer prints: its environment, a token, an address, half a secret and its other half. */
const CARELESS = `
env >&2
printf '\\033[32mINFO\\033[0m downloading https://me:%s@hub.example/x?token=%s\\n' ${CANARIES['hub address']} ${CANARIES['hub address']}
printf 'logged in as \\033[1m%s\\033[0m%s, once more in base64: %s\\n' "\${HF_TOKEN:0:9}" "\${HF_TOKEN:9}" "$(printf 'user:%s' "$HF_TOKEN" | base64 -w0)"
printf 'and another ${CANARIES['log text'].slice(0, 12)}'; sleep 1.2; printf '${CANARIES['log text'].slice(12)}\\n'
echo "wandb: Using api key $WANDB_API_KEY"`;

beforeAll(async () => {
  place = makeTestSidecars();
  const python = fakePython(
    place,
    `${CARELESS}
case "$*" in *--output_name=fails*) printf 'Traceback (most recent call last):\\nValueError: cannot open https://me:%s@hub.example/ with %s\\n' '${CANARIES.traceback}' "$HF_TOKEN" >&2; exit 1;; esac
exec python3 "$@"`,
  );
  sidecar = await place.serve({
    TRACKSIDE_NO_LOGIN: '',
    TRACKSIDE_TOKEN: CANARIES.token,
    TRACKSIDE_PYTHON: python,
    RUNPOD_API_KEY: CANARIES.environment,
    WANDB_API_KEY: CANARIES['environment, for Weights & Biases'],
    HF_TOKEN: '',
  });
  await ask('secrets/HF_TOKEN', {}, 'PUT', { value: CANARIES['secrets page'] });
  const folder = join(place.folder, 'elsewhere');
  mkdirSync(folder);
  const script = join(folder, 'flux_train_network.py');
  writeFileSync(script, 'import time\ntime.sleep(120)\n');
  byHand = spawn('python3', [
    script,
    `--output_dir=${folder}/api_key=${CANARIES['command line of a run by hand']}`,
    `--output_name=by-hand`,
    `--wandb_api_key=${CANARIES['command line of a run by hand']}`,
  ]);
  for (const name of ['cat', 'fails']) {
    const samples = { sample_prompts: 'a cat --w 64 --h 64 --s 1', sample_every_n_steps: 5 };
    await ask('sessions', {}, 'POST', { ...quick, ...samples, max_train_epochs: 2, lora_name: name, start: true });
  }
}, 60_000);

test('a token typed where it would stand in a file is refused, with the place where it belongs', async () => {
  const wrong: [object, string][] = [
    [{ arguments: { huggingface_token: CANARIES.arguments } }, 'arguments.huggingface_token'],
    [{ arguments: { wandb_api_key: hex(20) } }, 'arguments.wandb_api_key'],
    [{ arguments: { log_prefix: CANARIES.arguments } }, 'arguments.log_prefix'],
    [{ notes: `mine is ${CANARIES.arguments}` }, 'notes'],
    [{ sample_prompts: `a cat\nby ${CANARIES['sample prompt']}` }, 'sample_prompts'],
    [{ base_model: `https://me:${CANARIES['hub address']}@hub.example/` }, 'base_model'],
    [{ anything: { deep: [CANARIES['secrets page']] } }, 'anything.deep.0'],
  ];
  for (const [more, field] of wrong) {
    const { status, text } = await ask('sessions', {}, 'POST', { ...quick, lora_name: 'refused', ...more });
    expect(status, text).toBe(422);
    const { error } = JSON.parse(text);
    expect(error.field ?? Object.keys(error.fields)[0]).toBe(field);
    expect(error.message).toContain('Secrets page');
    const form = { ...quick, lora_name: 'refused', ...more };
    const page = await ask('sessions', { Accept: 'text/html' }, 'POST', form);
    expect(page.status).toBe(422);
    expect(sung(page.text)).toEqual([]);
  }
  const { status } = await ask('sessions/cat', {}, 'PATCH', { notes: CANARIES['log text'] });
  expect(status).toBe(422);
  expect(existsSync(join(place.outputs, 'refused'))).toBe(false);
});

test('the trainer has the secrets in its environment, and not our own token', async () => {
  await until(
    () => session('cat'),
    ({ status }) => status === 'completed',
    50,
  );
  const log = readFileSync(join(place.outputs, 'cat', 'training.log'), 'utf8');
  expect(log).toContain(`HF_TOKEN=${CANARIES['secrets page']}`);
  expect(log).toContain(`WANDB_API_KEY=${CANARIES['environment, for Weights & Biases']}`);
  expect(log).toContain(`RUNPOD_API_KEY=${CANARIES.environment}`);
  expect(log).not.toContain(CANARIES.token);
}, 60_000);

test('none of ten canaries is in any page, answer, log, download, stream, state file, list of processes or console', async () => {
  await until(
    () => session('fails'),
    ({ status }) => status === 'failed',
    50,
  );
  expect((await session('fails')).reason).toMatch(/cannot open https:\/\/me:\*+@hub\.example\/ with \*+/);
  const home = async () => (await ask('', { Accept: 'text/html' })).text;
  await until(home, (text) => text.includes('by-hand'));
  let looked = 0;
  const quiet = (where: string, text: string) => {
    looked += 1;
    expect(sung(text), where).toEqual([]);
  };
  const routes = everyRoute(place).filter(({ method }) => method === 'GET');
  for (const { path } of routes.filter((each) => !each.path.endsWith('/events'))) {
    for (const name of ['cat', 'fails']) {
      for (const Accept of ['application/json', 'text/html']) {
        quiet(`${Accept} ${path}`, (await ask(path.replace('/sessions/cat', `/sessions/${name}`), { Accept })).text);
      }
    }
  }
  // A password of another site alone, without what is around it, nobody can tell from a word.
  for (const canary of ALL.filter((each) => !NAMELESS.includes(each))) {
    const query = encodeURIComponent(canary);
    for (const path of [`?q=${query}`, `sessions/${query}`, `datasets/${query}`, `new?from=${query}`]) {
      for (const Accept of ['application/json', 'text/html']) quiet(path, (await ask(path, { Accept })).text);
    }
  }
  for (const name of ['cat', 'fails']) {
    const whole = await ask(`sessions/${name}/log`);
    expect(whole.text).toContain('logged in as');
    expect(Buffer.byteLength(whole.text)).toBe(statSync(join(place.outputs, name, 'training.log')).size);
    quiet('tail', (await ask(`sessions/${name}/log?tail=500`)).text);
    quiet('attempt', (await ask(`sessions/${name}/log?attempt=1`)).text);
    for (const size of [61, 4096]) quiet(`ranges of ${size} bytes`, await inRanges(name, size, whole.text));
  }
  for (const path of ['events', 'events?home=1', 'sessions/cat/events?log=0:0', 'sessions/fails/events']) {
    quiet(path, await stream(path));
  }
  for (const path of files(place.outputs)) {
    if (!path.endsWith('training.log')) quiet(path, `${path} ${readFileSync(path, 'latin1')}`);
  }
  for (const line of commandLines()) quiet('list of processes', line);
  quiet('console', sidecar.printed());
  console.log(`${ALL.length} canaries, looked for in ${looked} places`);
}, 60_000);

test('a live log hides a secret that is written in two halves, from whoever watches', async () => {
  await ask('sessions', {}, 'POST', { ...quick, lora_name: 'watched', start: true });
  const text = await stream('sessions/watched/events', (so_far) => so_far.includes('wandb: Using api key'));
  expect(text).toContain('and another');
  expect(sung(text)).toEqual([]);
  const pieces = [...text.matchAll(/event: log\ndata: (.*)\n/g)].map(([, data]) => JSON.parse(String(data)).text);
  expect(pieces.join('')).toMatch(/and another hf_\*+\n/);
}, 60_000);

test('secrets are kept for their owner alone, told only as set, replaced and forgotten', async () => {
  const kept = join(place.folder, 'private', 'secrets.json');
  expect(statSync(kept).mode & 0o777).toBe(0o600);
  expect(statSync(join(place.folder, 'private')).mode & 0o777).toBe(0o700);
  const facts = JSON.parse((await ask('secrets')).text);
  expect(facts).toEqual([
    { name: 'HF_TOKEN', from: 'kept', set_at: expect.any(String) },
    { name: 'WANDB_API_KEY', from: 'environment', set_at: null },
  ]);
  expect((await ask('secrets/HF_TOKEN')).status).toBe(405);
  expect((await ask('secrets/WANDB_API_KEY', {}, 'PUT', { value: hex(20) })).status).toBe(409);
  expect((await ask('secrets/OTHER', {}, 'PUT', { value: hex(20) })).status).toBe(404);
  for (const value of ['short', 'with space in it', `line\n${hex(20)}`, 'x'.repeat(501), 7]) {
    const { status, text } = await ask('secrets/HF_TOKEN', {}, 'PUT', { value } as object);
    expect(status).toBe(422);
    expect(text).toMatch(/No value was given|The value for HF_TOKEN/);
    expect(text).not.toContain(String(value).slice(0, 20).length > 6 ? String(value).slice(0, 20) : 'never');
  }
  const page = await ask('secrets', { Accept: 'text/html' });
  expect(page.text).toMatch(/<b>Set<\/b>, <time/);
  const posted = await fetch(new URL('secrets/HF_TOKEN?_method=DELETE', sidecar.url), {
    method: 'POST',
    redirect: 'manual',
    headers: { ...authorized, Accept: 'text/html' },
  });
  expect(posted.status).toBe(303);
  expect(readFileSync(kept, 'utf8')).not.toContain(CANARIES['secrets page']);
  expect(JSON.parse((await ask('secrets')).text)[0]).toMatchObject({ name: 'HF_TOKEN', from: null });
  // What is forgotten stands in old logs.
  expect(sung((await ask('sessions/cat/log')).text)).toEqual([]);
});

/** The canaries that a text holds, in any form that the test thinks of. */
function sung(text: string): string[] {
  return ALL.filter((canary) =>
    [canary, decodeURIComponent(canary), Buffer.from(`user:${canary}`).toString('base64').slice(8, -4)].some((form) =>
      text.includes(form),
    ),
  );
}

async function inRanges(name: string, size: number, whole: string): Promise<string> {
  const length = Math.min(Buffer.byteLength(whole), 6000);
  let text = '';
  for (let start = 0; start < length; start += size) {
    const end = Math.min(start + size, length) - 1;
    const part = await ask(`sessions/${name}/log`, { Range: `bytes=${start}-${end}` });
    expect(part.status).toBe(206);
    text += part.text;
  }
  return text;
}

/** What a stream says, until it said enough or for a second. */
async function stream(path: string, enough?: (text: string) => boolean): Promise<string> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), enough ? 20_000 : 1000);
  const answer = await fetch(new URL(path, sidecar.url), {
    headers: { ...authorized, Accept: 'text/event-stream' },
    signal: abort.signal,
  });
  expect(answer.status).toBe(200);
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (enough?.(text)) break;
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  clearTimeout(timer);
  abort.abort();
  return text;
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Of every process but the one that was started by hand with a secret in its arguments. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== byHand.pid)
    .flatMap((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8');
      } catch {
        return [];
      }
    });
}
