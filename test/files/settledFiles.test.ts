import { mkdtemp, readdir, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settledFiles } from '../../sidecar/files/settledFiles.js';

let folder: string;
let asked: string[];
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  folder = await mkdtemp(join(tmpdir(), 'trackside-settled-'));
  asked = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const files = settledFiles<{ name: string; bytes: number; savedAtMs: number }>(
  ({ bytes }) => bytes > 0,
  (a, b) => (a.name < b.name ? -1 : 1),
);

async function read() {
  asked = [];
  const found = await files(folder, (await readdir(folder)).sort(), async (name) => {
    asked.push(name);
    const { size, mtimeMs } = await stat(join(folder, name));
    return { name, bytes: size, savedAtMs: mtimeMs };
  });
  return found;
}

async function write(name: string, text: string, secondsAgo: number) {
  await writeFile(join(folder, name), text);
  await utimes(join(folder, name), new Date(), Date.now() / 1000 - secondsAgo);
}

test('of many finished files some are asked for again each second, and all after some calls', async () => {
  for (let at = 0; at < 100; at += 1) await write(`${at}`, 'done', 60);
  const first = await read();
  expect([first.length, asked.length]).toEqual([100, 100]);
  const again = new Set<string>();
  for (let call = 0; call < 7; call += 1) {
    vi.advanceTimersByTime(1000);
    expect(await read()).toBe(first);
    expect(asked).toHaveLength(16);
    for (const name of asked) again.add(name);
    expect(await read()).toBe(first);
    expect(asked).toEqual([]);
  }
  expect(again.size).toBe(100);
});

test('new, fresh and unfinished files are asked for each time, one that was given up is not, and what went is gone', async () => {
  for (let at = 0; at < 40; at += 1) await write(`${at}`, 'done', 60);
  await write('fresh', 'done', 0);
  await write('unfinished', '', 30);
  await write('given-up', '', 120);
  await read();
  await write('new', 'done', 60);
  await unlink(join(folder, '7'));
  const names = (await read()).map(({ name }) => name);
  expect(asked).toEqual(expect.arrayContaining(['fresh', 'unfinished', 'new']));
  expect(asked).not.toContain('given-up');
  expect([names.includes('new'), names.includes('7'), names.length]).toEqual([true, false, 43]);
});

test('a finished file that is written over in place is noticed', async () => {
  for (let at = 0; at < 40; at += 1) await write(`${at}`, 'done', 60);
  await read();
  await write('30', 'written over', 30);
  const bytes = async () => {
    vi.advanceTimersByTime(1000);
    return (await read()).find(({ name }) => name === '30')?.bytes;
  };
  const told = [await bytes(), await bytes(), await bytes()];
  expect(told).toContain('written over'.length);
});
