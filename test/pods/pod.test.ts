import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PublishServer, startPublishServer, writeToken } from '../models/publishServer.js';
import { type NoticeServer, startNoticeServer } from '../notices/servers.js';
import { makeTestSidecars, quick, type TestSidecars, until } from '../sidecar.js';

const TOKEN = 'a-token-of-this-test';
/** Other tests train on this machine meanwhile, and a pod on which anything trains stays. */
const PATIENT_S = 50;

let place: TestSidecars;
let url: string;
let hook: NoticeServer;
let provider: NoticeServer;
let huggingFace: PublishServer;
/** How the stand-in of RunPod is, and whether it takes a stop. */
let pod = { status: 'RUNNING', takes: true };

beforeAll(async () => {
  place = makeTestSidecars();
  hook = await startNoticeServer(() => ({ status: 204 }));
  provider = await startNoticeServer(({ path, method, headers }) => {
    if (headers.authorization !== 'Bearer rp-key-of-this-pod') return { status: 401 };
    if (method === 'GET')
      return { status: 200, body: JSON.stringify({ id: 'pod1', desiredStatus: pod.status, costPerHr: 0.79 }) };
    if (path !== '/v1/pods/pod1/stop' || !pod.takes) return { status: 403, body: '{"error":"not allowed"}' };
    pod.status = 'EXITED';
    return { status: 200, body: '{}' };
  });
  huggingFace = await startPublishServer();
  const bin = join(place.folder, 'bin');
  mkdirSync(bin);
  program(bin, 'runpodctl', `echo "$*" >> ${place.folder}/runpodctl; echo 'pod "pod1" stop failed'; exit 0`);
  program(bin, 'rclone', RCLONE.replaceAll('STORE', join(place.folder, 'store')));
  const sidecar = await place.serve({
    TRACKSIDE_NO_LOGIN: '',
    TRACKSIDE_TOKEN: TOKEN,
    RUNPOD_POD_ID: 'pod1',
    RUNPOD_API_KEY: 'rp-key-of-this-pod',
    HF_ENDPOINT: huggingFace.endpoint,
    HF_TOKEN: writeToken,
    TRACKSIDE_POD_API: provider.url,
    TRACKSIDE_POD_PATIENCE: '0.1,1',
    PRACTICE_STEP_SECONDS: '0.02',
    PATH: `${bin}:${process.env.PATH}`,
  });
  url = sidecar.url;
  await ask('PUT', 'notices/channels/webhook', { url: `${hook.url}/hook` });
  await ask('PATCH', 'notices', { page: url });
});
afterAll(async () => {
  await place.leave();
  await Promise.all([hook.down(), provider.down(), huggingFace.close()]);
});

/** `rclone copy FILE remote:folder` and `rclone check FILE remote:folder`, over a folder; a file called `cut` arrives cut. */
const RCLONE = `
to="STORE/\${3#*:}"; file="$to/$(basename "$2")"
case "$1" in
copy) mkdir -p "$to"; cp "$2" "$file"; if [ -e STORE/cut ]; then echo > "$file"; fi ;;
check) cmp -s "$2" "$file" ;;
esac`;

