import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { readLogTail } from '../../sidecar/telemetry/logTail.js';
import { openBrowser } from '../browser/chromium.js';
import { makePlace, type Place, projectRoot, quick, type Sidecar, until } from '../sidecar.js';
import { manySessions, trainModel } from './manySessions.js';

/** What design.md promises in numbers, as `npm run bench` finds it on this machine. One line each. */
const modelPlace = makePlace();
let model: string;
beforeAll(async () => {
  model = await trainModel(modelPlace);
});
afterAll(() => modelPlace.leave());

const page = { headers: { Accept: 'text/html' } };

test('the first page', async () => {
  await withSessions(100, async (sidecar, place) => {
    const html = await (await fetch(sidecar.url, page)).text();
    const files = [...html.matchAll(/(?:src|href)="(assets\/[^"]+\.(?:js|css))"/g)].map(([, address]) => address);
    let bytes = 0;
    for (const file of files) bytes += await encodedBytes(new URL(String(file), sidecar.url));
    tell('JavaScript and CSS of the first page, gzipped', `${(bytes / 1000).toFixed(1)} kB`, '≤ 30 kB');

    await until(
      () => residentMb(sidecar.pid),
      () => true,
    );
    await pause(5000);
    tell('resident memory, idle, 100 sessions', `${residentMb(sidecar.pid).toFixed(0)} MB, one process`, '≤ 90 MB');

    writeFileSync(join(place.folder, 'page.html'), html);
    const bare = spawn(process.execPath, [
      join(projectRoot, 'test/bench/bareHono.mjs'),
      join(place.folder, 'page.html'),
    ]);
    const floor = await new Promise<string>((resolve) =>
      bare.stdout.once('data', (line) => resolve(String(line).trim())),
    );
    const ratios: number[] = [];
    for (let round = 0; round < 5; round += 1)
      ratios.push((await requestsASecond(sidecar.url)) / (await requestsASecond(floor)));
    bare.kill();
    tell(
      'GET / with 100 sessions against a bare Hono handler of the same bytes',
      `${median(ratios).toFixed(2)} of its requests a second`,
      '≥ 0.5',
    );

    await sidecar.kill('SIGTERM');
    const starts: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const begun = performance.now();
      const again = await place.serve();
      await fetch(new URL('healthz', again.url));
      starts.push(performance.now() - begun);
      await again.kill('SIGTERM');
    }
    tell('start to first answered request', `${(median(starts) / 1000).toFixed(2)} s`, '≤ 0.5 s');
  });
});

test('ten thousand sessions', async () => {
  const place = makePlace();
  try {
    manySessions(place.outputs, model, 10_000);
    for (const which of ['the very first scan', 'the next start']) {
      const begun = performance.now();
      const sidecar = await place.serve();
      await (await fetch(sidecar.url, page)).text();
      tell(`10,000 sessions, ${which}: list ready`, `${((performance.now() - begun) / 1000).toFixed(1)} s`, '≤ 2 s');
      const times: number[] = [];
      for (let round = 0; round < 300; round += 1) {
        const asked = performance.now();
        await (await fetch(sidecar.url, page)).text();
        times.push(performance.now() - asked);
        await pause(10 + (round % 20));
      }
      tell(`10,000 sessions, ${which}: GET / p95`, `${percentile(times, 95).toFixed(1)} ms`, '≤ 50 ms');
      tell(`10,000 sessions, ${which}: resident`, `${residentMb(sidecar.pid).toFixed(0)} MB`, '≤ 250 MB');
      const shown: number[] = [];
      for (let round = 0; round < 10; round += 1) {
        const name = `lora-0${4000 + round}`;
        const path = join(place.outputs, name, 'ui_state.json');
        const edited = performance.now();
        spawnSync('bash', [
          '-c',
          `jq '.description="seen ${round}"' '${path}' > '${path}.t' && mv '${path}.t' '${path}'`,
        ]);
        await until(
          async () => (await sidecar.get<{ description: string }[]>(`sessions?q=seen+${round}`)).length,
          (found) => found > 0,
        );
        shown.push(performance.now() - edited);
      }
      tell(
        `10,000 sessions, ${which}: an edit by jq shows`,
        `${(percentile(shown, 95) / 1000).toFixed(2)} s at most`,
        '≤ 2 s',
      );
      await sidecar.kill('SIGTERM');
    }
  } finally {
    await place.leave();
  }
});

test('a line of the log in the browser', async () => {
  const place = makePlace();
  const browser = await openBrowser();
  try {
    const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.5' });
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 100, start: true });
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 1);
    const tab = await (await browser.newContext({ bypassCSP: true })).newPage();
    let requests = 0;
    tab.on('request', () => {
      requests += 1;
    });
    await tab.goto(new URL('sessions/cat', sidecar.url).href);
    await pause(2000);
    requests = 0;
    const times: number[] = [];
    const path = join(place.outputs, 'cat', 'training.log');
    for (let round = 0; round < 100; round += 1) {
      const line = `a line to be seen ${round} end`;
      const seen = tab.waitForFunction(
        `document.getElementById('log').textContent.includes(${JSON.stringify(line)})`,
        null,
        { polling: 5 },
      );
      await pause(100);
      const written = performance.now();
      appendFileSync(path, `${line}\n`);
      await seen;
      times.push(performance.now() - written);
    }
    tell(
      'a line written to the log → visible in the browser, p95',
      `${percentile(times, 95).toFixed(0)} ms`,
      '≤ 250 ms',
    );
    requests = 0;
    await pause(60_000);
    tell('requests a minute of an open page, beside its one stream', `${requests}`, '≤ 2');
  } finally {
    await browser.close();
    await place.leave();
  }
});

