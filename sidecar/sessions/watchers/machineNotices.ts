import { logged } from '../../caught.js';
import type { Hub } from '../../live/hub.js';
import type { Outbox } from '../../notices/outbox.js';
import type { MachineFacts } from '../../telemetry/machine/machine.js';
import { type NoticeWords, pageNotice } from './noticeWords.js';

const GB = 1e9;
/** Space has to come back by so much before another notice of a full disk. */
const RECOVERED = 1.2;
/** Looks in a row, two seconds apart, without a GPU that was there. */
const MISSED = 5;
/** A disk that was told to be full within this time, before a restart, is the same one still. */
const SAME_MS = 24 * 3_600_000;

type Parts = NoticeWords & { hub: Hub; outbox: Outbox; machine: { facts(): MachineFacts } };

/** Tells people that the disk is nearly full, and that a GPU has disappeared: once each, until it is well again. */
export function watchMachineForNotices(parts: Parts) {
  const { hub, outbox, machine, store } = parts;
  let leave = () => {};
  let diskTold: boolean | null = null;
  const gpus = new Map<string, { name: string; index: number; missed: number }>();

  function look(): void {
    const { now } = machine.facts();
    if (!now) return;
    if (now.diskFree !== null) lookAtDisk(now.diskFree);
    for (const { uuid, name, index } of now.gpus) gpus.set(uuid, { name, index, missed: 0 });
    for (const [uuid, gpu] of gpus) {
      if (now.gpus.some((each) => each.uuid === uuid)) continue;
      gpu.missed += 1;
      if (gpu.missed === MISSED) tellGpu(uuid, gpu);
    }
  }

  function lookAtDisk(free: number): void {
    const limit = store.now().disk_gb * GB;
    if (free > limit * RECOVERED) diskTold = false;
    if (free >= limit || diskTold) return;
    // Of an earlier sidecar.
    const before = outbox.newest('disk_low');
    const told = diskTold === null && before !== null && Date.now() - Date.parse(before.at) < SAME_MS;
    diskTold = true;
    if (told) return;
    const said = {
      title: 'The disk is nearly full',
      text: `${(free / GB).toFixed(1)} GB are free where trainings are written. A save that does not fit ends a training.`,
    };
    tell('disk_low', `disk_low:${new Date().toISOString()}`, said);
  }

  function tellGpu(uuid: string, { name, index }: { name: string; index: number }): void {
    const why = machine.facts().no_gpu;
    const said = {
      title: `GPU ${index} has disappeared`,
      text: `${name} no longer answers.${why ? ` ${why}` : ''} Trainings on it stand still or fail; a restart of the pod may help.`,
    };
    tell('gpu_gone', `gpu_gone:${uuid}:${new Date().toISOString()}`, said);
  }

  function tell(kind: 'disk_low' | 'gpu_gone', id: string, said: { title: string; text: string }): void {
    void outbox
      .tell(pageNotice(kind, id, said, 'machine', parts))
      .catch(logged('notices', 'A notice could not be put into the outbox.'));
  }

  return {
    open() {
      leave = hub.join(({ type }) => {
        if (type === 'machine') look();
      });
    },
    close: () => leave(),
  };
}
