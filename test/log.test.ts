import { afterAll, beforeAll, expect, test } from 'vitest';
import { ifMissing, ifUnreadable } from '../sidecar/caught.js';
import { lastLines, log } from '../sidecar/log.js';
import { makeTestSidecars, quick, type Sidecar } from './sidecar.js';

const place = makeTestSidecars();
const SECRET = 'hf_abcdefghijklmnopqrstuvwxyz012345';
let sidecar: Sidecar;

beforeAll(async () => {
  sidecar = await place.serve({ HF_TOKEN: SECRET });
});
afterAll(() => place.leave());

const logged = () =>
  sidecar
    .printed()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));

test('every action is a line with its session and attempt, and the diagnostics tell the last ones', async () => {
  expect(logged()).toEqual([]);
  await sidecar.send('POST', 'sessions', { ...quick, max_train_epochs: 1, lora_name: 'cat', start: true });
  await sidecar.until('cat', (facts) => facts.status === 'completed');
  await sidecar.send('DELETE', 'sessions/cat');
  expect(logged()).toMatchObject([
    { level: 'info', room: 'sessions', session: 'cat', msg: 'Created.' },
    { session: 'cat', attempt: 1, msg: 'Started.' },
    { session: 'cat', attempt: 1, msg: 'The attempt is completed.' },
    { session: 'cat', msg: 'Deleted, to the trash.' },
  ]);
  const facts = await sidecar.get<Record<string, unknown>>('diagnostics');
  expect(facts).toMatchObject({
    versions: { node: process.version, python: expect.stringMatching(/^3\./) },
    trainers: expect.arrayContaining(['practice']),
    followed: [],
    work: { outputs: { last_error: null }, sessions: { last_error: null } },
    errors: [],
    log: [{ msg: 'Created.' }, {}, {}, { msg: 'Deleted, to the trash.' }],
  });
});

test('a refused start is told with why, and no secret stands in the diagnostics', async () => {
  await sidecar.send('POST', 'sessions', { ...quick, lora_name: SECRET.slice(3, 12), description: 'dog' });
  await sidecar.send('POST', 'sessions/none/attempts', { kind: 'start' });
  expect(logged().at(-1)).toMatchObject({ session: 'none', code: 'no_session', msg: 'Not started (start).' });
  const page = await fetch(new URL('diagnostics', sidecar.url), { headers: { Accept: 'text/html' } });
  const html = await page.text();
  expect(html).toContain('Not started (start).');
  expect(html).not.toContain(SECRET);
});

test('a warning that repeats is written once', () => {
  const before = lastLines().length;
  for (let time = 0; time < 3; time += 1) log.warn('here', 'It cannot be read.', { error: new Error('EACCES') });
  log.warn('here', 'It cannot be read.', { error: new Error('EIO') });
  expect(lastLines().length - before).toBe(2);
});

test('what is missing counts as none; every other error is thrown on, or logged', () => {
  const missing = Object.assign(new Error('gone'), { code: 'ENOENT' });
  const broken = Object.assign(new Error('broken'), { code: 'EIO' });
  expect(ifMissing(null)(missing)).toBeNull();
  expect(() => ifMissing(null)(broken)).toThrow('broken');
  expect(ifUnreadable('none', 'here')(broken)).toBe('none');
  expect(lastLines().at(-1)).toMatchObject({ level: 'warn', room: 'here', error: 'broken' });
});
