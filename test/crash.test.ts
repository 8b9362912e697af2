import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { SessionFacts } from '../sidecar/sessions/facts.js';
import { isAlive, makeTestSidecars, projectRoot, until } from './sidecar.js';

const place = makeTestSidecars();
afterAll(() => place.leave());

const own = {
  TRACKSIDE_OUTPUTS: place.outputs,
  TRACKSIDE_DATASETS: place.datasets,
  TRACKSIDE_PRIVATE: join(place.folder, 'private'),
  TRACKSIDE_NO_LOGIN: '1',
};

/** What `npm start` runs after the build. */
function keep(environment: NodeJS.ProcessEnv) {
  const script = join(projectRoot, 'sidecar', 'keep.sh');
  const kept = spawn('sh', [script, 'serve'], { env: { ...process.env, ...own, ...environment } });
  let said = '';
  for (const stream of [kept.stdout, kept.stderr]) stream.on('data', (chunk) => (said += chunk));
  return { kept, said: () => said, addresses: () => [...said.matchAll(/Trackside is at (http:\S+)/g)] };
}

test.concurrent('npm start is back within 5 s after each crash of the sidecar, and ends when it is told to', async () => {
  const { kept, said, addresses } = keep({ TRACKSIDE_PORT: '0' });
  const sidecar = () => children(kept.pid ?? 0)[0] ?? 0;
  try {
    await until(addresses, ({ length }) => length === 1);
    for (const [at, signal] of (['SIGKILL', 'SIGABRT'] as const).entries()) {
      process.kill(sidecar(), signal);
      await until(addresses, ({ length }) => length === at + 2, 5);
    }
    expect(said()).toContain('starting again');
    const last = sidecar();
    kept.kill('SIGTERM');
    await until(
      () => isAlive(last) || kept.exitCode === null,
      (alive) => !alive,
    );
    expect(kept.exitCode).toBe(0);
  } finally {
    const left = kept.pid && isAlive(kept.pid) ? children(kept.pid) : [];
    kept.kill('SIGKILL');
    for (const pid of left) process.kill(pid, 'SIGKILL');
  }
});

test.concurrent('npm start ends, with words, where Trackside can’t begin at all', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const { kept, said } = keep({ TRACKSIDE_PORT: String(typeof address === 'object' ? address?.port : '') });
  await until(
    () => kept.exitCode,
    (code) => code !== null,
  );
  taken.close();
  expect(kept.exitCode).toBe(1);
  expect(said()).toContain('is already in use');
});

/** On SIGUSR2: the next listing of the outputs has no end, and its callback throws; and a promise is rejected unheard. */
const SLIP = `
const files = require('node:fs/promises');
const { syncBuiltinESMExports: sync } = require('node:module');
process.on('SIGUSR2', () => {
  const { readdir } = files;
  files.readdir = (path, ...more) => {
    if (!String(path).endsWith('outputs')) return readdir(path, ...more);
    files.readdir = readdir;
    sync();
    setTimeout(() => { throw new TypeError('in a callback of a library'); });
    Promise.reject(new Error('that nobody hears'));
    return new Promise(() => {});
  };
  sync();
});`;

test.concurrent('an error that a library throws in a callback ends nothing: it is told, and what it broke begins anew', async () => {
  const slip = join(place.folder, 'slip.cjs');
  writeFileSync(slip, SLIP);
  const sidecar = await place.serve({ NODE_OPTIONS: `--require ${slip}` });
  process.kill(sidecar.pid, 'SIGUSR2');
  await until(sidecar.printed, (said) => said.includes('callback of a library') && said.includes('nobody hears'));
  mkdirSync(join(place.outputs, 'later'), { recursive: true });
  writeFileSync(join(place.outputs, 'later', 'ui_state.json'), JSON.stringify({ lora_name: 'later' }));
  await until(
    () => sidecar.get<SessionFacts[]>('sessions'),
    (all) => all.some(({ name }) => name === 'later'),
    5,
  );
  const { notices } = await sidecar.get<{ notices: { message: string }[] }>('diagnostics');
  expect(notices).toMatchObject([{ message: expect.stringMatching(/^Trackside ran into an error of its own/) }]);
  const page = await fetch(sidecar.url, { headers: { Accept: 'text/html' } });
  expect(await page.text()).toContain('Trackside ran into an error of its own');
});

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
