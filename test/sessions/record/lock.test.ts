import { mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isSessionLocked, withSessionLock } from '../../../sidecar/sessions/record/lock.js';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-lock-'));
  folders.push(folder);
  return folder;
}

test.concurrent('one after the other', async () => {
  const folder = newFolder();
  const order: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      withSessionLock(folder, async () => {
        order.push(name);
        expect(await isSessionLocked(folder)).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 30));
        order.push(name);
      }),
    ),
  );
  expect(order.filter((name, index) => index % 2 === 0 && order[index + 1] === name)).toHaveLength(3);
  expect(await isSessionLocked(folder)).toBe(false);
});

test.concurrent('what a process left that died before the clock was set back a day is taken over within seconds', async () => {
  const folder = newFolder();
  const lock = join(folder, 'ui_state.json.lock');
  mkdirSync(lock);
  const tomorrow = Date.now() / 1000 + 86_400;
  utimesSync(lock, tomorrow, tomorrow);
  expect(await isSessionLocked(folder)).toBe(true);
  const begun = performance.now();
  expect(await withSessionLock(folder, async () => 'done')).toBe('done');
  expect(performance.now() - begun).toBeLessThan(7000);
  expect(await isSessionLocked(folder)).toBe(false);
});

test.concurrent('one whose holder lives is not taken over, whatever the clock says', async () => {
  const folder = newFolder();
  const lock = join(folder, 'ui_state.json.lock');
  mkdirSync(lock);
  let time = Date.now() / 1000 + 86_400;
  const renewals = setInterval(() => utimesSync(lock, ++time, time), 1000);
  await expect(withSessionLock(folder, async () => 'done')).rejects.toMatchObject({ code: 'busy_session' });
  clearInterval(renewals);
});
