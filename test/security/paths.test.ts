import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTestSidecars, quick } from '../sidecar.js';
import { ask, attacks, CANARY, plantLinks } from './plantedSecrets.js';

test('of a thousand requests that mean another place, none reads or changes anything outside the roots', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const outside = await plantLinks(place);
  const sidecar = await place.serve();
  const before = outside();
  const all = attacks(place.folder);
  expect(all.length).toBeGreaterThanOrEqual(1000);
  const wrong: string[] = [];
  const next = async () => {
    for (let attack = all.pop(); attack; attack = all.pop()) {
      const { status, text } = await ask(sidecar.url, attack);
      const told = text.includes(CANARY) || text.includes('root:x:0');
      if (told || status >= 500)
        wrong.push(`${status} ${attack.method} ${attack.path} ${attack.body ?? ''} ${text.slice(0, 200)}`);
    }
  };
  await Promise.all([next(), next(), next(), next()]);
  expect(wrong).toEqual([]);
  expect(outside()).toBe(before);
  // What belongs here is still there, and served.
  const own = await sidecar.get<{ files: { file: string; problem: string | null }[] }>('datasets/x');
  expect(own.files.find(({ file }) => file === 'own.png')?.problem).toBeNull();
  expect(own.files.find(({ file }) => file === 'link.png')?.problem).toMatch(/leads out/);
});

test('a log that is a link is not written through, and the start says so', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const sidecar = await place.serve();
  const outside = join(place.folder, 'outside.log');
  writeFileSync(outside, CANARY);
  expect((await sidecar.send('POST', 'sessions', { ...quick, lora_name: 'cat' })).status).toBe(201);
  symlinkSync(outside, join(place.outputs, 'cat', 'training.log'));
  const { body } = await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'start' });
  expect(body.reason).toMatch(/training\.log is not a file but a pipe, a folder, a link or a device\. Move it away/);
  expect(readFileSync(outside, 'utf8')).toBe(CANARY);
});
