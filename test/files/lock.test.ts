import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isLockHeld, takeLock } from '../../sidecar/files/lock.js';
import { until } from '../sidecar.js';

// An error in a timer of the library fails a test by itself.
const folder = mkdtempSync(join(tmpdir(), 'trackside-locks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const renewedAt = (path: string) => statSync(path).mtimeMs;

test.concurrent('two locks in one folder: each is renewed until it is given back, in whatever order that happens', async () => {
  const [slow, fast] = [join(folder, '.slow.lock'), join(folder, '.fast.lock')];
  const giveSlowBack = await takeLock(slow);
  const giveFastBack = await takeLock(fast);
  await giveFastBack();
  expect(existsSync(fast)).toBe(false);
  const before = renewedAt(slow);
  await until(
    () => renewedAt(slow),
    (now) => now > before,
    5,
  );
  await expect(takeLock(slow)).rejects.toMatchObject({ code: 'ELOCKED' });
  await giveSlowBack();
  expect(existsSync(slow)).toBe(false);
});

test.concurrent('fifty who want one lock at once, by two names of its folder, have it one after the other', async () => {
  const place = join(folder, 'place');
  mkdirSync(place);
  symlinkSync(place, join(folder, 'linked'));
  let inside = 0;
  let most = 0;
  const work = async (_: unknown, at: number) => {
    const give = await takeLock(join(folder, at % 2 ? 'place' : 'linked', '.lock'), { patienceMs: 10_000 });
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside -= 1;
    await give();
  };
  await Promise.all(Array.from({ length: 50 }, work));
  expect(most).toBe(1);
  expect(await isLockHeld(join(place, '.lock'))).toBe(false);
});

test.concurrent('a lock that another takes away is told once, and the one who has it now keeps it', async () => {
  const path = join(folder, '.taken.lock');
  let lost = 0;
  const give = await takeLock(path, { onLost: () => lost++ });
  // Another process found it abandoned.
  rmdirSync(path);
  mkdirSync(path);
  const at = Date.now() / 1000 + 1;
  utimesSync(path, at, at);
  await until(
    () => lost,
    (times) => times === 1,
    5,
  );
  await give();
  expect(existsSync(path)).toBe(true);
  expect(lost).toBe(1);
});

test.concurrent('a lock that is given back in the moment of its renewal breaks nothing, and can be taken again at once', async () => {
  const path = join(folder, '.moment.lock');
  const end = performance.now() + 3000;
  while (performance.now() < end) {
    const give = await takeLock(path);
    // The library renews after 2.5 s.
    await new Promise((resolve) => setTimeout(resolve, 2495 + Math.random() * 10));
    await give();
  }
  expect(existsSync(path)).toBe(false);
});

test.concurrent('a lock in a folder that is gone is refused as missing', async () => {
  await expect(takeLock(join(folder, 'gone', '.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await isLockHeld(join(folder, 'gone', '.lock'))).toBe(false);
});
