import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { copyCommands } from '../../sidecar/pods/copyCommands.js';
import { addCheckpoint } from '../bench/longTraining.js';
import { appInProcess, type InProcess } from '../inProcess.js';

let folder: string;
let at: InProcess;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-copy-'));
  at = appInProcess();
});
afterAll(() => {
  at.leave();
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

const commands = (environment: NodeJS.ProcessEnv, final: string | null = '/w/o/cat/cat.safetensors', first = '/none') =>
  copyCommands('/w/o/cat', final, environment, first);
const lines = (...given: Parameters<typeof commands>) => commands(...given).commands.map(({ command }) => command);

const RUNPOD = { RUNPOD_POD_ID: 'abc123' };
const RUNPOD_SSH = { ...RUNPOD, RUNPOD_PUBLIC_IP: '203.0.113.7', RUNPOD_TCP_PORT_22: '22022' };

test('a pod of RunPod with a TCP port for ssh is copied from with rsync and scp', () => {
  expect(lines(RUNPOD_SSH)).toEqual([
    "rsync -avs --partial -e 'ssh -p 22022' root@203.0.113.7:/w/o/cat .",
    'scp -P 22022 root@203.0.113.7:/w/o/cat/cat.safetensors .',
  ]);
  expect(commands(RUNPOD_SSH)).toMatchObject({ ssh: { login: 'root@203.0.113.7', port: 22_022 }, hint: null });
  expect(lines(RUNPOD_SSH, null)).toHaveLength(1);
});

test('a pod of RunPod without one is told what works, and what to expose', () => {
  expect(lines(RUNPOD)).toEqual(['runpodctl send /w/o/cat', 'runpodctl send /w/o/cat/cat.safetensors']);
  expect(commands(RUNPOD).hint).toContain('expose TCP port 22');
});

test('an instance of Vast is found by the variables of its first process', () => {
  const first = join(folder, 'environ');
  writeFileSync(first, 'PATH=/bin\0PUBLIC_IPADDR=203.0.113.9\0VAST_TCP_PORT_22=40122\0');
  expect(lines({}, null, first)).toEqual(["rsync -avs --partial -e 'ssh -p 40122' root@203.0.113.9:/w/o/cat ."]);
});

test.each([
  ['nothing is known', {}],
  ['the address is none', { ...RUNPOD_SSH, RUNPOD_POD_ID: '', PUBLIC_IPADDR: '$(rm -rf /)', VAST_TCP_PORT_22: '22' }],
  ['the port is none', { PUBLIC_IPADDR: '203.0.113.9', VAST_TCP_PORT_22: '22; reboot' }],
])('where %s, the person’s own login has its place', (_, environment) => {
  expect(lines(environment)[1]).toBe('scp user@host:/w/o/cat/cat.safetensors .');
  expect(commands(environment).hint).toContain('user@host');
});

test('a name with spaces, quotes or dollars reaches rsync and scp as one word', () => {
  for (const name of ['my cat', "it's", '$HOME `id`']) {
    const { commands: found } = copyCommands(`/w/o/${name}`, `/w/o/${name}/a b.safetensors`, RUNPOD_SSH, '/none');
    for (const { command } of found) {
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`])
        .toString()
        .split('\n');
      expect(words.filter((word) => word.startsWith('root@203.0.113.7:/w/o/'))).toHaveLength(1);
      expect(words.join('\n')).toContain(`root@203.0.113.7:/w/o/${name}`);
    }
  }
});

test('a session’s page and the API say where its files lie, how large they are, and what it cost', async () => {
  for (const [name, value] of Object.entries(RUNPOD_SSH)) vi.stubEnv(name, value);
  const session = join(at.settings.outputs, 'cat');
  mkdirSync(session);
  addCheckpoint(session, 'cat', 1);
  writeFileSync(join(session, 'training.log'), 'x'.repeat(5000));
  const [started_at, ended_at] = ['2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z'];
  const attempt = { id: 'a', number: 1, kind: 'start', outcome: 'stopped', argv: [], started_at, ended_at };
  const dataset = { path: join(at.settings.datasets, 'gone') };
  const state = { lora_name: 'cat', trainer: 'practice', status: 'stopped', dataset, attempts: [attempt] };
  writeFileSync(join(session, 'ui_state.json'), JSON.stringify(state));
  const json = async (path: string) => (await at.ask(path, { headers: { Accept: 'application/json' } })).json();
  const page = async () => (await at.ask('/sessions/cat', { headers: { Accept: 'text/html' } })).text();
  const files = (await json('/sessions/cat/files')) as { files: { what: string; bytes: number | null }[] };
  const bytesOf = (what: string) => files.files.find((each) => each.what === what)?.bytes;
  expect(bytesOf('log')).toBe(5000);
  expect(bytesOf('session')).toBeGreaterThan(5000 + JSON.stringify(state).length);
  expect(files.files).toContainEqual({ what: 'dataset', path: dataset.path, bytes: null, there: false });
  expect(files).toMatchObject({ ssh: { login: 'root@203.0.113.7' }, commands: [{ tool: 'rsync', of: 'session' }] });
  expect(await json('/sessions/cat')).toMatchObject({ name: 'cat', cost: null });
  const html = await page();
  expect(html).toContain('Log · 5 kB');
  expect(html).toContain('Dataset · not there');
  expect(html).toContain('data-copy="rsync -avs --partial -e &#39;ssh -p 22022&#39; root@203.0.113.7:');
  const price = { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"price":0.79}' };
  expect((await at.ask('/pod', price)).status).toBe(200);
  expect(await json('/sessions/cat')).toMatchObject({ cost: { so_far: 1.58, to_end: null } });
  expect(await page()).toContain('$1.58');
  const compared = (await json('/compare?sessions=cat')) as { price: number; sessions: { cost: number }[] };
  expect(compared).toMatchObject({ price: 0.79, sessions: [{ cost: 1.58 }] });
  expect(await json('/compare?sessions=cat&price=2')).toMatchObject({ price: 2, sessions: [{ cost: 4 }] });
});
