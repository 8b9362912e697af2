import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionFacts } from '../../../sidecar/sessions/facts.js';
import type { VersionFacts } from '../../../sidecar/sessions/record/history.js';
import { BUSY } from '../../busy.js';
import { makeTestSidecars, quick, type Sidecar, type TestSidecars, until } from '../../sidecar.js';

let place: TestSidecars;
let sidecar: Sidecar;
let folder: string;
let path: string;
beforeEach(async () => {
  place = makeTestSidecars();
  sidecar = await place.serve();
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat', description: 'first' });
  folder = join(place.outputs, 'cat');
  path = join(folder, 'ui_state.json');
});
afterEach(() => place.leave());

const text = () => readFileSync(path, 'utf8');
const page = async (address: string) =>
  (await fetch(new URL(address, sidecar.url), { headers: { Accept: 'text/html' } })).text();
const post = (address: string) =>
  fetch(new URL(address, sidecar.url), {
    method: 'POST',
    redirect: 'manual',
    headers: { Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin' },
  });

test.each([
  ['cut short', (good: string) => good.slice(0, 300)],
  ['emptied', () => ''],
  ['full of zeros', (good: string) => '\0'.repeat(good.length)],
  ['a list', () => '[]'],
])('a file that is %s is kept aside, and the last good version is back within a second', async (_, breakIt) => {
  await sidecar.send('PATCH', 'sessions/cat', { notes: 'the last good one' });
  const good = text();
  writeFileSync(path, breakIt(good));
  const started = performance.now();
  await until(text, (now) => now === good, 3);
  expect(performance.now() - started).toBeLessThan(1000 * BUSY);
  const facts = await sidecar.session('cat');
  expect(facts).toMatchObject({ record: 'whole', notes: 'the last good one', next: 'start' });
  expect(facts.put_back).toMatchObject({ broken: expect.stringMatching(/ui_state\.broken-\d{8}T\d+Z\.json$/) });
  expect(readFileSync(facts.put_back?.broken ?? '', 'utf8')).toBe(breakIt(good));
  const html = await page('sessions/cat');
  expect(html).toContain(facts.put_back?.broken);
  expect(html).toMatch(/The copy of .* was restored/);
});

test('broken while no sidecar ran: the next one puts the last version back, from history', async () => {
  await sidecar.send('PATCH', 'sessions/cat', { notes: 'kept' });
  const good = text();
  await sidecar.kill('SIGKILL');
  writeFileSync(path, good.slice(0, -40));
  sidecar = await place.serve();
  const [facts] = await sidecar.get<SessionFacts[]>('sessions');
  expect(facts).toMatchObject({
    record: 'whole',
    notes: 'kept',
    put_back: { reason: expect.stringContaining('JSON') },
  });
  expect(text()).toBe(good);
});

test('an edit by hand is the last good version, too', async () => {
  execFileSync('bash', ['-c', `jq '.mine = 1' ui_state.json > t && mv t ui_state.json`], { cwd: folder });
  const good = text();
  await sidecar.session('cat');
  writeFileSync(path, '{');
  await until(text, (now) => now === good, 3);
});

test('somebody who is in the middle of writing is let finish', async () => {
  const next = JSON.stringify({ ...JSON.parse(text()), description: 'by hand' });
  for (const part of [0, 100, 200, next.length]) {
    writeFileSync(path, next.slice(0, part));
    void sidecar.session('cat');
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect((await sidecar.session('cat')).description).toBe('by hand');
  expect(readdirSync(folder).filter((name) => name.includes('broken'))).toEqual([]);
});

test('valid JSON that would be rounded stays where it is, and is named with the reason', async () => {
  const large = text().replace('{', '{"mine": 12345678901234567890,');
  writeFileSync(path, large);
  const facts = await sidecar.until('cat', ({ record }) => record === 'unreadable', 3);
  expect(facts.reason).toContain('12345678901234567890 is larger than 2^53');
  expect(text()).toBe(large);
  const [version] = await sidecar.get<VersionFacts[]>('sessions/cat/history');
  const restored = await sidecar.send('POST', `sessions/cat/history/${version?.version}`);
  expect(restored.body).toMatchObject({ record: 'whole', description: 'first' });
  expect(readFileSync(restored.body.put_back.broken, 'utf8')).toBe(large);
});

test('a broken file with no good version stays as it is', async () => {
  mkdirSync(join(place.outputs, 'theirs'));
  writeFileSync(join(place.outputs, 'theirs', 'ui_state.json'), '{"lora_name": "th');
  const facts = await sidecar.session('theirs');
  expect(facts).toMatchObject({ record: 'unreadable', put_back: null });
  expect(readFileSync(join(place.outputs, 'theirs', 'ui_state.json'), 'utf8')).toBe('{"lora_name": "th');
});

test('20 versions are kept; any is compared with the present, field by field, and put back, without JavaScript', async () => {
  for (let at = 1; at <= 25; at += 1) await sidecar.send('PATCH', 'sessions/cat', { notes: `note ${at}` });
  const versions = await sidecar.get<VersionFacts[]>('sessions/cat/history');
  expect(versions).toHaveLength(20);
  expect(versions[0]).toMatchObject({ present: true, changed: ['notes'], attempts: 0, status: 'draft', reason: null });
  const old = versions[5]?.version;
  const detail = await sidecar.get<{ changes: unknown; state: { notes: string } }>(`sessions/cat/history/${old}`);
  expect(detail.changes).toEqual([{ field: 'notes', was: 'note 20', now: 'note 25' }]);
  expect(detail.state.notes).toBe('note 20');

  expect(await page('sessions/cat')).toContain('href="../sessions/cat/history"');
  const list = await page('sessions/cat/history');
  expect(list).toContain(`history/${old}"`);
  const html = await page(`sessions/cat/history/${old}`);
  expect(html).toMatch(/<th scope="row">notes<\/th>\s*<td>note 20<\/td>\s*<td>note 25<\/td>/);
  const answer = await post(`sessions/cat/history/${old}`);
  expect(answer.status).toBe(303);
  expect((await sidecar.session('cat')).notes).toBe('note 20');
  expect((await sidecar.get<VersionFacts[]>('sessions/cat/history'))[1]).toMatchObject({ changed: ['notes'] });
  expect((await sidecar.send('POST', 'sessions/cat/history/000001-0000')).status).toBe(404);
  expect((await sidecar.send('GET', 'sessions/cat/history/..%2f..%2fui_state')).status).toBe(404);
});

test('putting a version back never loses an attempt, and changes words only while it is running', async () => {
  sidecar = await place.serve({ PRACTICE_STEP_SECONDS: '0.1' });
  await sidecar.send('PATCH', 'sessions/cat', { notes: 'before', seed: 7 });
  const before = (await sidecar.get<VersionFacts[]>('sessions/cat/history'))[0]?.version;
  await sidecar.send('PATCH', 'sessions/cat', { notes: 'after', seed: 8 });
  await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
  await sidecar.until('cat', (facts) => (facts.progress.step ?? 0) > 1);

  const running = await sidecar.send('POST', `sessions/cat/history/${before}`);
  expect(running.body).toMatchObject({ status: 'running', notes: 'before', settings: { seed: 8 } });
  expect(running.body.attempts).toHaveLength(1);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', (facts) => facts.status === 'stopped');
  const stopped = await sidecar.send('POST', `sessions/cat/history/${before}`);
  expect(stopped.body).toMatchObject({ status: 'stopped', settings: { seed: 7 }, reason: 'Stopped by you.' });
  expect(stopped.body.attempts).toHaveLength(1);
  expect(existsSync(path)).toBe(true);
});
