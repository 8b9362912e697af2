import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess, type InProcess } from '../inProcess.js';

let at: InProcess;
beforeAll(() => {
  at = appInProcess();
});
afterAll(() => at.leave());

type Attempt = { log_start: number; log_end: number | null; step_offset: number };

/** A stopped session of this name, with a log. Returns the log's path. */
function logged(name: string, text: string | Buffer, attempts: Attempt[] = []): string {
  const folder = join(at.settings.outputs, name);
  mkdirSync(folder, { recursive: true });
  const time = '2026-11-22T09:00:00.000Z';
  const record = { lora_name: name, status: 'stopped', attempts: attempts.map(attempt) };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(record));
  writeFileSync(join(folder, 'training.log'), text);
  return join(folder, 'training.log');

  function attempt(its: Attempt, index: number) {
    const told = { id: `a${index}`, number: index + 1, kind: index ? 'resume' : 'start', outcome: 'stopped', argv: [] };
    return { ...told, started_at: time, ended_at: time, stop_requested_at: time, first_epoch: 1, ...its };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is JSON of any shape, which the test then looks at
const json = async (path: string): Promise<any> =>
  (await at.ask(path, { headers: { Accept: 'application/json' } })).json();
const page = async (path: string) => (await at.ask(path, { headers: { Accept: 'text/html' } })).text();
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

test('lines are told by their numbers, from any line, from the end, and while the log grows', async () => {
  const path = logged('numbers', `${lines(1, 30_000).join('\n')}\n`);
  const texts = async (query: string) => (await json(`/sessions/numbers/log?${query}`)).rows.map(textOf);
  expect(await texts('from=1&lines=2')).toEqual(['1 line 1', '2 line 2']);
  expect(await texts('from=29999&lines=9')).toEqual(['29999 line 29999', '30000 line 30000']);
  expect(await texts('lines=1')).toEqual(['30000 line 30000']);
  appendFileSync(path, 'half');
  expect(await texts('from=30000&lines=9')).toEqual(['30000 line 30000', '30001 half']);
  appendFileSync(path, ' and whole\nnext\n');
  expect(await texts('from=-2&lines=9')).toEqual(['30001 half and whole', '30002 next']);
  writeFileSync(path, 'another log\n');
  expect(await json('/sessions/numbers/log?lines=9')).toMatchObject({
    total: 1,
    rows: [{ n: 1, text: 'another log' }],
  });
  expect(await texts('from=77&lines=9')).toEqual([]);
});

function textOf({ n, text }: { n: number; text: string }): string {
  return `${n} ${text}`;
}

test('a line reads as on a terminal, a long one is cut, and none holds a secret', async () => {
  const long = 'x'.repeat(700_000);
  const bar = Array.from({ length: 40_000 }, (_, step) => `\rsteps:  1%|█ | ${step}/99999 [00:01<00:09, 2.00it/s]`);
  logged('terminal', `\u001b[32mgreen\u001b[0m hf_PlantedInTheLogAbcdefghijklmnopqr\n${long}\n${bar.join('')}\nend`);
  const { rows, total } = await json('/sessions/terminal/log?from=1&lines=9');
  expect(total).toBe(4);
  expect(rows[0].text).toMatch(/^green hf_\*+$/);
  expect(rows[1]).toMatchObject({ text: 'x'.repeat(16_384), cut: 700_000 - 16_384 });
  expect(rows[2]).toMatchObject({ text: bar.at(-1)?.slice(1), kind: 'bar' });
  expect(rows[3].text).toBe('end');
});

test('the whole log is searched as it is shown, with the true number of lines and their neighbours', async () => {
  const text = lines(1, 200_000)
    .map((line, i) => (i % 100 === 99 ? `${line} Loss is NaN` : line))
    .join('\n');
  const path = logged('search', `${text}\nold state\rnew state\n\u001b[31mTr\u001b[0maceback ÄRGER`);
  const found = (words: string, after = 0) =>
    json(`/sessions/search/log?search=${encodeURIComponent(words)}&after=${after}`);
  expect(await found('loss is nan')).toMatchObject({
    matches: 2000,
    first: 100,
    last: 200_000,
    before: 0,
    previous: null,
  });
  const middle = await found('LOSS', 150_000);
  expect(middle).toMatchObject({ matches: 2000, before: 1500, earlier: 1499, previous: 149_900 });
  expect(middle.lines[0]).toBe(150_100);
  expect(await found('old state')).toMatchObject({ matches: 0 });
  expect(await found('new state')).toMatchObject({ matches: 1, lines: [200_001] });
  expect(await found('traceback')).toMatchObject({ matches: 1, lines: [200_002] });
  expect(await found('ärger')).toMatchObject({ matches: 1, lines: [200_002] });
  appendFileSync(path, ' ends\nloss again\n');
  expect(await found('loss')).toMatchObject({ matches: 2001, last: 200_003 });
  expect(await found('ends')).toMatchObject({ matches: 1 });
  expect((await at.ask(`/sessions/search/log?search=${'x'.repeat(501)}`)).status).toBe(400);
});

test('a search of many gigabytes is answered with what it has found so far, and goes on with the next question', async () => {
  const path = logged('huge', 'the needle\n');
  // Without a block on the disk: more than is read within the seconds of one answer.
  truncateSync(path, 40 * 1024 ** 3);
  const first = await json('/sessions/huge/log?search=needle');
  expect(first).toMatchObject({ matches: 1, lines: [1], bytes: 40 * 1024 ** 3 });
  expect(first.searched).toBeGreaterThan(0);
  expect(first.searched).toBeLessThan(first.bytes);
  const next = await json('/sessions/huge/log?search=needle');
  expect(next).toMatchObject({ matches: 1, lines: [1] });
  expect(next.searched).toBeGreaterThan(first.searched);
});

test('a search cannot tell a secret that is struck out', async () => {
  logged('secret', `login with hf_PlantedInTheLogAbcdefghijklmnopqr done\n`);
  for (const guess of ['hf_planted', 'hf_PlantedInTheLogAbcdefghijklmnopqr', 'InTheLogAbc']) {
    expect(await json(`/sessions/secret/log?search=${guess}`)).toMatchObject({ matches: 0, lines: [] });
  }
  expect(await json('/sessions/secret/log?search=login with')).toMatchObject({ matches: 1 });
});

test('errors, warnings and attempts are landmarks, and a resumed trainer’s own step is told beside the absolute one', async () => {
  const first = '── attempt 1 · start · 2026-11-22T09:00:00Z ──\nINFO     fine\n';
  const failed =
    'steps:   3%|▎ | 80/5600 [00:01<00:09, 2.00it/s]\rsteps:   3%|▎ | 81/5600 [00:01<00:09, 2.00it/s]Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\nWARNING  careful\n';
  const second = '\n── attempt 2 · resume · 2026-11-22T10:00:00Z ──\n';
  const bar = 'steps:   1%|▎ | 80/4160 [00:01<00:09, 2.00it/s]\nERROR    worse\n';
  const begins = Buffer.byteLength(first + failed + second);
  logged('landmarks', first + failed + second + bar, [
    { log_start: 0, log_end: Buffer.byteLength(first + failed), step_offset: 0 },
    { log_start: begins, log_end: null, step_offset: 1440 },
  ]);
  expect(await json('/sessions/landmarks/log/landmarks')).toMatchObject({
    total: 10,
    errors: [3, 10],
    errorCount: 2,
    warnings: [6],
    attempts: [
      { number: 1, line: 1 },
      { number: 2, line: 8 },
    ],
  });
  const { rows } = await json('/sessions/landmarks/log?from=1&lines=20');
  const kinds = rows.map(({ kind }: { kind: string | null }) => kind);
  expect(kinds).toEqual([
    'attempt',
    null,
    'error',
    'traceback',
    'traceback',
    'warning',
    null,
    'attempt',
    'bar',
    'error',
  ]);
  expect(rows[8]).toMatchObject({ attempt: 2, step: 1520 });
  expect(rows[2].step).toBeNull();
});

test('an attempt’s part of the log is downloaded as a file, and goes on where it was cut', async () => {
  const [one, two] = ['first attempt\n', 'second attempt\n'];
  const path = logged('parts', one + two, [
    { log_start: 0, log_end: one.length, step_offset: 0 },
    { log_start: one.length, log_end: one.length + two.length, step_offset: 0 },
  ]);
  const whole = await at.ask('/sessions/parts/log?download=1');
  expect(whole.headers.get('content-disposition')).toContain('parts.log');
  expect(await whole.text()).toBe(one + two);
  const part = await at.ask('/sessions/parts/log?attempt=2&download=1');
  expect(part.headers.get('content-disposition')).toContain('parts-attempt-2.log');
  expect(await part.text()).toBe(two);
  appendFileSync(path, 'later\n');
  const rest = { Range: 'bytes=7-', 'If-Range': part.headers.get('etag') ?? '' };
  const resumed = await at.ask('/sessions/parts/log?attempt=2&download=1', { headers: rest });
  expect([resumed.status, await resumed.text()]).toEqual([206, 'attempt\n']);
  expect((await at.ask('/sessions/parts/log?attempt=3')).status).toBe(404);
});

test('without a script the page leads through the log, to errors and to what is searched', async () => {
  logged('plain', `${lines(1, 1200).join('\n')}\n  <b>bold</b>\nERROR    it broke\n`);
  const last = await page('/sessions/plain/log');
  expect(last).toContain('line 1200');
  expect(last).toContain('&lt;b&gt;bold&lt;/b&gt;');
  expect(last).not.toContain('>line 702<');
  expect(last).toContain('href="?line=1202#L1202"');
  const older = /href="(\?from=\d+)">Older/.exec(last)?.[1];
  expect(await page(`/sessions/plain/log${older}`)).toContain('>line 702<');
  expect(await page('/sessions/plain/log?line=3')).toContain('id="L1"');
  const found = await page('/sessions/plain/log?q=LINE+11');
  expect(found).toContain('111 lines found');
  expect(found).toContain('href="?line=1199#L1199"');
});

test('of a bar that writes a line for each state the newest is shown, and the others on demand', async () => {
  const bars = Array.from({ length: 20 }, (_, i) => `steps: ${i}%|█ | ${i}/20 [00:01<00:09, 2.00it/s]`).join('\n');
  logged('bars', `before\n${bars}\nafter\n`);
  const folded = await page('/sessions/bars/log');
  expect(folded.match(/class="is-bar old"/g)).toHaveLength(19);
  expect(folded).toContain('19 earlier states');
  expect(await page('/sessions/bars/log?from=1&bars=1')).not.toContain('class="is-bar old"');
});

test('a session that has written nothing says so', async () => {
  await at.draft({ lora_name: 'silent' });
  expect(await page('/sessions/silent/log')).toContain('Nothing was written yet.');
  expect(await json('/sessions/silent/log?lines=5')).toMatchObject({ total: 0, rows: [] });
  expect(await json('/sessions/silent/log?search=a')).toMatchObject({ matches: 0 });
});
