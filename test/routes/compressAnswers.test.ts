import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appInProcess } from '../inProcess.js';

const { ask, draft, settings, leave } = appInProcess();
const page = { Accept: 'text/html' };
const secret = `hf_${'aB3'.repeat(12)}`;
const gzip = { 'Accept-Encoding': 'br, gzip;q=0.8' };

beforeAll(async () => {
  await draft({ lora_name: 'cat' });
  writeFileSync(join(settings.outputs, 'cat', 'training.log'), `${'a line of the log\n'.repeat(500)}${secret}\n`);
});
afterAll(leave);

test('a page is sent compressed to those who accept it, with secrets struck out before', async () => {
  for (const path of ['/', '/new', '/sessions/cat', '/sessions/cat/log?tail=500']) {
    const plain = await ask(path, { headers: page });
    const packed = await ask(path, { headers: { ...page, ...gzip } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('content-type')).toBe(plain.headers.get('content-type'));
    expect([plain, packed].map(({ headers }) => headers.get('vary')?.includes('Accept-Encoding'))).toEqual([
      true,
      true,
    ]);
    const bytes = Buffer.from(await packed.arrayBuffer());
    const text = withoutFormId(await plain.text());
    expect(bytes.length).toBeLessThan(text.length / 2);
    // The free disk on it may have changed between two answers.
    const after = withoutFormId(await (await ask(path, { headers: page })).text());
    expect([text, after]).toContain(withoutFormId(gunzipSync(bytes).toString()));
    expect(text).not.toContain(secret);
  }
});

test('facts are compressed, too, and small answers are not', async () => {
  const facts = await ask('/sessions/cat', { headers: gzip });
  expect(facts.headers.get('content-encoding')).toBe('gzip');
  expect(JSON.parse(gunzipSync(Buffer.from(await facts.arrayBuffer())).toString())).toMatchObject({ lora_name: 'cat' });
  expect((await ask('/healthz', { headers: gzip })).headers.has('content-encoding')).toBe(false);
});

test('nobody gets what he did not ask for', async () => {
  for (const accepted of ['', 'br', 'identity', 'gzip;q=0', 'gzip; q=0.0, br', 'xgzip']) {
    const { headers } = await ask('/', { headers: { ...page, 'Accept-Encoding': accepted } });
    expect([accepted, headers.get('content-encoding')]).toEqual([accepted, null]);
  }
});

test('HEAD is answered like GET, without a body', async () => {
  const head = await ask('/', { method: 'HEAD', headers: { ...page, ...gzip } });
  expect([head.status, head.headers.get('content-encoding'), await head.text()]).toEqual([200, 'gzip', '']);
});

test('a file, and a range of it, is sent as it lies on the disk', async () => {
  const file = await ask('/sessions/cat/log', { headers: gzip });
  expect([file.headers.get('content-encoding'), file.headers.get('content-length')]).toEqual([null, '9040']);
  const part = await ask('/sessions/cat/log', { headers: { ...gzip, Range: 'bytes=2-5' } });
  expect([part.status, part.headers.get('content-encoding'), await part.text()]).toEqual([206, null, 'line']);
});

test('the stream of a page is not compressed, and its first words come at once', async () => {
  const stream = await ask('/events?home=1', { headers: { ...gzip, Accept: 'text/event-stream' } });
  expect(stream.headers.has('content-encoding')).toBe(false);
  const reader = stream.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(new TextDecoder().decode(value)).toContain('hx-partial');
  await reader?.cancel();
});

/** Each page of a new training has an id of its own, and a draft without a name. */
function withoutFormId(html: string): string {
  return html.replaceAll(/name="form_id" value="[^"]+"/g, '').replaceAll(/_[0-9a-f]{8}\b/g, '_draft');
}
