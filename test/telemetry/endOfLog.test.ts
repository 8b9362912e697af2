import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEndOfLog } from '../../sidecar/telemetry/endOfLog.js';

const REASON =
  'Traceback (most recent call last):\n  File "/pod/train.py", line 1, in <module>\nValueError: the reason\n';
const MB = 1024 * 1024;
let outputs: string;
let log: string;

beforeAll(() => {
  outputs = mkdtempSync(join(tmpdir(), 'trackside-test-'));
  mkdirSync(join(outputs, 'cat'));
  log = join(outputs, 'cat', 'training.log');
});
afterAll(() => rmSync(outputs, { recursive: true, force: true }));

/** Of the processor: other tests may be busy beside it. */
async function read(): Promise<{ text: string; milliseconds: number }> {
  const began = process.cpuUsage();
  const text = await readEndOfLog(log, 0, Number.POSITIVE_INFINITY);
  const { user, system } = process.cpuUsage(began);
  return { text, milliseconds: (user + system) / 1000 };
}

test('the end of a log of 3 GB without a line break is read in a moment', async () => {
  writeFileSync(log, '');
  truncateSync(log, 3000 * MB);
  const nothing = await read();
  expect(nothing.text.length).toBeLessThan(2 * MB);
  expect(nothing.milliseconds).toBeLessThan(3000);
  appendFileSync(log, REASON);
  const told = await read();
  expect(told.text).toContain(REASON);
  expect(told.milliseconds).toBeLessThan(500);
});

test('a reason far before the end is found', async () => {
  writeFileSync(log, REASON);
  truncateSync(log, 40 * MB);
  appendFileSync(log, 'the last words\n');
  const { text } = await read();
  expect(text.startsWith(REASON)).toBe(true);
  expect(text).toContain('the last words');
});
