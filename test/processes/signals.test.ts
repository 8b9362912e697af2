import { expect, test } from 'vitest';
import { readLiving } from '../../sidecar/processes/identity.js';
import { signalProcess } from '../../sidecar/processes/signals.js';
import { bystander, cleanUpAfterEach, existing } from '../launchers/outputFolder.js';

cleanUpAfterEach();

test('the process meant is signalled', async () => {
  const { child, process: target } = bystander();
  const end = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  expect(signalProcess(target, 'SIGTERM')).toBe(true);
  expect(await end).toBe('SIGTERM');
  expect(signalProcess(target, 'SIGTERM')).toBe(false);
});

test('of 10,000 processes that once had the PID of a stranger none gets it a signal', () => {
  const { process: stranger } = bystander();
  for (let reuse = 1; reuse <= 10_000; reuse++) {
    const startTicks = stranger.startTicks + (reuse % 2 ? reuse : -reuse);
    expect(signalProcess({ pid: stranger.pid, startTicks }, 'SIGKILL')).toBe(false);
  }
  expect(readLiving(stranger)).not.toBeNull();
});

test.each([1, 0, -1, -4242, 1.5, Number.NaN])('%s is no process to signal', (pid) => {
  expect(signalProcess({ pid, startTicks: 0 }, 'SIGKILL')).toBe(false);
});

test('we never signal ourselves', () => {
  expect(signalProcess(existing(process.pid), 'SIGKILL')).toBe(false);
});
