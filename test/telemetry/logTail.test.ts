import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLogReader } from '../../sidecar/telemetry/logReader.js';
import { readLogTail } from '../../sidecar/telemetry/logTail.js';

const folder = mkdtempSync(join(tmpdir(), 'trackside-log-'));
const path = join(folder, 'training.log');
afterAll(() => rmSync(folder, { recursive: true }));

const tailOf = async (content: string, lines = 500) => {
  writeFileSync(path, content);
  return (await readLogTail(path, lines)).text;
};

test.each([
  ['a\nb\n', 'a\nb\n'],
  ['steps: 1%\rsteps: 2%', 'steps: 2%'],
  ['\rsteps: 2%\r\nepoch 2/3\r', 'steps: 2%\nepoch 2/3'],
  ['\u001b[32mgreen\u001b[0m\u001b[A', 'green'],
  ['', ''],
])('%j reads as a terminal would show it', async (content, shown) => {
  expect(await tailOf(content)).toBe(shown);
});

test('only the last lines are told, whatever lies before', async () => {
  expect(await tailOf('1\n2\n3\n', 2)).toBe('2\n3\n');
  expect(await tailOf('1\n2\n3', 2)).toBe('2\n3');
  const many = `${'x'.repeat(100)}\n`.repeat(100_000);
  expect(await tailOf(`${many}the end\n`, 1)).toBe('the end\n');
});

test('a line without end is cut, not kept', async () => {
  const tail = await tailOf('x'.repeat(20_000_000));
  expect(tail.length).toBeLessThan(5_000_000);
});

test('a missing log is empty', async () => {
  expect(await readLogTail(join(folder, 'none'), 10)).toEqual({ text: '', inode: 0, offset: 0 });
});

test('a reader goes on from its position, and starts anew from the tail when the log is another', async () => {
  writeFileSync(path, 'first ünd\n');
  const { inode, offset } = await readLogTail(path, 10);
  const read = createLogReader(path, `${inode}:${offset}`, 10);
  expect(await read()).toBeNull();
  writeFileSync(path, 'zweite\n', { flag: 'a' });
  expect(await read()).toEqual({ position: `${inode}:${offset + 7}`, text: 'zweite\n' });
  expect(await read()).toBeNull();
  expect(await createLogReader(path, '1:2', 10)()).toMatchObject({ text: 'first ünd\nzweite\n', reset: true });
  expect(await createLogReader(path, undefined, 1)()).toMatchObject({ text: 'zweite\n', reset: true });
});

test('what is no file, or is not there, reads as empty', async () => {
  expect((await readLogTail(folder, 10)).text).toBe('');
  expect((await readLogTail(join(folder, 'nowhere.log'), 10)).text).toBe('');
});
