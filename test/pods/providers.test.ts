import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProvider } from '../../sidecar/pods/findProvider.js';
import { whoIsLoggedIn } from '../../sidecar/pods/loggedIn.js';
import { podVariable } from '../../sidecar/pods/podEnvironment.js';
import type { PodSettings } from '../../sidecar/pods/podSettings.js';
import { sessionCost } from '../../sidecar/sessions/status/sessionCost.js';
import { busyWith } from '../../sidecar/sessions/watchers/busy.js';
import { type NoticeServer, startNoticeServer } from '../notices/servers.js';
import { attempt, session } from '../views/samples.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-pods-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = { provider: '', instance: '', key: '', command: '' } as PodSettings;

/** A provider's stand-in: one instance, which stops when it is asked to, or only says so. */
async function standIn(answers: (path: string, method: string, body: string, stopped: () => boolean) => unknown) {
  let stopped = false;
  const server: NoticeServer = await startNoticeServer(({ path, method, headers, body }) => {
    if (headers.authorization !== 'Bearer key') return { status: 401 };
    const answer = answers(path, method, body.toString(), () => {
      stopped = true;
      return true;
    });
    return answer === null
      ? { status: 404 }
      : { status: 200, body: JSON.stringify(typeof answer === 'function' ? answer(stopped) : answer) };
  });
  return server;
}

test('Vast is asked for a stop of the container, and read back', async () => {
  const server = await standIn((path, method, body, stop) => {
    if (path !== '/api/v0/instances/c1/') return null;
    if (method === 'PUT') return { success: JSON.parse(body).state === 'stopped' && stop() };
    return (stopped: boolean) => ({
      instances: {
        actual_status: 'running',
        intended_status: stopped ? 'stopped' : 'running',
        dph_total: 0.31,
        more: 'x'.repeat(9000),
      },
    });
  });
  const environment = { CONTAINER_ID: 'c1', CONTAINER_API_KEY: 'key' };
  const { provider } = findProvider(settings, environment, server.url);
  expect(await provider?.look()).toEqual({ is: 'running', price: 0.31 });
  await provider?.stop();
  expect(await provider?.look()).toEqual({ is: 'stopped', price: 0.31 });
  await server.down();
});

test('Lambda is asked to terminate the instance, and read back', async () => {
  const server = await standIn((path, method, body, stop) => {
    if (method === 'POST' && path === '/api/v1/instance-operations/terminate')
      return { data: JSON.parse(body).instance_ids[0] === 'i1' && stop() };
    if (path !== '/api/v1/instances/i1') return null;
    return (stopped: boolean) => ({
      data: { status: stopped ? 'terminating' : 'active', instance_type: { price_cents_per_hour: 129 } },
    });
  });
  const chosen = { ...settings, provider: 'lambda' as const, instance: 'i1', key: 'key' };
  const { provider } = findProvider(chosen, {}, server.url);
  expect(await provider?.look()).toEqual({ is: 'running', price: 1.29 });
  await provider?.stop();
  expect(await provider?.look()).toEqual({ is: 'stopped', price: 1.29 });
  await server.down();
});

test('a command of one’s own that fails is an error; what is not known of a pod is said', async () => {
  const chosen = { ...settings, provider: 'command' as const, command: 'exit 3' };
  await expect(findProvider(chosen, {}, '').provider?.stop()).rejects.toThrow('exit code 3');
  expect(findProvider({ ...chosen, command: 'true' }, {}, '').missing).toBeNull();
  expect(findProvider({ ...settings, provider: 'runpod' }, {}, '').missing).toContain('RUNPOD_API_KEY');
});

test('a variable that only the pod’s first process has is read from there', () => {
  const first = join(folder, 'environ');
  writeFileSync(first, 'A=1\0CONTAINER_ID=c7\0B=2\0');
  expect(podVariable('CONTAINER_ID', {}, first)).toBe('c7');
  expect(podVariable('CONTAINER_ID', { CONTAINER_ID: 'own' }, first)).toBe('own');
  expect(podVariable('CONTAINER_ID', {}, join(folder, 'none'))).toBeNull();
});

test.each([
  ['sshd: root@pts/0', '1 (sshd) S 9 9 9 0', 'root is logged in by ssh.'],
  ['sshd-session: me.too@notty', '1 (x) S 9 9 9 0', 'me.too is logged in by ssh.'],
  ['sshd: root', '1 (x) S 9 9 9 0', 'root is logged in by ssh.'],
  ['sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups', '1 (x) S 1 9 9 0', null],
  ['sshd: unknown [priv]', '1 (x) S 9 9 9 0', null],
  ['bash', '1 (bash) S 0 9 9 34816', 'Somebody has a terminal open on this pod.'],
  ['tmux', '1 (tmux: server) S 1 9 9 0', null],
  ['bash', '1 (bash) S 8 9 9 34817', null],
])('of a process “%s” (%s) it is said: %s', (title, stat, words) => {
  const proc = mkdtempSync(join(folder, 'proc-'));
  mkdirSync(join(proc, '77'));
  writeFileSync(join(proc, '77', 'cmdline'), `${title}\0`);
  writeFileSync(join(proc, '77', 'stat'), `77${stat.slice(1)}`);
  expect(whoIsLoggedIn(proc)).toBe(words);
});

const idle = { sessions: [], beginning: [], byHand: [], downloads: 0, uploads: 0, sending: 0, loggedIn: () => null };
const resumes = { on: true, will: true, tries: 0, in_seconds: 9, reason: null };
test.each([
  [{}, null],
  [{ sessions: [session({ name: 'cat', status: 'running' })] }, 'cat is running.'],
  [{ sessions: [session({ name: 'cat', status: 'pending' })] }, 'cat waits in the queue.'],
  [
    { sessions: [session({ name: 'cat', status: 'failed', auto_resume: resumes })] },
    'cat is about to resume by itself.',
  ],
  [{ beginning: new Set(['cat']) }, 'cat is about to start.'],
  [{ byHand: [{ name: 'dog' }] }, 'dog, started in a terminal, is running.'],
  [{ downloads: 1 }, 'A model is being downloaded.'],
  [{ sending: 1 }, 'Somebody is downloading a checkpoint.'],
  [{ uploads: 1 }, 'A LoRA is being uploaded.'],
  [{ loggedIn: () => 'me is logged in by ssh.' }, 'me is logged in by ssh.'],
])('a pod with %j stays because: %s', (doings, why) => {
  expect(busyWith({ ...idle, ...doings })).toBe(why);
});

test('a session costs the time of all its attempts, and its part of the GPUs', () => {
  const hour = { started_at: '2026-11-22T02:00:00.000Z', ended_at: '2026-11-22T03:00:00.000Z' };
  const past = attempt({ ...hour, alive: false, gpus: [0] });
  const facts = session({
    attempts: [past, { ...past, ended_at: null, alive: true, started_at: '2026-11-22T05:00:00.000Z' }],
  });
  const progress = { ...facts.progress, eta_seconds: 1800 };
  const now = Date.parse('2026-11-22T05:30:00.000Z');
  expect(sessionCost({ ...facts, progress }, 2, 1, now)).toEqual({ so_far: 3, to_end: 1, to_end_guessed: false });
  expect(sessionCost({ ...facts, progress }, 2, 4, now)).toMatchObject({ so_far: 0.75, to_end: 0.25 });
  const guessed = { ...progress, eta_guessed: true };
  expect(sessionCost({ ...facts, progress: guessed }, 2, 1, now)).toMatchObject({ to_end: 1, to_end_guessed: true });
});
