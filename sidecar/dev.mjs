// npm run dev: a sidecar that follows the working tree, over a folder that is thrown away at the end, with a practice session
// to look at. A change of sidecar/ is compiled and the sidecar started anew; templates and static files are read for every
// page. It goes to a build folder of its own, so `npm start` and the tests may run beside it.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const port = process.env.TRACKSIDE_PORT ?? '7861';
const sessions = `http://127.0.0.1:${port}/sessions`;
const compile = ['rolldown', '--config', 'sidecar/rolldown.config.mjs', '--dir', '.build.dev/sidecar'];
if (spawnSync('npx', compile, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), 'trackside-dev-'));
cpSync(join(root, 'trainer-bridge', 'example'), join(folder, 'datasets', 'example'), { recursive: true });
// In groups of their own: Ctrl-C comes to this script alone, which ends them in order.
const begin = (command, args, environment = {}) =>
  spawn(command, args, { cwd: root, stdio: 'inherit', detached: true, env: { ...process.env, ...environment } });
const compiler = begin('npx', [...compile, '--watch']);
// Without load.ts, whose files --watch would not follow.
const sidecar = begin(
  process.execPath,
  ['--watch', '--watch-preserve-output', '.build.dev/sidecar/program.js', 'serve'],
  {
    TRACKSIDE_DEVELOPMENT: '1',
    TRACKSIDE_NO_LOGIN: '1',
    TRACKSIDE_PORT: port,
    TRACKSIDE_OUTPUTS: join(folder, 'outputs'),
    TRACKSIDE_DATASETS: join(folder, 'datasets'),
    TRACKSIDE_MODELS: join(folder, 'models'),
    TRACKSIDE_PRIVATE: join(folder, 'private'),
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end());

for (;;) {
  await wait(500);
  const settings = { lora_name: 'Look at me', dataset: 'example', trainer: 'practice', start: true };
  if (await ask('POST', sessions, settings)) break;
}

/** Null where nobody answers: the sidecar has not begun yet, or is being started anew. */
async function ask(method, address, body) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const answer = await fetch(address, { method, headers, body: JSON.stringify(body) }).catch(() => null);
  return answer?.json();
}

async function end() {
  const session = `${sessions}/look-at-me`;
  await ask('DELETE', `${session}/attempts/current`, {});
  for (let tries = 0; tries < 50 && (await ask('GET', session))?.status === 'stopping'; tries += 1) await wait(100);
  process.kill(-sidecar.pid);
  process.kill(-compiler.pid);
  await wait(500);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}
