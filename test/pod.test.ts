import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addressOf } from '../sidecar/commands/address.js';
import { podOf } from '../sidecar/pod.js';
import type { SessionFacts } from '../sidecar/sessions/facts.js';
import { isAlive, makeTestSidecars, projectRoot, quick, until } from './sidecar.js';

const place = makeTestSidecars();
afterAll(() => place.leave());

test('the start script of a pod starts again what ended, keeps its files on the volume, and ends only when it is told to', async () => {
  const environment = { TRACKSIDE_HOST: '127.0.0.1', TRACKSIDE_PORT: '0', TRACKSIDE_VOLUME: place.folder };
  const script = spawn('bash', [join(projectRoot, '.pod', 'start.sh')], { env: { ...process.env, ...environment } });
  let said = '';
  for (const stream of [script.stdout, script.stderr]) stream.on('data', (chunk) => (said += chunk));
  const addresses = () => [...said.matchAll(/Trackside is at (http:\S+)/g)].map(([, url]) => url ?? '');
  try {
    await until(addresses, ({ length }) => length === 1);
    const [first] = children(script.pid ?? 0);
    process.kill(first ?? 0, 'SIGKILL');
    await until(addresses, ({ length }) => length === 2);
    expect(said).toContain('starting again in 1 s; trainings go on');
    // The token is the same as before.
    const [before, after] = addresses().map((url) => new URL(url).searchParams.get('token'));
    expect(after).toBe(before);
    expect(readdirSync(place.folder).sort()).toEqual(['.trackside', 'datasets', 'outputs']);
    const [second] = children(script.pid ?? 0);
    script.kill('SIGTERM');
    await until(
      () => isAlive(script.pid ?? 0) || isAlive(second ?? 0),
      (alive) => !alive,
    );
  } finally {
    script.kill('SIGKILL');
  }
});

test.each([undefined, '4'])(
  'what the start sets for the sidecar’s own memory (%s before) is not passed on to a trainer',
  async (before) => {
    const { MALLOC_ARENA_MAX: _, ...rest } = process.env;
    const env = { ...rest, ...(before && { MALLOC_ARENA_MAX: before }) };
    const folder = { TRACKSIDE_OUTPUTS: place.outputs, TRACKSIDE_DATASETS: place.datasets };
    const own = { ...folder, TRACKSIDE_PRIVATE: join(place.folder, 'p'), TRACKSIDE_PORT: '0', TRACKSIDE_NO_LOGIN: '1' };
    const launcher = join(place.folder, `trackside-${before}`);
    // As npm makes it for npx.
    symlinkSync(join(projectRoot, 'sidecar', 'trackside.sh'), launcher);
    const sidecar = spawn(launcher, ['serve'], { env: { ...env, ...own } });
    let said = '';
    sidecar.stdout.on('data', (chunk) => (said += chunk));
    try {
      const url = await until(
        () => /http:\S+/.exec(said)?.[0],
        (found) => found !== undefined,
      );
      expect(environmentOf(sidecar.pid)).toContain('MALLOC_ARENA_MAX=1');
      const body = JSON.stringify({ ...quick, lora_name: `cat ${before}`, num_repeats: 500, start: true });
      const headers = { 'Content-Type': 'application/json' };
      const made = await fetch(`${url}sessions`, { method: 'POST', headers, body });
      const { attempts } = (await made.json()) as SessionFacts;
      const trainer = environmentOf(attempts[0]?.pid ?? undefined);
      expect(trainer.filter((each) => each.includes('MALLOC'))).toEqual(before ? [`MALLOC_ARENA_MAX=${before}`] : []);
    } finally {
      sidecar.kill('SIGKILL');
    }
  },
);

function environmentOf(pid: number | undefined): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

test('the address that is printed is the one that a browser opens: the pod’s where it listens to others, else the machine’s', () => {
  const runPod = podOf({ RUNPOD_POD_ID: 'abc123' });
  const vast = podOf({ PUBLIC_IPADDR: '203.0.113.7', VAST_TCP_PORT_7860: '40123' });
  const none = podOf({});
  const table = [
    ['0.0.0.0', runPod, 'https://abc123-7860.proxy.runpod.net/?token=x'],
    ['127.0.0.1', runPod, 'http://127.0.0.1:7860/?token=x'],
    ['0.0.0.0', vast, 'http://203.0.113.7:40123/?token=x'],
    ['0.0.0.0', none, 'http://127.0.0.1:7860/?token=x'],
    ['::1', none, 'http://[::1]:7860/?token=x'],
    ['10.0.0.5', none, 'http://10.0.0.5:7860/?token=x'],
  ] as const;
  for (const [host, pod, address] of table) expect(addressOf({ host, pod }, 7860, 'x')).toBe(address);
  expect(addressOf({ host: '127.0.0.1', pod: none }, 7860, null)).toBe('http://127.0.0.1:7860/');
});

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
