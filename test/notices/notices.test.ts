import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestSidecars, projectRoot, quick, type Sidecar, type TestSidecars, until } from '../sidecar.js';
import { type NoticeServer, readNtfy, startNoticeServer } from './servers.js';

const SECRET = 'whsec_c29tZSBsb25nIHNlY3JldA==';
/** Every notice of these tests is tried again within this. */
const DELAYS = { TRACKSIDE_NOTICE_DELAYS: '0.2,0.4' };

let place: TestSidecars;
let sidecar: Sidecar;
let hook: NoticeServer;
let ntfy: NoticeServer;
let takesFiles = true;

beforeAll(async () => {
  place = makeTestSidecars();
  hook = await startNoticeServer(() => ({ status: 204 }));
  ntfy = await startNoticeServer((sent) => {
    if (!takesFiles && sent.method === 'PUT')
      return { status: 400, body: '{"code":40014,"error":"attachments not allowed"}' };
    return { status: readNtfy(sent) ? 200 : 400 };
  });
  sidecar = await place.serve(DELAYS);
});
afterAll(async () => {
  await place.leave();
  await Promise.all([hook.down(), ntfy.down()]);
});

const ok = async (method: string, path: string, body?: unknown) => {
  const answer = await sidecar.send(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body;
};

type Sent = { state: string; tries: number; error: string };
type Recent = { id: string; session: string; to: { webhook: Sent; ntfy: Sent } };

const dataOf = (body: Buffer) => JSON.parse(body.toString()).data;

test('a test notice arrives, signed as Standard Webhooks says, and pushed as ntfy understands', async () => {
  await ok('PUT', 'notices/channels/webhook', { url: `${hook.url}/hook/secret-part`, secret: SECRET });
  await ok('PUT', 'notices/channels/ntfy', { server: ntfy.url, topic: 'my-topic', token: 'tk_not-to-be-shown' });
  await ok('POST', 'notices/channels/webhook/test');
  await ok('POST', 'notices/channels/ntfy/test');
  const [{ headers, body }] = hook.good().slice(-1) as [NoticeServer['taken'][0]];
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  expect(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp']))).toBeLessThan(60);
  expect(JSON.parse(body.toString())).toMatchObject({ type: 'trackside.test', data: { level: 'plain' } });
  const pushed = ntfy.good().at(-1);
  expect(pushed?.headers.authorization).toBe('Bearer tk_not-to-be-shown');
  expect(pushed && readNtfy(pushed)).toMatchObject({ topic: 'my-topic', title: 'Trackside can reach you' });
});

test('secrets are kept where only their owner reads them, and are never shown again', async () => {
  const file = join(place.folder, 'private', 'notices.json');
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('secret-part');
  const shown = JSON.stringify(await sidecar.get('notices'));
  const page = await (await fetch(new URL('notices', sidecar.url), { headers: { Accept: 'text/html' } })).text();
  for (const told of [shown, page, sidecar.printed()])
    for (const secret of ['secret-part', SECRET, 'tk_not-to-be-shown']) expect(told).not.toContain(secret);
  // An empty secret keeps the one that is there.
  await ok('PUT', 'notices/channels/ntfy', { server: ntfy.url, topic: 'other-topic' });
  await ok('POST', 'notices/channels/ntfy/test');
  expect(ntfy.good().at(-1)?.headers.authorization).toBe('Bearer tk_not-to-be-shown');
});

test('a wrong value is refused beside its field, and what was typed of a secret is not repeated', async () => {
  const wrong = await sidecar.send('PUT', 'notices/channels/webhook', { url: 'file:///etc/passwd' });
  expect(wrong).toMatchObject({ status: 422, body: { error: { code: 'bad_notice', field: 'url' } } });
  expect(JSON.stringify(wrong.body)).not.toContain('passwd');
  const unknown = await sidecar.send('PATCH', 'notices', { wording_completed_title: '{los} at {step}' });
  expect(unknown.body.error.message).toContain('Did you mean {loss}?');
  const zone = await sidecar.send('PATCH', 'notices', { quiet_from: '22:00', quiet_to: '07:00', quiet_zone: 'Mars' });
  expect(zone).toMatchObject({ status: 422, body: { error: { field: 'quiet_zone' } } });
});

test('the end of a training is told once, with its loss and its newest sample; also where files are refused', async () => {
  await ok('PATCH', 'notices', { page: 'https://pod.example/', tell_queue_empty: true });
  const sampled = {
    ...quick,
    max_train_epochs: 1,
    sample_prompts: 'a cat --s 1',
    sample_every_n_steps: 5,
    start: true,
  };
  await ok('POST', 'sessions', { ...sampled, lora_name: 'told' });
  const [name] = readdirSync(place.outputs);
  await sidecar.until(String(name), ({ status }) => status === 'completed');
  const told = await until(
    () => hook.good().filter(({ body }) => dataOf(body).session === name),
    (all) => all.length > 0,
  );
  const data = dataOf(told[0]?.body ?? Buffer.of());
  expect(data).toMatchObject({
    title: 'told V1 is trained',
    url: `https://pod.example/sessions/${name}`,
    facts: { status: 'completed', step: 10, total_steps: 10 },
    picture: { type: 'image/jpeg' },
  });
  expect(data.text).toMatch(/^Loss 0\.\d+ at step 10\nWeights: .*\.safetensors$/);
  expect(Buffer.from(data.picture.base64, 'base64').subarray(0, 3).toString('hex')).toBe('ffd8ff');
  const pushed = await until(
    () => ntfy.good().map((sent) => readNtfy(sent) ?? {}),
    (all) => all.some(({ attachment }) => attachment),
  );
  expect(pushed.find(({ attachment }) => attachment)).toMatchObject({ title: data.title, message: data.text });
  await until(
    () => hook.good(),
    (all) => all.some(({ body }) => dataOf(body).title === 'Nothing is running any more'),
  );
});

test('what a script says with run.alert is told once, also to a sidecar that begins anew', async () => {
  const script = `
import trackside
with trackside.track("alerting") as run:
    run.log(step=0, total=2, loss=0.5)
    run.alert("Loss exploded", "It is 1e9.", level="error")
    run.log(step=1, total=2, loss=0.25)
`;
  const env = { ...process.env, PYTHONPATH: join(projectRoot, 'trainer-bridge'), TRACKSIDE_OUTPUTS: place.outputs };
  execFileSync('python3', ['-c', script], { cwd: place.folder, env, stdio: 'ignore' });
  const told = () => hook.good().map(({ body }) => dataOf(body));
  const [data] = await until(
    () => told().filter(({ title }) => title === 'alerting V1: Loss exploded'),
    (all) => all.length > 0,
  );
  expect(data).toMatchObject({ text: 'It is 1e9.', level: 'bad', session: 'alerting' });
});

let later = 0;
/** A session that has failed just now, as its file says; no trainer is needed for that. Each has a name of its own. */
function failed(word: string, samples?: string): string {
  // One that follows another has ended after it, be it in the same millisecond.
  later += 1;
  const lora = `${word}${later}`;
  const name = `${lora}-V1`;
  const now = new Date(Date.now() + later).toISOString();
  const attempt = { id: lora, number: 1, kind: 'start', started_at: now, ended_at: now, argv: [], first_epoch: 1 };
  const ended = {
    ...attempt,
    step_offset: 0,
    log_start: 0,
    log_end: 0,
    exit_code: 1,
    outcome: 'failed',
    reason: 'No.',
  };
  const record = {
    lora_name: lora,
    version: 1,
    trainer: 'practice',
    status: 'failed',
    created_at: now,
    attempts: [ended],
  };
  mkdirSync(join(place.outputs, name));
  if (samples) cpSync(join(place.outputs, samples, 'sample'), join(place.outputs, name, 'sample'), { recursive: true });
  writeFileSync(join(place.outputs, name, 'ui_state.json'), JSON.stringify(record));
  return name;
}

/** What ntfy shows of its end. */
const failedTitle = (name: string) => name.replace('-V1', ' V1 has failed');

const endsTold = (server: NoticeServer, name: string) =>
  server.good().filter(({ body, path }) => path !== '/' && dataOf(body).session === name);

test('a server that was down gets every notice once when it is back, though the sidecar was killed meanwhile', async () => {
  await ok('PATCH', 'notices', { tell_queue_empty: false });
  await hook.down();
  const names = [failed('first'), failed('second')];
  // What is sent and not yet written down when the sidecar is killed would be sent again.
  const waits = await until(
    () => sidecar.get<{ recent: Recent[] }>('notices'),
    ({ recent }) =>
      names.every((name) =>
        recent.some(
          ({ session, to }) => session === name && to.webhook.state === 'waiting' && to.ntfy.state === 'sent',
        ),
      ),
  );
  expect(waits.recent.filter(({ session, to }) => session === names[1] && to.webhook.tries > 0)).toEqual([]);
  await sidecar.kill('SIGKILL');
  sidecar = await place.serve(DELAYS);
  await hook.up();
  await until(
    () => names.map((name) => endsTold(hook, name).length),
    (counts) => counts.every((count) => count > 0),
  );
  names.push(failed('third'));
  await until(
    () => endsTold(hook, names[2] ?? '').length,
    (count) => count > 0,
  );
  expect(hook.good().filter(({ body }) => dataOf(body).title === 'alerting V1: Loss exploded')).toHaveLength(1);
  // In the order in which they happened, and never twice.
  const order = hook.good().flatMap(({ body }) => names.filter((name) => dataOf(body).session === name));
  expect(order).toEqual(names);
  const titles = () => ntfy.good().flatMap((sent) => readNtfy(sent)?.title ?? []);
  const pushed = await until(titles, (all) => names.every((name) => all.includes(failedTitle(name))));
  for (const name of names) expect(pushed.filter((title) => title === failedTitle(name))).toHaveLength(1);
});

test('a sidecar that is killed after it has sent a notice sends it again, with the same id', async () => {
  const killed = sidecar;
  let kill = true;
  const deadly = await startNoticeServer(async () => {
    if (kill) await killed.kill('SIGKILL');
    kill = false;
    return { status: 200 };
  });
  await ok('PUT', 'notices/channels/webhook', { url: `${deadly.url}/hook` });
  const name = failed('deadly');
  await until(
    () => kill,
    (still) => !still,
  );
  sidecar = await place.serve(DELAYS);
  await until(
    () => endsTold(deadly, name).length,
    (count) => count === 2,
  );
  const ids = deadly.taken.flatMap(({ body, headers }) =>
    dataOf(body).session === name ? [headers['webhook-id']] : [],
  );
  expect(new Set(ids).size).toBe(1);
  await deadly.down();
});

test('a notice goes without its picture where the server takes no files, and is given up where it is refused', async () => {
  takesFiles = false;
  const refusing = await startNoticeServer(() => ({ status: 302, headers: { Location: `${hook.url}/elsewhere` } }));
  await ok('PUT', 'notices/channels/webhook', { url: `${refusing.url}/x`, secret: SECRET });
  const [sampled] = readdirSync(place.outputs).filter((each) => each.startsWith('told'));
  const name = failed('plain', sampled);
  await until(
    () => ntfy.good().flatMap((sent) => readNtfy(sent)?.title ?? []),
    (all) => all.includes(failedTitle(name)),
  );
  const { recent } = await until(
    () => sidecar.get<{ recent: Recent[] }>('notices'),
    ({ recent }) => recent.some(({ session, to }) => session === name && to.webhook.state === 'failed'),
  );
  const given = recent.find(({ session }) => session === name);
  expect(given?.to.webhook.error).toBe('The server answered with a redirect (302), which is not followed.');
  expect(hook.taken.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  // Put right, it is sent at a click.
  await ok('PUT', 'notices/channels/webhook', { url: `${hook.url}/right` });
  await ok('POST', `notices/sent/${encodeURIComponent(given?.id ?? '')}/tries`);
  await until(
    () => endsTold(hook, name).length,
    (count) => count === 1,
  );
  await refusing.down();
});
