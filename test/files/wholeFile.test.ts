import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { sweepTemporary } from '../../sidecar/files/wholeFile.js';

afterEach(() => {
  vi.useRealTimers();
});

test('what a killed process left is removed after a minute before our eyes, and nothing younger, whatever clocks say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-whole-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const left = '.ui_state.json.0123456789ab.tmp';
  writeFileSync(join(folder, left), 'half');
  // A day before and after, as a clock that jumped would have it.
  for (const day of [-1, 1]) {
    utimesSync(join(folder, left), Date.now() / 1000, Date.now() / 1000 + day * 86_400);
    await sweepTemporary(folder);
    expect(readdirSync(folder)).toEqual([left]);
  }
  vi.advanceTimersByTime(30_000);
  writeFileSync(join(folder, '.train.sh.ba9876543210.tmp'), 'young');
  await sweepTemporary(folder);
  expect(readdirSync(folder)).toHaveLength(2);
  // It looks again by itself.
  vi.advanceTimersByTime(31_000);
  for (let turn = 0; turn < 1000 && readdirSync(folder).length > 1; turn++) await new Promise(setImmediate);
  expect(readdirSync(folder)).toEqual(['.train.sh.ba9876543210.tmp']);
});