function program(folder: string, name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON of any shape, which the test then looks at
async function ask(method: string, path: string, body?: unknown): Promise<any> {
  const headers = { Authorization: `Bearer ${TOKEN}`, Accept: 'application/json', 'Content-Type': 'application/json' };
  const answer = await fetch(new URL(path, url), { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  expect(answer.status, `${method} ${path}: ${text}`).toBeLessThan(300);
  return text === '' ? null : JSON.parse(text);
}

const podIs = (phase: string, why = /./) =>
  until(
    () => ask('GET', 'pod'),
    ({ stop }) => stop.phase === phase && (why.source === '.' || why.test(stop.why)),
    PATIENT_S,
  );

const titles = () => hook.good().map(({ body }) => JSON.parse(body.toString()).data);
const told = (title: RegExp) =>
  until(
    () => titles().filter((each) => title.test(each.title)),
    (all) => all.length > 0,
    PATIENT_S,
  );

let ended = 0;
/** A session that has ended just now, with weights, as its files say. */
function session(lora: string): string {
  ended += 1;
  const name = `${lora}-V1`;
  const folder = join(place.outputs, name);
  const at = new Date(Date.now() + ended).toISOString();
  const attempt = {
    id: lora,
    number: 1,
    kind: 'start',
    started_at: at,
    ended_at: at,
    argv: [],
    outcome: 'failed',
    reason: 'No.',
  };
  mkdirSync(folder);
  const header = Buffer.from(JSON.stringify({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(folder, `${name}.safetensors`), Buffer.concat([length, header, Buffer.alloc(4)]));
  const record = {
    lora_name: lora,
    version: 1,
    trainer: 'practice',
    status: 'failed',
    created_at: at,
    attempts: [attempt],
  };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  return name;
}

test('the price is the provider’s where nobody typed one, and what was spent is counted', async () => {
  const facts = await until(
    () => ask('GET', 'pod'),
    ({ price, spent }) => price === 0.79 && spent > 0,
  );
  expect(facts).toMatchObject({ provider: { id: 'runpod' }, stop: { phase: 'off' } });
  expect(JSON.stringify(facts)).not.toContain('rp-key');
  expect(facts.spent).toBeCloseTo((0.79 * facts.seconds) / 3600, 2);
});

test('the pod stays while nothing was trained on it, and while something is', async () => {
  await ask('PATCH', 'pod', { stops: true, minutes: 0.02, logins: false });
  await podIs('waiting', /No training has ended on this pod yet/);
  const { name } = await ask('POST', 'sessions', {
    ...quick,
    max_train_epochs: 500,
    lora_name: 'running',
    start: true,
  });
  await podIs('waiting', new RegExp(`${name} is (starting|running)`));
  await ask('PATCH', 'pod', { minutes: 100 });
  await ask('DELETE', `sessions/${name}/attempts/current`);
  const { stop } = await podIs('counting');
  expect(stop.seconds).toBeGreaterThan(5900);
  expect(provider.taken.filter(({ method }) => method === 'POST')).toEqual([]);
});

test('whoever got the notice keeps the pod running, without a login; to look at the link is not enough', async () => {
  const [notice] = await told(/^The pod stops in 100 min$/);
  expect(notice.text).toContain('Stopping keeps /workspace');
  const [{ url: cancel, method }] = notice.actions;
  expect(method).toBe('POST');
  expect((await fetch(new URL('pod', url))).status).toBe(401);
  expect(await (await fetch(cancel, { headers: { Accept: 'text/html' } })).text()).toContain('Keep it running');
  await podIs('counting');
  expect((await fetch(cancel.replace(/.{5}$/, 'wrong'), { method: 'POST' })).status).toBe(404);
  // As ntfy’s web page sends it.
  const origin = { Origin: 'https://ntfy.example', 'Sec-Fetch-Site': 'cross-site' };
  expect((await fetch(cancel, { method: 'POST', headers: origin })).status).toBe(200);
  await podIs('cancelled');
  expect((await fetch(cancel, { method: 'POST' })).status).toBe(404);
});

test('weights are uploaded and checked first; a file that arrives cut keeps the pod running', async () => {
  const store = join(place.folder, 'store');
  mkdirSync(store);
  writeFileSync(join(store, 'cut'), '');
  await ask('PATCH', 'pod', { minutes: 0.02, upload: 'rclone', target: 'drive:loras' });
  const name = session('cut');
  await podIs('failed', /cut-V1.safetensors differs at drive:loras after its upload/);
  expect(pod.status).toBe('RUNNING');
  execFileSync('rm', [join(store, 'cut')]);
  await ask('POST', 'pod/stop');
  await podIs('stopped');
  expect(pod.status).toBe('EXITED');
  expect(readFileSync(join(store, 'loras', name, `${name}.safetensors`))).toEqual(
    readFileSync(join(place.outputs, name, `${name}.safetensors`)),
  );
});

test('weights are uploaded to a private repository on the hub, and stand there before the pod stops', async () => {
  pod = { status: 'RUNNING', takes: true };
  await ask('PATCH', 'pod', { upload: 'hub', target: 'someone' });
  const name = session('hubbed');
  await until(
    () => ask('GET', 'pod'),
    () => pod.status === 'EXITED',
    PATIENT_S,
  );
  const repo = huggingFace.repos.get(`someone/${name}`);
  expect(repo?.visibility).toBe('private');
  const file = `${name}.safetensors`;
  expect(repo?.files.get(file)).toEqual(readFileSync(join(place.outputs, name, file)));
  // What rclone has already is not uploaded to the hub again.
  expect([...huggingFace.repos.keys()]).toEqual([`someone/${name}`]);
  await podIs('stopped');
});

test('a notice names the weights that nobody has downloaded, and a download keeps the pod', async () => {
  pod = { status: 'RUNNING', takes: true };
  await ask('PATCH', 'pod', { upload: '', minutes: 30 });
  const name = session('fetched');
  const [notice] = await told(/^The pod stops in 30 min$/);
  expect(notice.text).toContain(`Not downloaded yet: `);
  expect(notice.text).toContain(`${name}.safetensors`);
  const file = new URL(`sessions/${name}/checkpoints/${name}.safetensors`, url);
  const answer = await fetch(file, { headers: { Authorization: `Bearer ${TOKEN}` } });
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(
    readFileSync(join(place.outputs, name, `${name}.safetensors`)),
  );
  const known = join(place.folder, 'private', 'downloaded.json');
  await until(
    () => existsSync(known) && readFileSync(known, 'utf8'),
    (text) => String(text).includes(`${name}.safetensors`),
  );
  await ask('PATCH', 'pod', { minutes: 0.02 });
});

test('a provider’s program that says “failed” and exits 0 is not believed: the person is told, and the page says it', async () => {
  pod = { status: 'RUNNING', takes: false };
  await ask('PATCH', 'pod', { upload: '' });
  session('unstopped');
  await podIs('failed', /RunPod did not stop the pod/);
  const [notice] = await told(/^The pod did not stop$/);
  expect(notice).toMatchObject({ level: 'bad', text: expect.stringContaining('It is still running, and costs money') });
  // In the new words and in the old, each read back.
  const asked = readFileSync(join(place.folder, 'runpodctl'), 'utf8');
  expect(asked).toContain('pod stop pod1\n');
  expect(asked).toContain('\nstop pod pod1\n');
  const page = await (
    await fetch(new URL('pod', url), { headers: { Authorization: `Bearer ${TOKEN}`, Accept: 'text/html' } })
  ).text();
  expect(page).toContain('This pod did not stop, and still costs money.');
  expect(existsSync(join(place.folder, 'private', 'pod-stop.json'))).toBe(true);
});

test('at the spending limit a training stops after its next checkpoint, and is told before', async () => {
  await ask('PATCH', 'pod', { stops: false });
  const { name } = await ask('POST', 'sessions', {
    ...quick,
    lora_name: 'dear',
    max_train_epochs: 2000,
    enable_checkpointing: true,
    start: true,
  });
  await until(
    () => ask('GET', `sessions/${name}`),
    ({ status }) => status === 'running',
  );
  await ask('DELETE', 'pod/spending');
  await ask('PATCH', 'pod', { price: 1000, limit: 0.6 });
  const facts = await until(
    () => ask('GET', `sessions/${name}`),
    ({ status }) => status === 'stopped',
    PATIENT_S,
  );
  expect(facts).toMatchObject({ reason: 'Stopped by you.', next: 'resume' });
  await told(/^The spending limit is near$/);
  const [notice] = await told(/^The spending limit is reached$/);
  expect(notice.text).toContain(`${name} stops after its next checkpoint.`);
});
