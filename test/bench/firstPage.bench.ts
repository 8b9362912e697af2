import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { asStarted, makeTestSidecars, projectRoot, type TestSidecars } from '../sidecar.js';
import { median, pause, residentMb, tell } from './figures.js';
import { page } from './manyAnswers.js';
import { manySessions, trainModel } from './manySessions.js';

const ROUNDS = 5;
const STARTS = 7;
const IDLE_MS = 60_000;

let place: TestSidecars;
beforeAll(async () => {
  place = makeTestSidecars();
  manySessions(place.outputs, await trainModel(place), 100);
});
afterAll(() => place.leave());

test('JavaScript and CSS of the first page', async () => {
  const sidecar = await place.serve(asStarted);
  const html = await (await fetch(sidecar.url, page)).text();
  const files = [...html.matchAll(/(?:src|href)="(assets\/[^"]+\.(?:js|css))"/g)].map(([, address]) => address);
  const bytes = files.map((file) => encodedBytes(new URL(String(file), sidecar.url)));
  const total = bytes.reduce((sum, each) => sum + each, 0);
  tell('JavaScript and CSS of the first page, gzipped', '≤ 30 kB', `${(total / 1000).toFixed(1)} kB`);
  await sidecar.kill('SIGTERM');
});

test('start to first answered request', async () => {
  const starts: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    const begun = performance.now();
    const sidecar = await place.serve(asStarted);
    await (await fetch(sidecar.url, page)).text();
    starts.push((performance.now() - begun) / 1000);
    await sidecar.kill('SIGTERM');
  }
  tell('start to first answered request (`GET /`, 100 sessions)', '≤ 0.5 s', `${median(starts).toFixed(2)} s`);
});

test('resident memory, idle', async () => {
  const sidecar = await place.serve(asStarted);
  await (await fetch(sidecar.url, page)).text();
  const found: number[] = [];
  for (let waited = 0; waited < IDLE_MS; waited += 5000) {
    await pause(5000);
    found.push(residentMb(sidecar.pid));
  }
  const [least, most] = [Math.min(...found).toFixed(0), Math.max(...found).toFixed(0)];
  tell('resident memory, idle for a minute, 100 sessions', '≤ 90 MB', `${least} to ${most} MB, one process`);
  await sidecar.kill('SIGTERM');
});

test('GET / against a bare Hono handler', async () => {
  const sidecar = await place.serve(asStarted);
  const html = join(place.folder, 'page.html');
  writeFileSync(html, await (await fetch(sidecar.url, page)).text());
  const bare = spawn(process.execPath, [join(projectRoot, 'test/bench/bareHono.mjs'), html]);
  const [line] = await once(bare.stdout, 'data');
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ratios.push((await requestsASecond(sidecar.url)) / (await requestsASecond(String(line).trim())));
  }
  bare.kill();
  const what = '`GET /` with 100 sessions against a bare Hono handler of the same bytes, in a process of its own';
  tell(what, '≥ 0.5 of its requests a second', median(ratios).toFixed(2));
  await sidecar.kill('SIGTERM');
});

/** Eight at a time, for two seconds, compressed where that is offered; nothing is unpacked here, which would be measured, too. */
async function requestsASecond(url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const asked = { agent, headers: { ...page.headers, 'Accept-Encoding': 'gzip' } };
  const end = performance.now() + 2000;
  let count = 0;
  const ask = async () => {
    while (performance.now() < end) {
      const [answer] = (await once(get(url, asked), 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  agent.destroy();
  return count / 2;
}

function encodedBytes(url: URL): number {
  const asked = ['-s', '-o', '/dev/null', '-w', '%{size_download}', '-H', 'Accept-Encoding: gzip', url.href];
  return Number(spawnSync('curl', asked).stdout.toString());
}