test('a log of 1 GB', async () => {
  const place = makePlace();
  try {
    const path = join(place.folder, 'big.log');
    const file = openSync(path, 'w');
    const block = Buffer.from(
      'steps:  64%|██████▍   | 612/960 [21:24<12:10, 2.10s/it, avr_loss=0.118]\n'.repeat(20_000),
    );
    for (let written = 0; written < 1e9; written += block.length) writeSync(file, block);
    closeSync(file);
    const times: number[] = [];
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 20; round += 1) {
      const begun = performance.now();
      await readLogTail(path, 500);
      times.push(performance.now() - begun);
    }
    const grown = (process.memoryUsage().rss - before) / 1e6;
    tell('last 500 lines of a 1 GB log', `${median(times).toFixed(1)} ms, +${grown.toFixed(0)} MB`, '≤ 30 ms, +32 MB');
  } finally {
    await place.leave();
  }
});

test('from the click to the trainer', async () => {
  const place = makePlace();
  try {
    const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.05' });
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 200, start: true });
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 12);
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      await sidecar.send('DELETE', 'sessions/cat/attempts/current');
      await sidecar.until('cat', ({ status }) => status === 'stopped');
      const clicked = Date.now();
      await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'resume' });
      const { trainer_pid: pid } = JSON.parse(readFileSync(join(place.outputs, 'cat', 'attempt.json'), 'utf8'));
      times.push(startedAt(pid) - clicked);
    }
    tell(
      'Resume clicked → trainer process executing',
      `${median(times).toFixed(0)} ms (±10: the kernel counts in ticks)`,
      '≤ 150 ms',
    );
  } finally {
    await place.leave();
  }
});

test('being supervised', async () => {
  const ratios: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    // In turn, so that a machine that warms up or is used otherwise favours neither.
    const [first, second] = round % 2 ? [alone, supervised] : [supervised, alone];
    const times = new Map([[first, await first()]]);
    times.set(second, await second());
    ratios.push((times.get(supervised) ?? 0) / (times.get(alone) ?? 1));
  }
  const percent = (median(ratios) - 1) * 100;
  const spread = `${((Math.min(...ratios) - 1) * 100).toFixed(1)} to ${((Math.max(...ratios) - 1) * 100).toFixed(1)} %`;
  tell('slow-down of the trainer by being supervised', `${percent.toFixed(1)} % (9 pairs: ${spread})`, '≤ 0.5 %');
});

/** Seconds of CPU and waiting that the steps took, by the trainer's own event times: 300 steps, nothing but training. */
async function supervised(): Promise<number> {
  const place = makePlace();
  try {
    const sidecar = await place.serve();
    await sidecar.send('POST', 'sessions', { ...measured, lora_name: 'cat', start: true });
    await sidecar.until('cat', ({ status }) => status === 'completed', 120);
    const points = await sidecar.get<{ tag: string; wall_time: number }[]>('sessions/cat/metrics');
    return span(points.filter(({ tag }) => tag === 'loss/current').map(({ wall_time }) => wall_time));
  } finally {
    await place.leave();
  }
}

async function alone(): Promise<number> {
  const place = makePlace();
  try {
    const sidecar = await place.serve();
    await sidecar.send('POST', 'sessions', { ...measured, lora_name: 'cat' });
    await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
    await sidecar.until('cat', ({ status }) => status === 'completed', 120);
    await sidecar.kill('SIGTERM');
    const folder = join(place.outputs, 'cat');
    rmSync(join(folder, 'logs'), { recursive: true });
    await new Promise((resolve) =>
      spawn('bash', [join(folder, 'train.sh')], { stdio: 'ignore' }).once('exit', resolve),
    );
    const again = await place.serve();
    const points = await again.get<{ tag: string; wall_time: number }[]>('sessions/cat/metrics');
    return span(points.filter(({ tag }) => tag === 'loss/current').map(({ wall_time }) => wall_time));
  } finally {
    await place.leave();
  }
}

const measured = { ...quick, max_train_epochs: 30, save_every_n_epochs: 100 };

function span(times: number[]): number {
  return Math.max(...times) - Math.min(...times);
}

async function withSessions(count: number, measure: (sidecar: Sidecar, place: Place) => Promise<void>): Promise<void> {
  const place = makePlace();
  try {
    manySessions(place.outputs, model, count);
    await measure(await place.serve(), place);
  } finally {
    await place.leave();
  }
}

/** Eight at a time, for two seconds. */
async function requestsASecond(url: string): Promise<number> {
  const end = performance.now() + 2000;
  let count = 0;
  const ask = async () => {
    while (performance.now() < end) {
      await (await fetch(url, page)).arrayBuffer();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  return count / 2;
}

async function encodedBytes(url: URL): Promise<number> {
  const { stdout } = spawnSync('curl', [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{size_download}',
    '-H',
    'Accept-Encoding: gzip',
    url.href,
  ]);
  return Number(stdout.toString());
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** When a process began, in ms since 1970, to a hundredth of a second. */
function startedAt(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const booted = Number(/btime (\d+)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Number.isFinite(booted) ? Date.now() - (uptime - ticks / 100) * 1000 : Number.NaN;
}

function median(values: number[]): number {
  return percentile(values, 50);
}

function percentile(values: number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function tell(what: string, found: string, bar: string): void {
  console.log(`| ${what} | ${bar} | ${found} |`);
}
