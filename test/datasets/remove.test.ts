import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTestSidecars, quick } from '../sidecar.js';

test('a dataset that is removed goes to the trash with all that lies in it, and is put back from there as it was', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const sidecar = await place.serve();
  const folder = join(place.datasets, 'example');
  writeFileSync(join(folder, '01-morning_flux.npz'), 'cached');
  mkdirSync(join(folder, 'further'));
  writeFileSync(join(folder, 'further', 'notes.md'), 'mine');
  const print = () => readdirSync(folder, { recursive: true }).sort();
  const before = print();
  const { status, body } = await sidecar.send('DELETE', 'datasets/example');
  expect([status, body.kept]).toEqual([200, expect.stringMatching(/^\.trash\/example\/\d{8}T\d{6}Z-[0-9a-f]{6}$/)]);
  expect(existsSync(folder)).toBe(false);
  expect((await sidecar.send('DELETE', 'datasets/example')).status).toBe(404);
  const page = await (await fetch(`${sidecar.url}datasets`, { headers: { Accept: 'text/html' } })).text();
  const address = /action="(datasets\/example\/trash\/[^"]+)"/.exec(page)?.[1] ?? '';
  expect((await sidecar.send('POST', `${address}x`)).status).toBe(404);
  expect(existsSync(folder)).toBe(false);
  expect((await sidecar.send('POST', address)).status).toBe(200);
  expect(print()).toEqual(before);
  expect(readFileSync(join(folder, 'further', 'notes.md'), 'utf8')).toBe('mine');
  expect((await sidecar.send('POST', address)).status).toBe(404);
});

test('no dataset is removed under a training, nor through a link; an empty one leaves no trash', async () => {
  const place = makeTestSidecars();
  onTestFinished(() => place.leave());
  const sidecar = await place.serve();
  const slow = { ...quick, lora_name: 'cat', num_repeats: 500, start: true };
  expect((await sidecar.send('POST', 'sessions', slow)).status).toBe(201);
  const refused = await sidecar.send('DELETE', 'datasets/example');
  expect([refused.status, refused.body.error.link]).toEqual([409, 'sessions/cat']);
  await sidecar.send('DELETE', 'sessions/cat/attempts/current');
  await sidecar.until('cat', ({ status }) => status === 'stopped');
  symlinkSync(join(place.datasets, 'example'), join(place.datasets, 'linked'));
  expect((await sidecar.send('DELETE', 'datasets/linked')).body.error.code).toBe('dataset_is_link');
  expect((await sidecar.send('POST', 'datasets', { name: 'empty' })).status).toBe(201);
  expect((await sidecar.send('DELETE', 'datasets/empty')).body.kept).toBe(null);
  expect(readdirSync(place.datasets).filter((name) => !name.startsWith('.'))).toEqual(['example', 'linked']);
  expect((await sidecar.send('DELETE', 'datasets/example')).status).toBe(200);
  expect((await sidecar.send('POST', 'sessions/cat/attempts', { kind: 'relaunch' })).body.error.message).toMatch(
    /example/,
  );
});
