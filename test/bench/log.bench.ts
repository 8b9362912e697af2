import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { openBrowser } from '../browser/chromium.js';
import { makeTestSidecars, quick, type TestSidecars } from '../sidecar.js';
import { median, pause, percentile, residentMb, tell } from './figures.js';

const LINES = 100;
const PAGES = 20;

let place: TestSidecars;
beforeEach(() => {
  place = makeTestSidecars();
});
afterEach(() => place.leave());

test('a line of the log in the browser, and what an open page asks for', async () => {
  const browser = await openBrowser();
  try {
    const sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.5' });
    await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', max_train_epochs: 1000, start: true });
    await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 1, 60);
    // Playwright's own waiting needs eval.
    const context = await browser.newContext({ bypassCSP: true });
    for (let page = 1; page < PAGES; page += 1)
      await (await context.newPage()).goto(new URL(page % 2 ? 'sessions/cat/log' : 'sessions/cat', sidecar.url).href);
    const tab = await context.newPage();
    let requests = 0;
    context.on('request', () => {
      requests += 1;
    });
    await tab.goto(new URL('sessions/cat', sidecar.url).href);
    await pause(2000);
    const times: number[] = [];
    for (let round = 0; round < LINES; round += 1) {
      const line = `a line to be seen ${round} end`;
      const shows = `document.getElementById('log').textContent.includes(${JSON.stringify(line)})`;
      const seen = tab.waitForFunction(shows, null, { polling: 5 });
      await pause(100);
      const written = performance.now();
      appendFileSync(join(place.outputs, 'cat', 'training.log'), `${line}\n`);
      await seen;
      times.push(performance.now() - written);
    }
    const p95 = `${percentile(times, 95).toFixed(0)} ms (p95 of ${LINES})`;
    tell(`a line written to the log → visible in the browser, ${PAGES} pages open`, 'p95 ≤ 250 ms', p95);
    requests = 0;
    await pause(60_000);
    tell('requests a minute of all open pages, beside their one stream', '≤ 2', `${requests}`);
  } finally {
    await browser.close();
  }
});

test('the end of a log of 1 GB', async () => {
  const folder = join(place.outputs, 'big');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: 'big', status: 'stopped' }));
  const file = openSync(join(folder, 'training.log'), 'w');
  const bar = 'steps:  64%|██████▍   | 612/960 [21:24<12:10, 2.10s/it, avr_loss=0.118]\n';
  const block = Buffer.from(bar.repeat(20_000));
  for (let written = 0; written < 1e9; written += block.length) writeSync(file, block);
  closeSync(file);
  const sidecar = await place.serve();
  await sidecar.session('big');
  const before = residentMb(sidecar.pid);
  const times: number[] = [];
  let most = before;
  for (let round = 0; round < 20; round += 1) {
    const begun = performance.now();
    const answer = await fetch(new URL('sessions/big/log?tail=500', sidecar.url));
    const lines = (await answer.text()).trimEnd().split('\n').length;
    times.push(performance.now() - begun);
    if (lines !== 500) throw new Error(`${lines} lines, not 500`);
    most = Math.max(most, residentMb(sidecar.pid));
  }
  const found = `${median(times).toFixed(1)} ms, +${(most - before).toFixed(0)} MB`;
  tell('last 500 lines of a 1 GB log, over HTTP', '≤ 30 ms, +32 MB', found);
});

test('the lines of a log of 1 GB', async () => {
  const folder = join(place.outputs, 'big');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify({ lora_name: 'big', status: 'stopped' }));
  const file = openSync(join(folder, 'training.log'), 'w');
  const block = Buffer.from(
    '2026-11-22 01:23:45 INFO     a line of a log that is of no interest    train_util.py:1207\n'.repeat(10_000),
  );
  for (let written = 0; written < 1e9; written += block.length) writeSync(file, block);
  writeSync(file, 'the needle\n');
  closeSync(file);
  const sidecar = await place.serve();
  await sidecar.session('big');
  const before = residentMb(sidecar.pid);
  const timed = async (path: string, headers = {}) => {
    const begun = performance.now();
    const text = await (await fetch(new URL(path, sidecar.url), { headers })).text();
    return { text, ms: performance.now() - begun };
  };
  const page = await timed('sessions/big/log', { Accept: 'text/html' });
  tell('a log of 1 GB: its page, first answer', '≤ 300 ms', `${page.ms.toFixed(0)} ms`);
  const counted = await timed('sessions/big/log?lines=500');
  tell('a log of 1 GB: its lines numbered, once', '–', `${((page.ms + counted.ms) / 1000).toFixed(1)} s`);
  const middle = await timed('sessions/big/log?from=5000000&lines=500');
  tell('a log of 1 GB: 500 lines in its middle', '–', `${middle.ms.toFixed(0)} ms`);
  let slowest = 0;
  let searching = true;
  const search = timed('sessions/big/log?search=needle').finally(() => {
    searching = false;
  });
  while (searching) slowest = Math.max(slowest, (await timed('healthz')).ms);
  const found = await search;
  if (!found.text.includes('"matches":1,')) throw new Error(found.text);
  tell('a log of 1 GB: all of it searched', '–', `${(found.ms / 1000).toFixed(1)} s`);
  tell('a log of 1 GB: the slowest other answer during the search', '≤ 100 ms', `${slowest.toFixed(0)} ms`);
  tell('a log of 1 GB: memory more than before', '+32 MB', `+${(residentMb(sidecar.pid) - before).toFixed(0)} MB`);
});
