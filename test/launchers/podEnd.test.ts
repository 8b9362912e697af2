import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AttemptRecord } from '../../sidecar/launchers/attemptFile.js';
import { endedByDaemon, noteOwnEnd, wasEndedByPod } from '../../sidecar/launchers/podEnd.js';
import { ownNamespace } from '../../sidecar/processes/identity.js';
import { cleanUpAfterEach, endIn, newFolder, runIn } from './outputFolder.js';

cleanUpAfterEach();

describe('the runner was told to end, and nobody asked us for it: a person, or the pod?', () => {
  const { link, initStartTicks, bootId, hostname } = ownNamespace();
  const here = { pid_namespace: link, init_start_ticks: initStartTicks, boot_id: bootId, hostname };
  const gone = { ...here, init_start_ticks: (initStartTicks ?? 0) - 1 };
  const told = { id: 'a', job: null, stop_signal: 'SIGTERM', stop_sender: 4711, stop_uptime: 100, ended_at: 'then' };
  test.each([
    ['a shell, in this pod', { ...here, ...told }, null, false],
    ['PID 1 of this pod, which is somebody’s shell', { ...here, ...told, stop_sender: 1 }, null, false],
    ['with the sidecar', { ...here, ...told }, { id: 'a', uptime: 103 }, true],
    ['six seconds before the sidecar', { ...here, ...told }, { id: 'a', uptime: 106 }, false],
    ['with a sidecar, but in an earlier attempt', { ...here, ...told }, { id: 'b', uptime: 100 }, false],
    ['with a note that is cut short', { ...here, ...told }, '{"id":"a","upt', false],
    ['a shell, in a pod that is gone by now', { ...gone, ...told }, null, false],
    ['PID 1 of a pod that is gone by now', { ...gone, ...told, stop_sender: 1 }, null, true],
    ['the host of a pod that is gone by now', { ...gone, ...told, stop_sender: 0 }, null, true],
    ['anybody, in a pod that was gone before it had ended', { ...gone, ...told, ended_at: null }, null, true],
    ['nobody', { ...gone, ...told, stop_signal: null, stop_uptime: null }, { id: 'a', uptime: 100 }, false],
  ])('%s', (_, attempt, note, byPod) => {
    const folder = newFolder();
    const text = typeof note === 'string' ? note : JSON.stringify(note);
    if (note !== null) writeFileSync(join(folder, '.attempt.json.pod'), text);
    expect(wasEndedByPod(attempt as unknown as AttemptRecord, folder)).toBe(byPod);
  });

  test.each([
    ['slurmstepd', true],
    ['pbs_mom', true],
    ['containerd-shim', true],
    ['systemd', true],
    ['bash', false],
    ['htop', false],
    ['node', false],
    [null, false],
  ])('a signal from %s comes from a cluster or the system: %s', (stop_sender_name, byDaemon) => {
    const attempt = { ...here, ...told, stop_sender_name } as unknown as AttemptRecord;
    expect(endedByDaemon(attempt) !== null).toBe(byDaemon);
    expect(endedByDaemon({ ...attempt, stop_signal: null })).toBeNull();
  });

  test('the runner writes down who told it and when, and a sidecar when it was told itself', async () => {
    const folder = newFolder();
    const { pid } = await runIn(folder, ['sleep', '60']);
    process.kill(pid, 'SIGTERM');
    noteOwnEnd(folder);
    const record = await endIn(folder);
    expect(record).toMatchObject({
      stop_signal: 'SIGTERM',
      stop_sender: process.pid,
      stop_sender_name: readFileSync(`/proc/${process.pid}/comm`, 'utf8').trim(),
    });
    expect(wasEndedByPod(record, folder)).toBe(true);
    // The next attempt has nothing of it.
    await runIn(folder, ['true'], { number: 2 });
    expect(wasEndedByPod(record, folder)).toBe(false);
  });
});
