import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHub } from '../../sidecar/live/hub.js';
import { openNoticeSettings } from '../../sidecar/notices/noticeSettings.js';
import { createOutbox } from '../../sidecar/notices/outbox.js';
import { watchMachineForNotices } from '../../sidecar/sessions/watchers/machineNotices.js';
import { readGpuLine } from '../../sidecar/telemetry/machine/gpuLines.js';
import type { MachineReading } from '../../sidecar/telemetry/machine/machine.js';
import { until } from '../sidecar.js';

const GPU = readGpuLine('0, GPU-1, NVIDIA A100, 98, 1000, 80000, 60, 300, 400, 1400, Not Active, P0, [N/A]');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trackside-machine-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The watcher over an outbox of its own, and a way to show it a machine. */
async function watch() {
  const hub = createHub();
  const store = openNoticeSettings({ folder, teach: () => {} });
  await store.setChannel('webhook', { url: 'http://127.0.0.1:9/nobody' });
  const outbox = createOutbox({ folder: join(folder, 'outbox'), delays: [900], store, changed: () => {} });
  await outbox.open();
  let now: MachineReading | null = null;
  const facts = () => ({ now, history: [], no_gpu: null, disk_full_in: null });
  const watcher = watchMachineForNotices({ hub, outbox, store, pageAt: () => null, machine: { facts } });
  watcher.open();
  const told = () => outbox.list().map(({ title }) => title);
  return {
    outbox,
    see(freeGb: number, gpus = GPU ? [GPU] : []) {
      now = {
        at: 0,
        cpu: null,
        processors: 1,
        memoryUsed: 0,
        memoryTotal: 1,
        gpus,
        diskFree: freeGb * 1e9,
        diskTotal: 1e12,
      };
      hub.tell({ type: 'machine' });
    },
    told,
    untilTold: (count: number) => until(told, (all) => all.length === count),
    async leave() {
      watcher.close();
      await outbox.close();
    },
  };
}

test('a full disk is told once, again after it had space, and not once more by the next sidecar', async () => {
  const first = await watch();
  first.see(4);
  first.see(3);
  await first.untilTold(1);
  first.see(50);
  first.see(4.9);
  await first.untilTold(2);
  expect(first.told()[0]).toBe('The disk is nearly full');
  await first.leave();
  const second = await watch();
  second.see(4);
  second.see(50, []);
  second.see(4);
  await second.untilTold(3);
  await second.leave();
});

test('a GPU that stays away is told once, and one that misses a look is not', async () => {
  const machine = await watch();
  machine.see(50);
  for (let looks = 0; looks < 3; looks += 1) machine.see(50, []);
  machine.see(50);
  for (let looks = 0; looks < 12; looks += 1) machine.see(50, []);
  await machine.untilTold(1);
  expect(machine.told()).toEqual(['GPU 0 has disappeared']);
  await machine.leave();
});
