import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bystander, cleanUpAfterEach } from '../launchers/outputFolder.js';
import { isAlive, makeTestSidecars, type TestSidecars, until } from '../sidecar.js';
import { measured } from './needs.js';

cleanUpAfterEach();

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

/** It ignores what asks it to end, and so does the worker that it forks. */
const deaf = `import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
worker = os.fork()
if worker:
    print("worker", worker, flush=True)
time.sleep(300)
`;

test('a training started by hand that is deaf to SIGTERM is killed after 15 s, its worker too, and nobody else', async () => {
  const sidecar = await place.serve();
  const folder = join(place.outputs, 'mine');
  mkdirSync(folder, { recursive: true });
  const script = join(place.folder, 'deaf_train_network.py');
  writeFileSync(script, deaf);
  const log = openSync(join(place.folder, 'log'), 'a');
  const { TRACKSIDE_ATTEMPT: _, ...environment } = process.env;
  const argv = ['-u', script, `--output_dir=${folder}`, '--output_name=mine'];
  const child = spawn('python3', argv, { env: environment, stdio: ['ignore', log, log] });
  const other = bystander(['python3', '-c', 'import time; time.sleep(300)', script]);
  await until(
    () => sidecar.send('GET', 'sessions/mine'),
    ({ body }) => body.by_hand?.pid === child.pid,
  );
  const worker = await until(
    () => Number(/worker (\d+)/.exec(readFileSync(join(place.folder, 'log'), 'utf8'))?.[1] ?? 0),
    (pid) => pid > 0,
  );

  const begun = performance.now();
  const stopped = await sidecar.send('DELETE', 'sessions/mine/attempts/current?confirm=by-hand');
  expect(stopped).toMatchObject({ status: 202, body: { status: 'stopping' } });
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  expect([isAlive(child.pid ?? 0), isAlive(worker)]).toEqual([true, true]);
  expect((await sidecar.session('mine')).status).toBe('stopping');
  await until(
    () => [child.pid ?? 0, worker].filter(isAlive).length,
    (left) => left === 0,
    20,
  );
  const seconds = (performance.now() - begun) / 1000;
  expect(seconds).toBeGreaterThan(14);
  expect(child.signalCode ?? 'SIGKILL').toBe('SIGKILL');
  expect(isAlive(other.process.pid)).toBe(true);
  await until(
    () => sidecar.send('GET', 'sessions/mine'),
    ({ status, body }) => status === 404 || body.by_hand === null,
    5,
  );
  measured(11, `started by hand and deaf, its worker too: 0 left ${seconds.toFixed(1)} s after Stop`);
});
