import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLiving, ownNamespace, parseStat, readLiving, readProcess } from '../../sidecar/processes/identity.js';
import {
  bystander,
  cleanUpAfterEach,
  existing,
  fixture,
  logIn,
  newFolder,
  runIn,
  until,
} from '../launchers/outputFolder.js';

cleanUpAfterEach();

test.each(['python3', 'a b', 'a) R 1 (b', ')', '(', ') Z 9 9 ', '\n'])('a process may be called %j', (name) => {
  const rest = 'S 7 8 9 0 -1 4194304 98 0 0 0 0 0 0 0 20 0 1 0 115889 3133440';
  expect(parseStat(42, `42 (${name}) ${rest}`)).toEqual({ pid: 42, state: 'S', ppid: 7, pgid: 8, startTicks: 115889 });
});

test('a real process with a misleading name is read right', () => {
  const program = join(newFolder(), 'a) Z 1 (b');
  copyFileSync('/bin/sleep', program);
  const { process: found } = bystander([program, '60']);
  expect(found.ppid).toBe(process.pid);
  expect(found.pgid).toBe(found.pid);
  expect(isLiving(found)).toBe(true);
});

test('a zombie is not alive, though it can be signalled', async () => {
  const folder = newFolder();
  await runIn(folder, ['python3', fixture('zombie.py')]);
  await until(() => logIn(folder).includes('zombie'), 'the zombie');
  const zombie = existing(Number(/zombie (\d+)/.exec(logIn(folder))?.[1]));
  expect(process.kill(zombie.pid, 0)).toBe(true);
  expect(isLiving(zombie)).toBe(false);
  expect(readLiving(zombie)).toBeNull();
});

test('another process with the same number is another process', () => {
  const { process: found } = bystander();
  expect(readLiving(found)).not.toBeNull();
  expect(readLiving({ pid: found.pid, startTicks: found.startTicks + 1 })).toBeNull();
  expect(readProcess(2 ** 22 + 1)).toBeNull();
});

test('this PID namespace can be told from others', () => {
  expect(ownNamespace().link).toMatch(/^pid:\[\d+\]$/);
  expect(ownNamespace().initStartTicks).toBeGreaterThanOrEqual(0);
});
