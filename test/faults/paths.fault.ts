import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, CANARY, planted, plantLinks, spelled } from '../security/plantedSecrets.js';
import { makeTestSidecars, startSidecar } from '../sidecar.js';
import { lacks, measured } from './needs.js';

const here = new URL('.', import.meta.url).pathname;

test.skipIf(lacks('strace'))(
  'of every file that is opened for these requests, the kernel names none outside the roots',
  async () => {
    const place = makeTestSidecars();
    onTestFinished(() => place.leave());
    const outside = await plantLinks(place);
    const before = outside();
    const trace = join(place.folder, 'private', 'trace');
    mkdirSync(join(place.folder, 'private'), { recursive: true });
    const calls =
      'trace=open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat,truncate,chmod';
    const sidecar = await startSidecar(
      {
        TRACKSIDE_OUTPUTS: place.outputs,
        TRACKSIDE_DATASETS: place.datasets,
        TRACKSIDE_PRIVATE: join(place.folder, 'private'),
        TRACKSIDE_PORT: '0',
        TRACKSIDE_NO_LOGIN: '1',
      },
      ['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-e', calls, '-e', 'signal=none', '-o', trace],
    );
    let told = 0;
    // Under strace each takes half a second; without it, a test asks all of them.
    const all = [...planted(), ...spelled(place.folder).filter((_, index) => index % 8 === 0)];
    for (const attack of all) if ((await ask(sidecar.url, attack)).text.includes(CANARY)) told += 1;
    process.kill(Number(readFileSync(`/proc/${sidecar.pid}/task/${sidecar.pid}/children`, 'utf8').trim()), 'SIGKILL');
    await sidecar.kill();
    const lines = readFileSync(trace, 'utf8').split('\n');
    // A call that succeeded on something outside: the descriptor's own name, or a change by name.
    const there = join(place.folder, 'outside');
    const opened = lines.filter((line) => new RegExp(`= \\d+<${there}`).test(line) && !/O_PATH/.test(line));
    const changed = lines.filter((line) => /= 0$/.test(line) && line.includes(there));
    measured(
      10,
      `${all.length} requests, ${lines.length} system calls that open or change a file: ${opened.length} opened and ${changed.length} changed outside, ${told} answers told`,
    );
    expect([...new Set(opened.map((line) => line.replace(/^\d+ /, '')))].slice(0, 20)).toEqual([]);
    expect(changed).toEqual([]);
    expect(told).toBe(0);
    expect(outside()).toBe(before);
  },
);

test('while links and folders are exchanged a thousand times a second, no answer holds what lies outside', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const outside = await plantLinks(place);
  const before = outside();
  const sidecar = await place.serve();
  const swapper = spawn('python3', [join(here, 'fixtures', 'exchange.py'), place.folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void swapper.kill('SIGKILL'));
  await once(swapper.stdout, 'data');
  const seconds = Number(process.env.SWAP_SECONDS ?? 60);
  const end = performance.now() + seconds * 1000;
  const seen = { requests: 0, told: 0, own: 0, refused: 0 };
  const paths = [
    'datasets/swap/images/a.png',
    'datasets/swap/images/a.png?size=thumb',
    'datasets/swap',
    'datasets/swapped/images/secret.png',
    'sessions/swap/checkpoints/swap-000001.safetensors',
    'sessions/swap/log',
    'sessions/swap/log?tail=5',
    'sessions/swapped/log',
  ];
  const next = async (offset: number) => {
    for (let index = offset; performance.now() < end; index++) {
      const path = `/${paths[index % paths.length]}`;
      const write = index % 5 === 0;
      const attack = write
        ? { method: 'PUT', path: '/datasets/swapped/captions/written', body: `mine ${index}` }
        : { method: 'GET', path };
      const { status, text } = await ask(sidecar.url, attack).catch(() => ({ status: 0, text: '' }));
      seen.requests += 1;
      if (text.includes(CANARY) || text.includes('\x12\x34\x56')) seen.told += 1;
      else if (status === 200) seen.own += 1;
      else seen.refused += 1;
    }
  };
  await Promise.all([next(0), next(1), next(2), next(3)]);
  const exchanged = new Promise<string>((resolve) => swapper.stdout.once('data', (text) => resolve(`${text}`.trim())));
  swapper.kill('SIGTERM');
  measured(
    10,
    `${await exchanged} exchanges in ${seconds} s: ${seen.requests} requests, ${seen.own} answered, ${seen.refused} refused, ${seen.told} told what lies outside`,
  );
  expect(seen.told).toBe(0);
  expect(seen.own).toBeGreaterThan(0);
  expect(outside()).toBe(before);
  rmSync(join(place.datasets, 'swapped'), { force: true, recursive: true });
});
